import { FAST_LIMIT, fieldOf } from '../kernels/field.ts';
import { defaultKernels, type Kernels } from '../kernels/loader.ts';
import { transformOf, type Transform } from '../kernels/transform.ts';
import { RingError, RingErrorCode } from './errors.ts';
import type { ParameterSet } from './parameters.ts';

/**
 * A vector of residues: limb l occupies `[l·width, (l+1)·width)`, each residue below its prime
 * (canonical). Width is N for ring elements, else the number of coefficients that are meant.
 */
export type RnsVector = BigUint64Array<ArrayBuffer>;

/** An ordered list of primes with the tables to compute modulo each in Z_p[X]/(X^N + 1). */
export class Basis {
  readonly degree: number;
  readonly primes: readonly bigint[];
  readonly limbs: number;
  /** One transform per prime, in order. */
  readonly transforms: readonly Transform[];

  /**
   * @param degree N, a power of two from 16 to 32768
   * @param primes distinct primes in (2^10, 2^61) with 2N | p - 1
   * @throws KernelError MODULUS_UNSUPPORTED, DEGREE_UNSUPPORTED, NOT_BUILT
   */
  constructor(degree: number, primes: readonly bigint[], kernels: Kernels = defaultKernels()) {
    this.degree = degree;
    this.primes = [...primes];
    this.limbs = primes.length;
    // Modulus switching mixes limbs, so one wide prime sends all to the integer path.
    const fast = primes.every((prime) => prime < FAST_LIMIT);
    this.transforms = primes.map((prime) => transformOf(fieldOf(prime, kernels, fast), degree));
  }
}

const bases = new WeakMap<ParameterSet, Map<number, Basis>>();

/**
 * The basis of a parameter set's first `limbs` primes; by default of all, special prime included.
 * Made once.
 *
 * @throws RingError LIMBS_OUT_OF_RANGE
 */
export function basisOf(set: ParameterSet, limbs: number = set.primes.length): Basis {
  if (!Number.isInteger(limbs) || limbs < 1 || limbs > set.primes.length) {
    throw new RingError(RingErrorCode.LIMBS_OUT_OF_RANGE, 'no such level', {
      metadata: { set: set.name, limbs },
    });
  }
  let known = bases.get(set);
  if (known === undefined) bases.set(set, (known = new Map<number, Basis>()));
  let basis = known.get(limbs);
  if (basis === undefined) {
    known.set(limbs, (basis = new Basis(set.degree, set.primes.slice(0, limbs))));
  }
  return basis;
}

/** Throws RingError LENGTH_MISMATCH unless each vector has `length` residues. */
export function requireLength(length: number, ...vectors: readonly BigUint64Array[]): void {
  for (const vector of vectors) {
    if (vector.length !== length) {
      throw new RingError(RingErrorCode.LENGTH_MISMATCH, 'vector of another shape', {
        metadata: { expected: length, actual: vector.length },
      });
    }
  }
}

/**
 * Whether a vector from outside is a canonical one: `width` residues modulo each prime, each below
 * its prime. Total: never throws for any length or value. Not constant time in the answer.
 */
export function isCanonical(
  primes: readonly bigint[],
  width: number,
  vector: BigUint64Array,
): boolean {
  if (vector.length !== primes.length * width) return false;
  const { arena, integer } = defaultKernels();
  const mark = arena.mark();
  try {
    const length = width + (width & 1);
    const address = arena.scratch(8 * length);
    return primes.every((prime, limb) => {
      const block = arena.u64(address, length);
      block[length - 1] = 0n;
      block.set(vector.subarray(limb * width, (limb + 1) * width));
      return integer.isCanonical(address, length, prime) === 1;
    });
  } finally {
    arena.release(mark);
  }
}
