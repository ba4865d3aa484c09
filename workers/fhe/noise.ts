import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import { firstLimbs } from './ciphertext.ts';
import { FheError, FheErrorCode } from './errors.ts';
import {
  freshNoiseBound,
  keySwitchingNoise,
  modulusOf,
  noiseAfterSwitching,
  noiseOfProduct,
  noiseOfSum,
  reencryptionNoise,
  roundingNoise,
  secretBound,
} from './noise-growth.ts';

export { freshNoiseBound } from './noise-growth.ts';

// How much noise a committee may decrypt, and what that leaves to compute. docs/noise.md derives
// each line.

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
 * The decryption level, flooding and noise limits of a parameter set with a committee: for public
 * decryption and for decryption by one user alike.
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
  const known = plans.get(set) ?? new Map<number, DecryptionPlan>();
  plans.set(set, known);
  const plan = known.get(committee.n) ?? computePlan(set, committee);
  known.set(committee.n, plan);
  return plan;
}

/** By the committee's size. Integers of hundreds of bits, and asked for with each ciphertext. */
const plans = new WeakMap<ParameterSet, Map<number, DecryptionPlan>>();

function computePlan(set: ParameterSet, committee: Committee): DecryptionPlan {
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
 * How many multiplications may follow one another, each relinearized with a key of the committee:
 * the depth of a tree of products of fresh ciphertexts, at the first level, that the committee
 * decrypts whatever the ciphertexts are.
 *
 * @param fresh bound on the noise of those ciphertexts; by default of SEAL's own encryptions
 * @throws FheError NOISE_NEVER_FITS
 */
export function multiplicationsPossible(
  set: ParameterSet,
  committee: Committee,
  fresh: bigint = freshNoiseBound(set, committee),
): number {
  const { maxNoiseBits } = decryptionPlan(set, committee);
  const next = (noise: bigint): bigint => noiseOfRelinearizedSquare(set, committee, noise);
  let noise = next(fresh);
  let depth = 0;
  for (; noise < 1n << BigInt(maxNoiseBits); noise = next(noise)) depth++;
  return depth;
}

/** A product at the first level of two ciphertexts with the same noise, relinearized. */
export function noiseOfRelinearizedSquare(
  set: ParameterSet,
  committee: Committee,
  noise: bigint,
): bigint {
  const limbs = firstLimbs(set);
  return noiseOfSum(
    noiseOfProduct(set, committee, limbs, noise, noise),
    keySwitchingNoise(set, committee, limbs, 'relinearization'),
  );
}

/**
 * True if a ciphertext at the given level decrypts whatever the flooding noise is, for everybody and
 * for a user alone, also by SEAL: |flooding| + |re-encryption| + noise < q'/(2t)·(1 - 2·limbs/γ).
 */
export function decryptsCorrectly(
  set: ParameterSet,
  committee: Committee,
  limbs: number,
  floodBits: number,
  noise: bigint,
): boolean {
  const flooding = secretBound(committee) << BigInt(floodBits);
  const total = noiseOfSum(flooding, reencryptionNoise(set, committee), noise);
  const gamma = 1n << sealGammaBits;
  return (
    2n * set.plainModulus * total * gamma < modulusOf(set, limbs) * (gamma - 2n * BigInt(limbs))
  );
}

/** SEAL rounds with an auxiliary prime γ of 61 bits, which costs less than 2·limbs/γ of the room. */
const sealGammaBits = 60n;

/** Largest noise that one set's flooding hides: 2^B ≥ 2^λ·N·noise. */
export function hiddenNoise(set: ParameterSet, floodBits: number): bigint {
  return (1n << BigInt(floodBits)) / (BigInt(set.degree) << BigInt(set.lambda));
}

/** Largest B at which all noise that it hides decrypts correctly; 0 if there is none. */
function largestFloodBits(set: ParameterSet, committee: Committee, limbs: number): number {
  let bits = modulusOf(set, limbs).toString(2).length;
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
      maxNoise = (maxNoise - roundingNoise(set, committee)) * set.primes[limbs - 1];
    }
    limits.push({ limbs, maxNoise, maxNoiseBits: (maxNoise + 1n).toString(2).length - 1 });
  }
  return limits;
}
