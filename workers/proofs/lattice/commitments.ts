import type { Transform } from '../../kernels/transform.ts';
import type { Basis, RnsVector } from '../../ring/basis.ts';
import { sha256 } from '../digest.ts';
import type { LatticeParameters, Rounding } from './parameters.ts';
import { writeIntervals } from './rounding.ts';

/** `right = factor·u + error` with short u and error: what a witness satisfies. */
export interface Equation {
  readonly rounding: Rounding;
  /** NTT form. */
  readonly factor: RnsVector;
  /** Coefficient form. */
  readonly right: RnsVector;
}

/** W_k for one run of the protocol. */
export interface Commitment {
  /** SHA-256 of the intervals of both equations, as docs/input-proofs.md defines their bytes. */
  readonly digest: Promise<Uint8Array>;
  /** Per equation factor·x - X^e·right modulo the rounding's prime, as halves of u64. */
  readonly values: readonly Uint32Array[];
}

/** Bytes of the intervals of one equation. */
export function intervalBytes({ set, primes }: LatticeParameters): number {
  return set.degree * (4 + 8 * (primes.length - 1));
}

/**
 * The intervals of factor·x_k - X^e_k·right for both equations and all k.
 *
 * @param vectors R polynomials one after the other, coefficients in [-M, M); masks are secret
 * @param exponents e_k in [0, 2N); without them nothing is subtracted
 */
export function commitmentsOf(
  basis: Basis,
  parameters: LatticeParameters,
  equations: readonly Equation[],
  vectors: Int32Array,
  exponents?: readonly number[],
): Commitment[] {
  const { degree } = basis;
  const { arena } = basis.transforms[0].field.kernels;
  const bytes = 8 * degree;
  const mark = arena.mark();
  try {
    const copies = equations.map(({ rounding, factor, right }) => ({
      rounding,
      factors: basis.transforms.map(({ field }, l) => field.copyIn(factor, l * degree, degree)),
      rights: basis.transforms.map(({ field }, l) => field.copyIn(right, l * degree, degree)),
    }));
    const offset = arena.scratch(bytes);
    arena.u64(offset, degree).fill(1n << BigInt(parameters.maskBits));
    return Array.from({ length: parameters.repetitions }, (_, k) => {
      const inner = arena.mark();
      try {
        const shifted = arena.scratch(bytes);
        writeShifted(
          new Uint32Array(arena.memory.buffer, shifted, 2 * degree),
          vectors.subarray(k * degree, (k + 1) * degree),
          2 ** parameters.maskBits,
        );
        const transformed = basis.transforms.map((transform) =>
          transformedDifference(transform, shifted, offset),
        );
        const size = intervalBytes(parameters);
        const block = arena.scratch(equations.length * size);
        const values = copies.map(({ rounding, factors, rights }, at) => {
          const results = basis.transforms.map((transform, l) => {
            const product = productOf(transform, transformed[l], factors[l]);
            if (exponents === undefined) return product;
            return minusRotated(transform, product, rights[l], exponents[k]);
          });
          writeEquation(basis, rounding, results, block + at * size);
          const value = new Uint32Array(arena.memory.buffer, results[rounding.limb], 2 * degree);
          return value.slice();
        });
        return { digest: sha256(arena.bytes(block, equations.length * size)), values };
      } finally {
        arena.release(inner);
      }
    });
  } finally {
    arena.release(mark);
  }
}

/** Writes x + M as u64. */
function writeShifted(target: Uint32Array, vector: Int32Array, bound: number): void {
  for (let i = 0; i < vector.length; i++) {
    target[2 * i] = vector[i] + bound;
    target[2 * i + 1] = 0;
  }
}

/** The transform of x - y in resident form, in scratch memory; x and y canonical. */
function transformedDifference(transform: Transform, x: number, y: number): number {
  const { field, degree } = transform;
  const { arena, integer } = field.kernels;
  const address = arena.scratch(8 * degree);
  integer.subtract(address, x, y, degree, field.prime);
  field.path.toResident(address, address, degree, field.record);
  transform.forward(address);
  return address;
}

/** The product in canonical coefficient form, in scratch memory. */
function productOf(transform: Transform, resident: number, factor: number): number {
  const { field, degree } = transform;
  const { arena } = field.kernels;
  const address = arena.scratch(8 * degree);
  arena.bytes(address, 8 * degree).set(arena.bytes(resident, 8 * degree));
  field.path.multiply(address, factor, degree, field.record);
  transform.inverse(address);
  field.path.toCanonical(address, address, degree, field.record);
  return address;
}

/** x - X^exponent·y, canonical, in scratch memory. */
function minusRotated(transform: Transform, x: number, y: number, exponent: number): number {
  const { field, degree } = transform;
  const { arena, integer } = field.kernels;
  const address = arena.scratch(8 * degree);
  const wrapped = exponent % degree;
  const [first, second] =
    exponent < degree ? (['add', 'subtract'] as const) : (['subtract', 'add'] as const);
  // Pairs of residues: of an odd number the first spills over to where the second then writes, and the
  // second into the padding.
  const split = 8 * wrapped;
  integer[first](address, x, y + 8 * (degree - wrapped), wrapped, field.prime);
  integer[second](address + split, x + split, y, degree - wrapped, field.prime);
  return address;
}

/** The bytes of one equation: intervals of the chosen limb as u32, then x - v of each other as u64. */
function writeEquation(
  basis: Basis,
  rounding: Rounding,
  values: readonly number[],
  target: number,
): void {
  const { degree } = basis;
  const { arena, integer } = basis.transforms[0].field.kernels;
  const chosen = values[rounding.limb];
  const { buffer } = arena.memory;
  writeIntervals(
    new Uint32Array(buffer, target, degree),
    new Uint32Array(buffer, chosen, 2 * degree),
    rounding.bits,
  );
  const inner = arena.mark();
  const reduced = arena.scratch(8 * degree);
  const zero = arena.scratch(8 * degree);
  arena.bytes(zero, 8 * degree).fill(0);
  let at = target + 4 * degree;
  basis.primes.forEach((prime, l) => {
    if (l === rounding.limb) return;
    let source = chosen;
    // Adding zero subtracts the prime once where that is due.
    for (let left = basis.primes[rounding.limb] - 1n; left >= prime; left -= prime) {
      integer.add(reduced, source, zero, degree, prime);
      source = reduced;
    }
    integer.subtract(at, values[l], source, degree, prime);
    at += 8 * degree;
  });
  arena.release(inner);
}
