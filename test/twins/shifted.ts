import type { Conduct } from '../../workers/protocols/opening.ts';

/** Adds one to a single residue: the smallest lie there is, and a well-formed share. */
export const shifted: Conduct = (share, { opening }) => {
  const lie = share.slice();
  lie[0] = (lie[0] + 1n) % opening.shape.primes[0];
  return lie;
};
