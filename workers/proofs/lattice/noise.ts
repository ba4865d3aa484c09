import { secretBound } from '../../fhe/noise-growth.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import type { Committee } from '../../sharing/committee.ts';
import { binomialBound } from '../sampling.ts';
import { latticeParameters, type LatticeParameters } from './parameters.ts';

// What a lattice proof guarantees of 2c, in exact integers, rounded up; docs/input-proofs.md derives each
// line.

/** Bits of work of who chooses streams, and of what may go wrong for all streams it could choose. */
const WORK_BITS = 128n;
const FAILURE_BITS = 128n;

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

/**
 * Euclidean norms of a committee's secret and of the error of its public key, sums of one polynomial per
 * set: ternary, of variance 2/3, and binomial, of variance 21/2. Malicious operators choose all sets' streams
 * but one, and so does a requester who chooses the key's label, among those that they can compute. The bounds
 * hold for all these choices but with probability 2^-128, or always where they meet the largest values.
 */
export function keyNorms(
  set: ParameterSet,
  committee: Committee,
): { readonly secret: bigint; readonly error: bigint } {
  const degree = BigInt(set.degree);
  const count = secretBound(committee);
  // ln 2 < 0.6932
  const x = ((WORK_BITS * (count + 1n) + FAILURE_BITS) * 6932n) / 10_000n + 1n;
  // Per unit of variance, with probability 1 - e^-x: Hsu, Kakade, Zhang (2012), theorem 2.1.
  const tail = degree + 2n * root(degree * x) + 2n * x;
  const norm = (numerator: bigint, denominator: bigint, most: bigint): bigint => {
    const probable = (numerator * count * tail) / denominator + 1n;
    const certain = degree * (most * count) ** 2n;
    return root(probable < certain ? probable : certain);
  };
  return { secret: norm(2n, 3n, 1n), error: norm(21n, 2n, BigInt(binomialBound)) };
}

/** The least integer whose square is at least x. */
function root(x: bigint): bigint {
  let low = 0n;
  let high = 1n << BigInt(x.toString(2).length);
  while (low < high) {
    const middle = (low + high) / 2n;
    if (middle * middle >= x) high = middle;
    else low = middle + 1n;
  }
  return low;
}
