import type { ParameterSet } from '../../ring/parameters.ts';
import type { Committee } from '../../sharing/committee.ts';
import { keyNorms, root } from '../key-norms.ts';
import { latticeParameters, type LatticeParameters } from './parameters.ts';

// What a lattice proof guarantees of 2c, in exact integers, rounded up; docs/input-proofs.md derives each
// line.

/** Bounds of what any prover that convinces must know: 2·c1 = a·u + e1, 2·t·c0 = t·b·u + w. */
export interface ProvedNorms {
  /** Euclidean. */
  readonly u: bigint;
  /** Euclidean. */
  readonly e1: bigint;
  /** Largest coefficient. */
  readonly w: bigint;
}

/**
 * The norms of what can be extracted from a prover.
 *
 * With g = 2/(X^i - X^j), whose coefficients are -1, 0 and 1: u = g·(z - z'), and e1 and w are -g times
 * differences of two integers in one interval. Multiplying by g stretches by 1/sin(π/2N) < 2N/3 at most.
 */
export function provedNorms({ set, narrow, wide, normBound }: LatticeParameters): ProvedNorms {
  const degree = BigInt(set.degree);
  const stretch = (2n * degree + 2n) / 3n;
  const largest = (bits: number): bigint => (1n << BigInt(bits)) - 1n;
  return {
    u: stretch * 2n * root(BigInt(normBound)),
    e1: stretch * root(degree * largest(narrow.bits) ** 2n),
    w: degree * largest(wide.bits),
  };
}

/**
 * The noise of a registered ciphertext, a 2c, that comes with a lattice proof: at the first level, under
 * a key of the committee. It is w/t + e·u + e1·s with e and s of the key.
 *
 * @throws ProofError the codes of `latticeParameters`
 */
export function provedNoise(set: ParameterSet, committee: Committee): bigint {
  const { u, e1, w } = provedNorms(latticeParameters(set));
  const { error, secret } = keyNorms(set, committee);
  return (w + set.plainModulus - 1n) / set.plainModulus + error * u + secret * e1;
}
