import { negacyclicMultiplyAdd, ntt } from './elements.ts';
import { requireLength, type Basis, type RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

/** From this many positions on, the whole product by transforms is cheaper than inner products. */
const WHOLE_PRODUCT_FROM = 24;

/**
 * Some coefficients of the ring product a·s, by inner products with negacyclic wrap.
 *
 * @param a coefficient form, public or secret
 * @param s coefficient form, secret
 * @param positions public; any order, repeats allowed
 * @returns width `positions.length`, in the order of `positions`
 * @throws RingError LENGTH_MISMATCH, POSITION_OUT_OF_RANGE; KernelError RESIDUE_OUT_OF_RANGE
 */
export function negacyclicCoefficients(
  basis: Basis,
  a: RnsVector,
  s: RnsVector,
  positions: Uint32Array,
): RnsVector {
  const { degree, limbs } = basis;
  requireLength(limbs * degree, a, s);
  for (const position of positions) {
    if (position >= degree) {
      throw new RingError(RingErrorCode.POSITION_OUT_OF_RANGE, 'no such coefficient', {
        metadata: { position, degree },
      });
    }
  }
  if (positions.length >= WHOLE_PRODUCT_FROM) {
    const product = negacyclicMultiplyAdd(basis, a, ntt(basis, s), new BigUint64Array(a.length));
    return gather(product, degree, positions);
  }
  const width = positions.length;
  const out: RnsVector = new BigUint64Array(limbs * width);
  basis.transforms.forEach(({ field }, limb) => {
    const { arena } = field.kernels;
    const mark = arena.mark();
    try {
      const left = field.copyIn(a, limb * degree, degree);
      const right = field.copyIn(s, limb * degree, degree);
      const results = arena.scratch(8 * width);
      positions.forEach((position, i) => {
        field.path.innerProduct(results + 8 * i, left, right, degree, position, field.record);
      });
      field.copyOut(results, out, limb * width, width);
    } finally {
      arena.release(mark);
    }
  });
  return out;
}

/** The coefficients at `positions` of each limb. */
function gather(x: RnsVector, degree: number, positions: Uint32Array): RnsVector {
  const width = positions.length;
  const out: RnsVector = new BigUint64Array((x.length / degree) * width);
  for (let limb = 0; limb * degree < x.length; limb++) {
    positions.forEach((position, i) => (out[limb * width + i] = x[limb * degree + position]!));
  }
  return out;
}
