import type { RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

/**
 * Residues of small integers modulo each prime.
 *
 * @param values integers x with |x| < p for every prime and |x| < 2^53; may be secret: no branch and
 *   no address depends on them
 * @returns canonical residues, width `values.length`
 * @throws RingError LENGTH_MISMATCH if there are none
 */
export function lift(
  primes: readonly bigint[],
  values: Int8Array | Int32Array | Float64Array,
): RnsVector {
  const width = values.length;
  if (width === 0) {
    throw new RingError(RingErrorCode.LENGTH_MISMATCH, 'nothing to lift');
  }
  const out: RnsVector = new BigUint64Array(primes.length * width);
  // Halves of 32 bits are many times faster here than bigints.
  const halves = new Uint32Array(out.buffer);
  primes.forEach((prime, limb) => {
    const low = Number(prime & 0xffff_ffffn);
    const high = Number(prime >> 32n);
    const offset = 2 * limb * width;
    for (let i = 0; i < width; i++) {
      const value = values[i];
      const negative = Number(value < 0);
      const quotient = Math.floor(value / 2 ** 32);
      const sum = value - quotient * 2 ** 32 + negative * low;
      const carry = Number(sum >= 2 ** 32);
      halves[offset + 2 * i] = sum - carry * 2 ** 32;
      halves[offset + 2 * i + 1] = quotient + negative * high + carry;
    }
  });
  return out;
}
