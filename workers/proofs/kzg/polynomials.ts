import { SCALAR_BYTES, wipe } from '../../curve/scalars.ts';
import {
  groupOrder,
  scalarAt,
  writeScalar,
  type Vector,
  type Vectors,
} from '../../curve/vectors.ts';
import { reverseBits } from '../../kernels/numbers.ts';
import type { RandomBytes } from '../randomness.ts';

// Polynomials as lists of scalars, the lowest coefficient first, all of one length beyond n.

/** The coefficients of the polynomial with these values at the n-th roots of unity. */
export function interpolate(vectors: Vectors, values: Uint8Array): Uint8Array {
  return vectors.scope(() => {
    const permuted = bitReversed(values);
    const vector = vectors.scalars(permuted);
    wipe(permuted);
    vectors.inverse(vector);
    return vectors.bytes(vector);
  });
}

/** `interpolate` for integers of up to 2^51. */
export function interpolateIntegers(vectors: Vectors, values: Float64Array): Uint8Array {
  return vectors.scope(() => {
    const bits = Math.log2(values.length);
    const vector = vectors.integers(values.map((_, i) => values[reverseBits(i, bits)]));
    vectors.inverse(vector);
    return vectors.bytes(vector);
  });
}

/**
 * p + b·(X^n - 1) with a random b of `count` coefficients: the same values at the roots of unity, and
 * uniform ones at `count` other points.
 */
export function blinded(
  coefficients: Uint8Array,
  length: number,
  count: number,
  randomBytes: RandomBytes,
): Uint8Array {
  const n = coefficients.length / SCALAR_BYTES;
  const result = new Uint8Array(SCALAR_BYTES * length);
  result.set(coefficients);
  for (let i = 0; i < count; i++) {
    const blind = randomFieldElement(randomBytes);
    writeScalar(result, i, scalarAt(result, i) - blind);
    writeScalar(result, n + i, blind);
  }
  return result;
}

/** Uniform but for 2^-256. */
export function randomFieldElement(randomBytes: RandomBytes): bigint {
  const bytes = randomBytes(2 * SCALAR_BYTES);
  return (scalarAt(bytes, 0) + (scalarAt(bytes, 1) << 256n)) % groupOrder;
}

/**
 * The values of a polynomial on the coset shift·ω^i, in bit-reversed order.
 *
 * @param shifted shift^i
 * @param shiftN shift^n
 */
export function valuesOnCoset(
  vectors: Vectors,
  coefficients: Uint8Array,
  shifted: Vector,
  shiftN: bigint,
): Vector {
  const n = shifted.length;
  const folded = coefficients.slice(0, SCALAR_BYTES * n);
  // X^n is shift^n on the coset.
  for (let i = n; i < coefficients.length / SCALAR_BYTES; i++) {
    writeScalar(folded, i - n, scalarAt(folded, i - n) + shiftN * scalarAt(coefficients, i));
  }
  const vector = vectors.scalars(folded);
  wipe(folded);
  vectors.multiply(vector, shifted);
  vectors.forward(vector);
  return vector;
}

/** The list from its end to its beginning. */
export function reversed(scalars: Uint8Array): Uint8Array {
  const count = scalars.length / SCALAR_BYTES;
  return permuted(scalars, (i) => count - 1 - i);
}

function bitReversed(scalars: Uint8Array): Uint8Array {
  const bits = Math.log2(scalars.length / SCALAR_BYTES);
  return permuted(scalars, (i) => reverseBits(i, bits));
}

function permuted(scalars: Uint8Array, from: (place: number) => number): Uint8Array {
  const result = new Uint8Array(scalars.length);
  for (let i = 0; i < scalars.length / SCALAR_BYTES; i++) {
    const start = SCALAR_BYTES * from(i);
    result.set(scalars.subarray(start, start + SCALAR_BYTES), SCALAR_BYTES * i);
  }
  return result;
}
