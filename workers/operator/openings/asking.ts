import { isNetError, type NetError } from '../../net/errors.ts';
import type { Peer } from '../committee/seat.ts';

/** What became of a question to one peer. */
export interface Answer<T> {
  readonly peer: Peer;
  /** Absent when the peer will not answer. */
  readonly value?: T;
  /** Why there is no value; its verdict says what to make of the peer. */
  readonly error?: NetError;
}

/**
 * Asks all peers at once and yields their answers as they come.
 *
 * Ends when every peer has answered or failed for good. Peers that are merely away keep it waiting;
 * leaving the loop withdraws what is still open. Throws the signal's reason when that is aborted.
 */
export async function* askAll<T>(
  peers: readonly Peer[],
  ask: (peer: Peer, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): AsyncGenerator<Answer<T>> {
  const withdraw = new AbortController();
  const both = AbortSignal.any([signal, withdraw.signal]);
  const open = new Map(
    peers.map((peer) => [
      peer.index,
      ask(peer, both).then(
        (value): Answer<T> => ({ peer, value }),
        (error: unknown): Answer<T> => {
          if (isNetError(error)) return { peer, error };
          throw error;
        },
      ),
    ]),
  );
  try {
    while (open.size > 0) {
      const answer = await Promise.race(open.values());
      signal.throwIfAborted();
      open.delete(answer.peer.index);
      yield answer;
    }
  } finally {
    withdraw.abort();
    for (const pending of open.values()) pending.catch(() => undefined);
  }
}
