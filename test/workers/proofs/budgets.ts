import { modulusOf } from '../../../workers/fhe/noise-growth.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';

/**
 * True if a ciphertext at the first level of this noise budget has noise below 2^bits.
 *
 * @param budget SEAL's, rounded down: the noise is at most q/(2t)·2^-budget
 */
export function isBelow(set: ParameterSet, budget: number, bits: number): boolean {
  const room = modulusOf(set, set.primes.length - 1) / (2n * set.plainModulus);
  return room >> BigInt(budget) < 1n << BigInt(bits);
}
