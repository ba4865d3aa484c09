import { fieldOf } from '../kernels/field.ts';
import { defaultKernels, type Kernels } from '../kernels/loader.ts';
import { requireLength, type RnsVector } from './basis.ts';

/**
 * Σ_i x[i]·y[i] modulo each prime.
 *
 * @param x one limb per prime, each of `width` canonical residues; any width
 * @param y of the same shape
 * @returns one residue per limb
 * @throws RingError LENGTH_MISMATCH; KernelError RESIDUE_OUT_OF_RANGE
 */
export function innerProducts(
  primes: readonly bigint[],
  width: number,
  x: RnsVector,
  y: RnsVector,
  kernels: Kernels = defaultKernels(),
): RnsVector {
  requireLength(primes.length * width, x, y);
  const out: RnsVector = new BigUint64Array(primes.length);
  const { arena } = kernels;
  primes.forEach((prime, limb) => {
    const field = fieldOf(prime, kernels);
    const mark = arena.mark();
    try {
      // The kernel computes coefficients of ring products. The last one has no wrapped terms, and
      // pairs one factor's terms with the other's in reverse.
      const left = field.copyIn(x, limb * width, width);
      const reversed = y.slice(limb * width, (limb + 1) * width).reverse();
      const right = field.copyIn(reversed, 0, width);
      const result = arena.scratch(8);
      field.path.innerProduct(result, left, right, width, width - 1, field.record);
      field.copyOut(result, out, limb, 1);
    } finally {
      arena.release(mark);
    }
  });
  return out;
}
