import { firstLimbs } from '../../workers/fhe/ciphertext.ts';
import { decryptionPlan } from '../../workers/fhe/noise.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import type { Committee } from '../../workers/sharing/committee.ts';
import { ClientError, ClientErrorCode } from './errors.ts';

/**
 * The noise bound that the chain is told, at the first level, for a bound at a ciphertext's own level.
 * Source: docs/noise.md, Plans.
 *
 * @param noiseBits b: the noise is below 2^b at the level of `limbs` primes
 * @throws ClientError `NOISE_TOO_LARGE` above the limit of that level; FheError NOISE_NEVER_FITS
 */
export function noiseBitsAtFirstLevel(
  set: ParameterSet,
  committee: Committee,
  { limbs, noiseBits }: { limbs: number; noiseBits: number },
): number {
  const { limits, maxNoiseBits } = decryptionPlan(set, committee);
  const limit = limits.find((one) => one.limbs === limbs);
  if (limit === undefined)
    throw tooLarge(`a ciphertext of ${limbs} primes is below the decryption level`, {
      ...{ limbs, fewestLimbs: limits[0].limbs },
    });
  if (noiseBits > limit.maxNoiseBits)
    throw tooLarge(
      `noise of ${noiseBits} bits at ${limbs} primes; at most ${limit.maxNoiseBits} may be decrypted`,
      { limbs, noiseBits, maxNoiseBits: limit.maxNoiseBits },
    );
  const dropped = set.primes.slice(limbs, firstLimbs(set));
  const noise = dropped.reduce((product, prime) => product * prime, 1n << BigInt(noiseBits)) - 1n;
  // A level switch rounds, so the limit up there may be a bit below that of this level times the primes.
  return Math.min(noise.toString(2).length, maxNoiseBits);
}

const tooLarge = (message: string, metadata: Record<string, number>): ClientError =>
  new ClientError(ClientErrorCode.NOISE_TOO_LARGE, message, {
    advice: 'Compute less, or stay at a higher level: docs/noise.md has the limits.',
    metadata,
  });
