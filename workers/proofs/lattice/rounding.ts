import type { Rounding } from './parameters.ts';

// Residues x modulo q fall into intervals. With v = x mod p_s, the interval of x is the pair of
// floor(v / 2^bits) and, modulo every other prime, x - v. Both sides of the pair fix floor(x / p_s) and
// where v lies in its block of p_s integers: two x with one index differ by less than 2^bits.

/**
 * Writes floor(v / 2^bits) of each v.
 *
 * @param values canonical residues as halves of u64
 * @param bits at least 1, and so many that every interval number is below 2^32
 */
export function writeIntervals(target: Uint32Array, values: Uint32Array, bits: number): void {
  for (let i = 0; i < target.length; i++) {
    const low = values[2 * i];
    const high = values[2 * i + 1];
    target[i] = bits < 32 ? (low >>> bits) | (high << (32 - bits)) : high >>> (bits - 32);
  }
}

/**
 * How many coefficients of v - X^e·error mod p are so close to an end of their interval that an honest
 * error may lead out of it. Looks at all, and neither branch nor address depends on a value.
 *
 * @param values v, canonical residues as halves of u64; secret
 * @param error small integers; secret
 * @param exponent e in [0, 2N); public
 */
export function countNearEnds(
  values: Uint32Array,
  error: Float64Array,
  exponent: number,
  rounding: Rounding,
  prime: number,
): number {
  const degree = error.length;
  const wrapped = exponent & (degree - 1);
  const sign = exponent < degree ? 1 : -1;
  return (
    countIn(values.subarray(2 * wrapped), error, sign, rounding, prime) +
    countIn(
      values.subarray(0, 2 * wrapped),
      error.subarray(degree - wrapped),
      -sign,
      rounding,
      prime,
    )
  );
}

/** `countNearEnds` of v - sign·error. */
function countIn(
  values: Uint32Array,
  error: Float64Array,
  sign: number,
  { bits, errorBound }: Rounding,
  prime: number,
): number {
  const length = 2 ** bits;
  const scale = 2 ** -bits;
  const lastStart = Math.floor(prime * scale) * length;
  const missing = lastStart + length - prime;
  const count = values.length / 2;
  let near = 0;
  for (let i = 0; i < count; i++) {
    let v = values[2 * i] + values[2 * i + 1] * 2 ** 32 - sign * error[i];
    v += prime * (Number(v < 0) - Number(v >= prime));
    const start = Math.floor(v * scale) * length;
    const offset = v - start;
    const end = length - missing * Number(start === lastStart) - errorBound;
    near += Number(offset < errorBound) + Number(offset >= end);
  }
  return near;
}
