import type { Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { ask } from '../../net/blobs/index.ts';
import { isNetError } from '../../net/errors.ts';
import type { Host } from '../../net/host/index.ts';
import { StoreErrorCode } from '../../store/errors.ts';
import type { Store } from '../../store/store.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { pause } from '../waiting.ts';

/** How long a peer's answer is waited for before the next peer is asked, too. */
const PATIENCE_MS = 2_000;
/** How long those that have neither answered nor refused may take once all have been asked. */
const LAST_PATIENCE_MS = 8_000;

/**
 * A public blob: from the own store, or from the first peer that has it.
 *
 * Operators serve each other the inputs, so a requester cannot give different bytes to different
 * operators: the digest on chain names one byte string.
 *
 * @param maxBytes longest blob that can have a use here
 * @throws OperatorError BLOB_UNAVAILABLE if nobody has it now
 */
export async function fetchBlob(
  { store, host }: { store: Store; host: Host },
  peerIds: readonly string[],
  digest: Hex,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const held = await unlessGone(store.blobs.get(digest));
  if (held !== undefined) return held;
  const bytes = await firstAnswer(peerIds, signal, (peerId, open) =>
    ask(host, peerId, digest, { signal: open, maxBytes }),
  );
  if (bytes !== undefined) {
    await store.blobs.put(bytes);
    return bytes;
  }
  throw new OperatorError(
    OperatorErrorCode.BLOB_UNAVAILABLE,
    'no operator that can be reached has this blob; upload it to one',
    { metadata: { digest } },
  );
}

/** A blob of the own store, or undefined if it is not there or damaged. */
export async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const gone =
      isKeyloomError(error, StoreErrorCode.BLOB_MISSING) ||
      isKeyloomError(error, StoreErrorCode.BLOB_CORRUPT);
    if (!gone) throw error;
    return undefined;
  }
}

/**
 * Asks one peer after the other: the next one as soon as one fails, or after a while without an
 * answer, so that a silent peer delays little. Undefined if all have failed or take too long.
 */
async function firstAnswer(
  peerIds: readonly string[],
  signal: AbortSignal,
  ask: (peerId: string, signal: AbortSignal) => Promise<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const over = new AbortController();
  const open = AbortSignal.any([signal, over.signal]);
  const asked = new Set<Promise<Uint8Array | undefined>>();
  try {
    for (const peerId of peerIds) {
      const answer = ask(peerId, open).catch((error: unknown) => {
        asked.delete(answer);
        if (!isNetError(error)) throw error;
        return undefined;
      });
      asked.add(answer);
      const found = await Promise.race([...asked, pause(PATIENCE_MS, open)]);
      if (found) return found;
    }
    let isOver = false;
    const enough = pause(LAST_PATIENCE_MS, open).then(() => void (isOver = true));
    enough.catch(() => undefined);
    while (asked.size > 0 && !isOver) {
      const found = await Promise.race([...asked, enough]);
      if (found) return found;
    }
    return undefined;
  } finally {
    over.abort();
  }
}
