import { secretBound } from '../fhe/noise-growth.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import { binomialBound } from './sampling.ts';

/** Bits of work of who chooses streams, and of what may go wrong for all streams it could choose. */
const WORK_BITS = 128n;
const FAILURE_BITS = 128n;

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
export function root(x: bigint): bigint {
  let low = 0n;
  let high = 1n << BigInt(x.toString(2).length);
  while (low < high) {
    const middle = (low + high) / 2n;
    if (middle * middle >= x) high = middle;
    else low = middle + 1n;
  }
  return low;
}
