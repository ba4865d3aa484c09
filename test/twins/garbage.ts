import { createHash } from 'node:crypto';
import type { Conduct } from '../../workers/protocols/opening.ts';

/** Pseudorandom well-formed residues; the same for every peer, different for each liar. */
export const garbage: Conduct = (share, { opening }) => {
  const { primes, width } = opening.shape;
  const stream = createHash('shake128', { outputLength: 8 * share.length })
    .update(share)
    .digest();
  return share.map((_, at) => {
    const prime = primes[Math.floor(at / width) % primes.length];
    return stream.readBigUInt64LE(8 * at) % prime;
  });
};
