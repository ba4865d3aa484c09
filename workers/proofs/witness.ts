import type { RnsVector } from '../ring/basis.ts';

// Checks of secrets that neither branch nor stop on a value.

/** True for `length` integers within the bound. Looks at all. */
export function isWithin(vector: Int8Array | Float64Array, length: number, bound: number): boolean {
  let inside = vector.length === length;
  for (let i = 0; i < vector.length; i++) {
    inside = Number.isInteger(vector[i]) && Math.abs(vector[i]) <= bound && inside;
  }
  return inside;
}

/** True for equal residues. Looks at all. */
export function isSame(x: RnsVector, y: RnsVector): boolean {
  const [left, right] = [x, y].map((z) => new Uint32Array(z.buffer, z.byteOffset, 2 * z.length));
  let difference = left.length ^ right.length;
  for (let i = 0; i < left.length; i++) difference |= left[i] ^ right[i];
  return difference === 0;
}
