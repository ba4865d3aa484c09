import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import { centredScalar } from './scalars.ts';

// What encrypting, computing and moving between levels and keys do to the noise of a ciphertext
// under a key of a committee. Exact integer arithmetic on worst-case bounds of infinity norms, for
// SEAL's algorithms and our keys; docs/noise.md derives each line.

/** Largest value of SEAL's error distribution and of ours: centred binomial with η = 21. */
const errorBound = 21n;

/** Evaluation keys: for s², for the automorphism of a Galois element, for another key. */
export type EvaluationKeyKind = 'relinearization' | 'galois' | 'switching';

/** |s| and |u|: a sum of one ternary polynomial per set. */
export function secretBound(committee: Committee): bigint {
  return BigInt(committee.sets.length);
}

/** Product of the first `limbs` primes. */
export function modulusOf(set: ParameterSet, limbs: number): bigint {
  return set.primes.slice(0, limbs).reduce((product, prime) => product * prime, 1n);
}

/**
 * Rounding both polynomials of a ciphertext to integers. Each changes by at most 1/2, the second is
 * multiplied by s: (1 + N·|s|)/2.
 */
export function roundingNoise(set: ParameterSet, committee: Committee): bigint {
  return (2n + BigInt(set.degree) * secretBound(committee)) / 2n;
}

/**
 * A fresh encryption by SEAL, at the first level.
 *
 * SEAL encrypts over all primes with ternary u and errors e0, e1, divides by the special prime and
 * adds round(q·m/t).
 */
export function freshNoiseBound(set: ParameterSet, committee: Committee): bigint {
  const degree = BigInt(set.degree);
  const secret = secretBound(committee);
  const keyError = errorBound * secret;
  const atKeyLevel = degree * keyError + errorBound + degree * errorBound * secret;
  return afterOneSwitch(set, committee, atKeyLevel, set.primes.at(-1)!) + plaintextNoise;
}

/**
 * A ciphertext switched down, one prime after the other.
 *
 * @param noise bound at the level of `from` limbs
 * @returns bound at the level of `to` limbs; `noise` itself if that is the same
 */
export function noiseAfterSwitching(
  set: ParameterSet,
  committee: Committee,
  noise: bigint,
  from: number,
  to: number,
): bigint {
  let bound = noise;
  for (let limbs = from; limbs > to; limbs--) {
    bound = afterOneSwitch(set, committee, bound, set.primes[limbs - 1]);
  }
  return bound;
}

/** A sum or difference of ciphertexts at one level, or with a plaintext. */
export function noiseOfSum(...noises: readonly bigint[]): bigint {
  return noises.reduce((sum, noise) => sum + noise, 0n);
}

/** A ciphertext times any plaintext. */
export function noiseOfPlainProduct(set: ParameterSet, noise: bigint): bigint {
  return BigInt(set.degree) * (set.plainModulus / 2n) * noise;
}

/** A ciphertext times a constant of one coefficient, as `multiplyScalar` multiplies. */
export function noiseOfScalarProduct(set: ParameterSet, scalar: bigint, noise: bigint): bigint {
  const factor = centredScalar(set, scalar);
  return (factor < 0n ? -factor : factor) * noise;
}

/** Adding a plaintext: SEAL rounds q·m/t, which is off by less than 1. */
export const plaintextNoise = 1n;

/**
 * A product of two ciphertexts of two polynomials each, before relinearization: three polynomials.
 *
 * @param limbs level of both
 */
export function noiseOfProduct(
  set: ParameterSet,
  committee: Committee,
  limbs: number,
  left: bigint,
  right: bigint,
): bigint {
  const degree = BigInt(set.degree);
  const norm = degree * secretBound(committee);
  // |t·(c0 + c1·s)/q|: SEAL lifts each coefficient to at most q·(1/2 + limbs/2^32).
  const lifted = set.plainModulus * ((1n << 31n) + BigInt(limbs)) * (1n + norm);
  const scaled = (lifted >> 32n) + 1n;
  const crossed = degree * (left + right) * scaled;
  const squared = (set.plainModulus * degree * left * right) / modulusOf(set, limbs) + 1n;
  // SEAL's division by q is off by less than its number of primes.
  const rounding = BigInt(limbs) * (1n + norm + norm * norm);
  return crossed + squared + rounding;
}

/**
 * Largest error e of one digit of an evaluation key made by the committee: the digit is a pair
 * (b, a) with b + a·s = P·s'·[limb] + e. See docs/noise.md, "Evaluation keys".
 */
export function evaluationKeyError(
  set: ParameterSet,
  committee: Committee,
  kind: EvaluationKeyKind,
): bigint {
  const secret = secretBound(committee);
  const summand = errorBound * secret;
  if (kind !== 'relinearization') return summand;
  // s·e0 + u·e1 + e2
  return summand * (2n * BigInt(set.degree) * secret + 1n);
}

/**
 * What relinearizing, applying a Galois element or switching to another key adds to the noise.
 *
 * @param limbs level of the ciphertext: one digit for each of its primes
 */
export function keySwitchingNoise(
  set: ParameterSet,
  committee: Committee,
  limbs: number,
  kind: EvaluationKeyKind,
): bigint {
  const error = evaluationKeyError(set, committee, kind);
  const digits = set.primes.slice(0, limbs).reduce((sum, prime) => sum + (prime - 1n), 0n);
  const special = set.primes.at(-1)!;
  const fromErrors = (BigInt(set.degree) * digits * error + special - 1n) / special;
  return fromErrors + roundingNoise(set, committee);
}

/**
 * What re-encryption to a user adds: v·e_user + e0 + e1·s_user for a user key as SEAL makes it, with
 * a ternary secret.
 */
export function reencryptionNoise(set: ParameterSet, committee: Committee): bigint {
  return (2n * BigInt(set.degree) + 1n) * secretBound(committee) * errorBound;
}

function afterOneSwitch(
  set: ParameterSet,
  committee: Committee,
  noise: bigint,
  dropped: bigint,
): bigint {
  return (noise + dropped - 1n) / dropped + roundingNoise(set, committee);
}
