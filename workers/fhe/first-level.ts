import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import { firstLimbs } from './ciphertext.ts';
import { FheError, FheErrorCode } from './errors.ts';
import { decryptionPlan, type NoiseLimit } from './noise.ts';
import { modulusOf, noiseAfterSwitching } from './noise-growth.ts';

/** A level, and a bound there. */
interface Bound {
  readonly limbs: number;
  /** b: the noise is below 2^b. */
  readonly noiseBits: number;
}

/**
 * The noise bound that the chain is told, at the first level, for a bound at a ciphertext's own level.
 * Source: docs/noise.md, Plans.
 *
 * @throws FheError NOISE_TOO_LARGE, with the numbers, above the limit of that level; NOISE_NEVER_FITS
 */
export function noiseBitsAtFirstLevel(
  set: ParameterSet,
  committee: Committee,
  { limbs, noiseBits }: Bound,
): number {
  const { limits, maxNoiseBits } = decryptionPlan(set, committee);
  const limit = limitOf(limits, limbs);
  if (noiseBits > limit.maxNoiseBits)
    throw tooLarge(
      `noise of ${noiseBits} bits at ${limbs} primes; at most ${limit.maxNoiseBits} may be decrypted`,
      { limbs, noiseBits, maxNoiseBits: limit.maxNoiseBits },
    );
  const noise = (1n << BigInt(noiseBits)) * droppedPrimes(set, limbs) - 1n;
  // A level switch rounds, so the limit up there may be a bit below that of this level times the primes.
  return Math.min(bitLength(noise), maxNoiseBits);
}

/**
 * The other way: a bound at a ciphertext's own level, for what the chain says of it. The chain's may be the
 * bound before it was switched down, or the limit up there instead of more.
 *
 * @throws FheError NOISE_TOO_LARGE below the decryption level; NOISE_NEVER_FITS
 */
export function noiseAtOwnLevel(
  set: ParameterSet,
  committee: Committee,
  { limbs, noiseBits }: Bound,
): bigint {
  const { limits, maxNoiseBits } = decryptionPlan(set, committee);
  const { maxNoise } = limitOf(limits, limbs);
  if (limbs < firstLimbs(set) && noiseBits >= maxNoiseBits) return maxNoise;
  return noiseAfterSwitching(set, committee, 1n << BigInt(noiseBits), firstLimbs(set), limbs);
}

/** Least b with x < 2^b. */
export const bitLength = (x: bigint): number => (x === 0n ? 0 : x.toString(2).length);

function limitOf(limits: readonly NoiseLimit[], limbs: number): NoiseLimit {
  const limit = limits.find((one) => one.limbs === limbs);
  if (limit !== undefined) return limit;
  throw tooLarge(`a ciphertext of ${limbs} primes is below the decryption level`, {
    ...{ limbs, fewestLimbs: limits[0].limbs },
  });
}

const droppedPrimes = (set: ParameterSet, limbs: number): bigint =>
  modulusOf(set, firstLimbs(set)) / modulusOf(set, limbs);

const tooLarge = (message: string, metadata: Record<string, number>): FheError =>
  new FheError(
    FheErrorCode.NOISE_TOO_LARGE,
    `${message}: compute less, or stay at a higher level (docs/noise.md has the limits)`,
    { metadata },
  );
