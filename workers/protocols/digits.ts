import { linearCombination } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { digitsOf } from '../fhe/evaluation-keys.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';

/** @throws ProtocolError DIGIT_OUT_OF_RANGE */
export function requireDigit(set: ParameterSet, digit: number): void {
  const digits = digitsOf(set);
  if (!Number.isInteger(digit) || digit < 0 || digit >= digits) {
    throw new ProtocolError(ProtocolErrorCode.DIGIT_OUT_OF_RANGE, 'the key has no such digit', {
      metadata: { digit, digits },
    });
  }
}

/**
 * x + P·s in limb `digit`, x in all others: what digit d of a key that switches from s encrypts.
 *
 * P is the special prime, which SEAL divides by after it has multiplied with the digit.
 *
 * @param x NTT form over all primes; mutated, returned
 * @param s NTT form over all primes, secret
 */
export function addDigit(set: ParameterSet, digit: number, x: RnsVector, s: RnsVector): RnsVector {
  const { primes } = basisOf(set);
  const prime = primes[digit];
  const limb = x.subarray(digit * set.degree, (digit + 1) * set.degree);
  const term = s.subarray(digit * set.degree, (digit + 1) * set.degree);
  limb.set(linearCombination([prime], [limb, term], [[1n, primes.at(-1)! % prime]]));
  return x;
}
