import type { Transform } from '../kernels/transform.ts';
import { requireLength, type Basis, type RnsVector } from './basis.ts';

/** Runs `step` for each limb with scratch memory of its own; `offset` is where the limb starts. */
function eachLimb(
  basis: Basis,
  step: (transform: Transform, offset: number, length: number) => void,
): void {
  const { degree } = basis;
  basis.transforms.forEach((transform, limb) => {
    const { arena } = transform.field.kernels;
    const mark = arena.mark();
    try {
      step(transform, limb * degree, degree);
    } finally {
      arena.release(mark);
    }
  });
}

/**
 * Number-theoretic transform of each limb, in the order of docs/formats.md ("Ring elements").
 *
 * @param x ring element in coefficient form; may be secret
 * @returns the same element in NTT form
 * @throws RingError LENGTH_MISMATCH; KernelError RESIDUE_OUT_OF_RANGE
 */
export function ntt(basis: Basis, x: RnsVector): RnsVector {
  requireLength(basis.limbs * basis.degree, x);
  const out: RnsVector = new BigUint64Array(x.length);
  eachLimb(basis, (transform, offset, n) => {
    const { field } = transform;
    const v = field.copyInResident(x, offset, n);
    transform.forward(v);
    field.path.toCanonical(v, v, n, field.record);
    field.copyOut(v, out, offset, n);
  });
  return out;
}

/**
 * Inverse of `ntt`.
 *
 * @param x ring element in NTT form; may be secret
 * @throws RingError LENGTH_MISMATCH; KernelError RESIDUE_OUT_OF_RANGE
 */
export function intt(basis: Basis, x: RnsVector): RnsVector {
  requireLength(basis.limbs * basis.degree, x);
  const out: RnsVector = new BigUint64Array(x.length);
  eachLimb(basis, (transform, offset, n) => {
    const { field } = transform;
    const v = field.copyInResident(x, offset, n);
    transform.inverse(v);
    field.path.toCanonical(v, v, n, field.record);
    field.copyOut(v, out, offset, n);
  });
  return out;
}

/**
 * Pointwise product: the ring product if both are in NTT form.
 *
 * @param a may be secret
 * @param b may be secret
 * @throws RingError LENGTH_MISMATCH; KernelError RESIDUE_OUT_OF_RANGE
 */
export function multiply(basis: Basis, a: RnsVector, b: RnsVector): RnsVector {
  requireLength(basis.limbs * basis.degree, a, b);
  const out: RnsVector = new BigUint64Array(a.length);
  eachLimb(basis, ({ field }, offset, n) => {
    const v = field.copyInResident(a, offset, n);
    field.path.multiply(v, field.copyIn(b, offset, n), n, field.record);
    field.path.toCanonical(v, v, n, field.record);
    field.copyOut(v, out, offset, n);
  });
  return out;
}

/** a + b; either form, both the same. Errors as `multiply`. */
export function add(basis: Basis, a: RnsVector, b: RnsVector): RnsVector {
  requireLength(basis.limbs * basis.degree, a, b);
  const out: RnsVector = new BigUint64Array(a.length);
  eachLimb(basis, ({ field }, offset, n) => {
    const v = field.copyIn(a, offset, n);
    field.kernels.integer.add(v, v, field.copyIn(b, offset, n), n, field.prime);
    field.copyOut(v, out, offset, n);
  });
  return out;
}

/** a - b; either form, both the same. Errors as `multiply`. */
export function subtract(basis: Basis, a: RnsVector, b: RnsVector): RnsVector {
  requireLength(basis.limbs * basis.degree, a, b);
  const out: RnsVector = new BigUint64Array(a.length);
  eachLimb(basis, ({ field }, offset, n) => {
    const v = field.copyIn(a, offset, n);
    field.kernels.integer.subtract(v, v, field.copyIn(b, offset, n), n, field.prime);
    field.copyOut(v, out, offset, n);
  });
  return out;
}

/** -a, in either form. Errors as `multiply`. */
export function negate(basis: Basis, a: RnsVector): RnsVector {
  return subtract(basis, new BigUint64Array(a.length), a);
}

/**
 * a·s + c in the ring.
 *
 * @param a coefficient form, public or secret
 * @param sNtt NTT form, secret
 * @param c coefficient form, secret
 * @returns coefficient form
 * @throws RingError LENGTH_MISMATCH; KernelError RESIDUE_OUT_OF_RANGE
 */
export function negacyclicMultiplyAdd(
  basis: Basis,
  a: RnsVector,
  sNtt: RnsVector,
  c: RnsVector,
): RnsVector {
  requireLength(basis.limbs * basis.degree, a, sNtt, c);
  const out: RnsVector = new BigUint64Array(a.length);
  eachLimb(basis, (transform, offset, n) => {
    const { field } = transform;
    const { path, record } = field;
    const v = field.copyInResident(a, offset, n);
    transform.forward(v);
    path.multiply(v, field.copyIn(sNtt, offset, n), n, record);
    transform.inverse(v);
    path.storeSum(v, v, field.copyIn(c, offset, n), n, record);
    field.copyOut(v, out, offset, n);
  });
  return out;
}
