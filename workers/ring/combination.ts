import { fieldOf } from '../kernels/field.ts';
import { defaultKernels, type Kernels } from '../kernels/loader.ts';
import { Sum } from '../kernels/sum.ts';
import { requireLength, type RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

/** Throws RingError SCALAR_OUT_OF_RANGE unless 0 <= scalar < prime. */
export function requireScalar(scalar: bigint | undefined, prime: bigint): asserts scalar is bigint {
  if (scalar === undefined || scalar < 0n || scalar >= prime) {
    throw new RingError(RingErrorCode.SCALAR_OUT_OF_RANGE, 'scalar not in [0, p)', {
      metadata: { prime },
    });
  }
}

/**
 * Σ_row coefficient[limb][row]·row modulo each prime: Shamir interpolation of whole vectors.
 *
 * @param rows vectors of one shape, at least one; any width
 * @param coefficients per limb one public scalar in [0, p) per row
 * @throws RingError LENGTH_MISMATCH, SCALAR_OUT_OF_RANGE; KernelError RESIDUE_OUT_OF_RANGE
 */
export function linearCombination(
  primes: readonly bigint[],
  rows: readonly RnsVector[],
  coefficients: readonly (readonly bigint[])[],
  kernels: Kernels = defaultKernels(),
): RnsVector {
  const length = rows[0]?.length ?? 0;
  requireLength(length, ...rows);
  const shapeFits =
    rows.length > 0 &&
    length % primes.length === 0 &&
    coefficients.length === primes.length &&
    coefficients.every((limb) => limb.length === rows.length);
  if (!shapeFits) {
    throw new RingError(RingErrorCode.LENGTH_MISMATCH, 'rows and coefficients do not match', {
      metadata: { rows: rows.length, length, limbs: primes.length },
    });
  }
  const width = length / primes.length;
  const out: RnsVector = new BigUint64Array(length);
  const { arena } = kernels;
  primes.forEach((prime, limb) => {
    const field = fieldOf(prime, kernels);
    const mark = arena.mark();
    try {
      const address = arena.scratch(8 * width);
      arena.u64(address, width + 1).fill(0n);
      const sum = new Sum(field, address, width);
      rows.forEach((row, i) => {
        const scalar = coefficients[limb][i];
        requireScalar(scalar, prime);
        const inner = arena.mark();
        try {
          sum.addScaled(field.copyIn(row, limb * width, width), scalar);
        } finally {
          arena.release(inner);
        }
      });
      sum.copyOut(out, limb * width, width);
    } finally {
      arena.release(mark);
    }
  });
  return out;
}
