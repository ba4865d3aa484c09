import type { ParameterSet } from '../../ring/parameters.ts';
import type { Committee } from '../../sharing/committee.ts';
import { keyNorms, root } from '../key-norms.ts';
import { binomialBound } from '../sampling.ts';
import { kzgParameters } from './parameters.ts';

/**
 * The noise of a ciphertext that comes with a kzg proof: at the first level, under a key of the committee.
 *
 * It is w/t + e·u + e1·s with e and s of the key. u is ternary and e1 within 21, so that ‖u‖ ≤ √N and
 * ‖e1‖ ≤ 21·√N; |w| ≤ wBound, which is 21·t + t/2 rounded up to the next power of the table's size.
 *
 * @throws ProofError the codes of `kzgParameters`
 */
export function kzgNoise(set: ParameterSet, committee: Committee): bigint {
  const { wBound } = kzgParameters(set);
  const { error, secret } = keyNorms(set, committee);
  const degree = BigInt(set.degree);
  const u = root(degree);
  const e1 = root(degree * BigInt(binomialBound) ** 2n);
  return (wBound + set.plainModulus - 1n) / set.plainModulus + error * u + secret * e1;
}
