import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import { firstLimbs } from './ciphertext.ts';
import { FheError, FheErrorCode } from './errors.ts';

// Everything here is exact integer arithmetic on worst-case bounds of infinity norms. docs/noise.md
// derives each line.

/** Largest value of SEAL's error distribution and of ours: centred binomial with η = 21. */
const errorBound = 21n;

/** How much noise a ciphertext may have at one level to be decrypted by a committee. */
export interface NoiseLimit {
  readonly limbs: number;
  /** Largest guaranteed noise bound that may be decrypted. */
  readonly maxNoise: bigint;
  /** Largest b for which every bound below 2^b may be decrypted. */
  readonly maxNoiseBits: number;
}

/** How a committee decrypts under a parameter set: the same for all operators, and public. */
export interface DecryptionPlan {
  /** Number of primes of the level at which shares are made. */
  readonly limbs: number;
  /** B: each set's flooding noise is uniform in [-2^B, 2^B). */
  readonly floodBits: number;
  /** `maxNoiseBits` at the first level, where fresh ciphertexts are. */
  readonly maxNoiseBits: number;
  /** The limit at each level from `limbs` up to the first one. */
  readonly limits: readonly NoiseLimit[];
}

/**
 * The decryption level, flooding and noise limits of a parameter set with a committee.
 *
 * The level is the lowest at which a fresh ciphertext under the committee's key can be flooded; B
 * is the largest that still decrypts there; the limits are what secrecy leaves at that B.
 * Statistical security is the set's λ.
 *
 * Source: docs/noise.md; noise flooding as in G. Asharov et al. (EUROCRYPT 2012).
 *
 * @throws FheError NOISE_NEVER_FITS with the numbers of the first level
 */
export function decryptionPlan(set: ParameterSet, committee: Committee): DecryptionPlan {
  const fresh = freshNoiseBound(set, committee);
  for (let limbs = 1; limbs <= firstLimbs(set); limbs++) {
    const floodBits = largestFloodBits(set, committee, limbs);
    const hidden = hiddenNoise(set, floodBits);
    if (noiseAfterSwitching(set, committee, fresh, firstLimbs(set), limbs) > hidden) continue;
    const limits = noiseLimits(set, committee, limbs, hidden);
    return { limbs, floodBits, maxNoiseBits: limits.at(-1).maxNoiseBits, limits };
  }
  const floodBits = largestFloodBits(set, committee, firstLimbs(set));
  throw new FheError(FheErrorCode.NOISE_NEVER_FITS, 'no level has room for flooding noise', {
    metadata: {
      set: set.name,
      n: committee.n,
      lambda: set.lambda,
      freshNoise: fresh,
      floodBits,
      hiddenNoise: hiddenNoise(set, floodBits),
    },
  });
}

/**
 * Worst-case noise of a fresh encryption by SEAL under a key of the committee, at the first level.
 *
 * SEAL encrypts over all primes with ternary u and errors e0, e1, divides by the special prime and
 * adds round(q·m/t).
 */
export function freshNoiseBound(set: ParameterSet, committee: Committee): bigint {
  const degree = BigInt(set.degree);
  const secret = secretBound(committee);
  const keyError = errorBound * secret;
  const atKeyLevel = degree * keyError + errorBound + degree * errorBound * secret;
  const scalingError = 1n;
  return afterOneSwitch(set, committee, atKeyLevel, set.primes.at(-1)!) + scalingError;
}

/**
 * Worst-case noise after a ciphertext has been switched down, one prime after the other.
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

/**
 * True if a ciphertext at the given level decrypts whatever the flooding noise is:
 * C(n,t)·2^B + noise < q'/(2t).
 */
export function decryptsCorrectly(
  set: ParameterSet,
  committee: Committee,
  limbs: number,
  floodBits: number,
  noise: bigint,
): boolean {
  const flooding = secretBound(committee) << BigInt(floodBits);
  return 2n * set.plainModulus * (flooding + noise) < modulus(set, limbs);
}

/** Largest noise that one set's flooding hides: 2^B ≥ 2^λ·N·noise. */
export function hiddenNoise(set: ParameterSet, floodBits: number): bigint {
  return (1n << BigInt(floodBits)) / (BigInt(set.degree) << BigInt(set.lambda));
}

/** Largest B at which all noise that it hides decrypts correctly; 0 if there is none. */
function largestFloodBits(set: ParameterSet, committee: Committee, limbs: number): number {
  let bits = modulus(set, limbs).toString(2).length;
  const fits = (): boolean =>
    decryptsCorrectly(set, committee, limbs, bits, hiddenNoise(set, bits));
  while (bits > 0 && !fits()) bits--;
  return bits;
}

/** Inverts `noiseAfterSwitching` level by level, from the decryption level up. */
function noiseLimits(
  set: ParameterSet,
  committee: Committee,
  lowest: number,
  hidden: bigint,
): NoiseLimit[] {
  const limits: NoiseLimit[] = [];
  let maxNoise = hidden;
  for (let limbs = lowest; limbs <= firstLimbs(set); limbs++) {
    if (limbs > lowest) {
      maxNoise = (maxNoise - roundingBound(set, committee)) * set.primes[limbs - 1];
    }
    limits.push({ limbs, maxNoise, maxNoiseBits: (maxNoise + 1n).toString(2).length - 1 });
  }
  return limits;
}

function afterOneSwitch(
  set: ParameterSet,
  committee: Committee,
  noise: bigint,
  dropped: bigint,
): bigint {
  return (noise + dropped - 1n) / dropped + roundingBound(set, committee);
}

/** Both polynomials are rounded to within 1/2, the second is multiplied by s: (1 + N·|s|)/2. */
function roundingBound(set: ParameterSet, committee: Committee): bigint {
  return (2n + BigInt(set.degree) * secretBound(committee)) / 2n;
}

/** |s|: a sum of one ternary polynomial per set. */
function secretBound(committee: Committee): bigint {
  return BigInt(committee.sets.length);
}

function modulus(set: ParameterSet, limbs: number): bigint {
  return set.primes.slice(0, limbs).reduce((product, prime) => product * prime, 1n);
}
