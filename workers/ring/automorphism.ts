import { reverseBits } from '../kernels/numbers.ts';
import { requireLength, type Basis, type RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

/**
 * The Galois automorphism X → X^g of a ring element in NTT form.
 *
 * Evaluation i stands for the exponent 2·rev(i) + 1 of the root of unity, so the automorphism moves
 * evaluations and changes none: `out[i] = in[rev((g·(2·rev(i)+1) mod 2N) >> 1)]`.
 *
 * @param x NTT form; may be secret: what is read when depends on `element` alone
 * @param element g, odd, from 1 to 2N - 1; public
 * @returns NTT form
 * @throws RingError LENGTH_MISMATCH, ELEMENT_INVALID
 */
export function automorphism(basis: Basis, x: RnsVector, element: number): RnsVector {
  const { degree, limbs } = basis;
  requireLength(limbs * degree, x);
  if (!Number.isInteger(element) || element < 1 || element >= 2 * degree || element % 2 === 0) {
    throw new RingError(RingErrorCode.ELEMENT_INVALID, 'no automorphism of the ring', {
      metadata: { element, degree },
    });
  }
  const bits = Math.log2(degree);
  // Residues move as halves: numbers of 32 bits are many times faster here than bigints.
  const from = new Uint32Array(x.buffer, x.byteOffset, 2 * x.length);
  const out: RnsVector = new BigUint64Array(x.length);
  const to = new Uint32Array(out.buffer);
  for (let i = 0; i < degree; i++) {
    const exponent = (element * (2 * reverseBits(i, bits) + 1)) % (2 * degree);
    const source = reverseBits(exponent >> 1, bits);
    for (let offset = 0; offset < 2 * x.length; offset += 2 * degree) {
      to[offset + 2 * i] = from[offset + 2 * source];
      to[offset + 2 * i + 1] = from[offset + 2 * source + 1];
    }
  }
  return out;
}
