import { requireLength, type Basis, type RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

/**
 * Divides by the dropped primes, one after the other from the last, rounding to the nearest integer
 * each time: what SEAL's `mod_switch_to` does to each polynomial of a BFV ciphertext.
 *
 * @param to the first `to.limbs` primes of `from`
 * @param x coefficient form, over `from`; public or secret
 * @returns coefficient form, over `to`
 * @throws RingError BASIS_MISMATCH, LENGTH_MISMATCH; KernelError RESIDUE_OUT_OF_RANGE
 */
export function switchModulus(from: Basis, to: Basis, x: RnsVector): RnsVector {
  const isPrefix =
    to.degree === from.degree &&
    to.limbs <= from.limbs &&
    to.primes.every((prime, limb) => prime === from.primes[limb]);
  if (!isPrefix) {
    throw new RingError(RingErrorCode.BASIS_MISMATCH, 'target is no level below the source', {
      metadata: { from: from.limbs, to: to.limbs },
    });
  }
  const { degree } = from;
  requireLength(from.limbs * degree, x);
  const { arena } = from.transforms[0].field.kernels;
  const out: RnsVector = new BigUint64Array(to.limbs * degree);
  const mark = arena.mark();
  try {
    const limbs = from.transforms.map(({ field }, l) => field.copyIn(x, l * degree, degree));
    for (let last = from.limbs - 1; last >= to.limbs; last--) {
      const dropped = from.primes[last];
      const half = (dropped - 1n) / 2n;
      for (let l = 0; l < last; l++) {
        const { field } = from.transforms[l];
        const c = field.inverseOf(dropped);
        field.path.divide(limbs[l], limbs[l], limbs[last], degree, half, c, field.record);
      }
    }
    to.transforms.forEach(({ field }, l) => field.copyOut(limbs[l], out, l * degree, degree));
  } finally {
    arena.release(mark);
  }
  return out;
}
