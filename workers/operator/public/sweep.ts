import type { Hex } from 'viem';

import type { Store } from '../../store/store.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { Log } from '../log.ts';
import type { PendingBlobs } from '../registration/pending-blobs.ts';
import { pause } from '../waiting.ts';
import { digestsIn } from './objects.ts';

/** How long after a request's deadline its answers and the user's key are kept: 7 days, in seconds. */
export const KEPT_AFTER_DEADLINE = 7n * 86_400n;

/** How often is swept. */
const SWEEP_EVERY_MS = 3_600_000;

/**
 * Drops what requests for user decryptions have left behind: answers, recorded or not, and users' keys;
 * and of ceremonies that are over all files but that of the result.
 *
 * Requests cost those who make them gas, and operators room. Answers are for one user, who has had time
 * to fetch them, and the same request would give the same bytes again. What the chain names for another
 * reason, or for a later request, stays.
 *
 * @param now timestamp in seconds
 */
export async function sweepBlobs(store: Store, chain: ChainState, now: bigint): Promise<void> {
  const needed = new Set<Hex>();
  const done = new Set<Hex>();
  for (const request of chain.now.userDecryptions.values()) {
    const { requestId, deadline, publicKeyDigest, result = '0x' } = request;
    const group = deadline + KEPT_AFTER_DEADLINE < now ? done : needed;
    group.add(publicKeyDigest);
    for (const digest of digestsIn(result)) group.add(digest);
    for (const digest of store.entries.list(requestId)) group.add(digest);
  }
  for (const { requestId, state, contributions } of chain.now.ceremonies.values()) {
    if (state === 'pending') continue;
    for (const digest of store.entries.list(requestId)) done.add(digest);
    // The file of the result holds what came before it.
    if (state === 'recorded') needed.add(contributions.at(-1)!.next.digest);
  }
  for (const digest of done)
    if (!needed.has(digest) && !chain.publicDigests.isLasting(digest))
      await store.blobs.remove(digest);
}

/** Sweeps now and every hour, registrations that wait for the chain too, until the signal aborts. */
export async function keepSwept(
  store: Store,
  chain: ChainState,
  pending: PendingBlobs,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const now = BigInt(Math.floor(Date.now() / 1_000));
    await Promise.all([sweepBlobs(store, chain, now), pending.sweep(now)]).catch((error: unknown) =>
      log.error({ err: error }, 'blobs cannot be swept'),
    );
    await pause(SWEEP_EVERY_MS, signal).catch(() => undefined);
  }
}
