import { createHash } from 'node:crypto';

import type { Hex } from 'viem';

import { isNetError, NetError, NetErrorCode } from '../errors.ts';
import {
  answer,
  ask as askOnce,
  untilAnswered,
  type LongAnswer,
  type Provider,
} from '../exchange/index.ts';
import type { Host } from '../host/index.ts';
import { decodeQuestion, encodeQuestion, protocol, questionBytes } from './codec.ts';

/** Finds the bytes with this SHA-256. */
export type BlobProvider = Provider<Hex, Uint8Array | LongAnswer>;

export interface BlobOptions {
  readonly signal: AbortSignal;
  /** Longest blob that the asker takes. */
  readonly maxBytes: number;
}

/** Answers questions for blobs with what `provider` finds. */
export async function register(host: Host, provider: BlobProvider): Promise<void> {
  await answer(host, protocol, questionBytes, (peerId, bytes, signal) =>
    provider(peerId, decodeQuestion(bytes), signal),
  );
}

/**
 * Asks a peer once for the bytes whose SHA-256 is `digest`. Hashes them as they arrive.
 *
 * Throws `digestMismatch` when the peer sent others, `blobTooLong` when it announced more than
 * `maxBytes`, which the digest does not rule out.
 */
export async function ask(
  host: Host,
  peerId: string,
  digest: Hex,
  { signal, maxBytes }: BlobOptions,
): Promise<Uint8Array> {
  const question = encodeQuestion(digest);
  const hash = createHash('sha256');
  let blob: Uint8Array;
  try {
    blob = await askOnce(host, peerId, protocol, question, {
      signal,
      maxBytes,
      onChunk: (chunk) => hash.update(chunk),
    });
  } catch (error) {
    if (!isNetError(error, NetErrorCode.answerTooLong)) throw error;
    throw new NetError(NetErrorCode.blobTooLong, 'The blob is longer than the asker takes', {
      metadata: { peerId, digest, maxBytes },
    });
  }
  if (!hash.digest().equals(question)) {
    throw new NetError(NetErrorCode.digestMismatch, 'The blob has another digest', {
      metadata: { peerId, digest },
    });
  }
  return blob;
}

/** Asks for a blob until the peer answers, refuses or breaks the protocol, or `signal` aborts. */
export async function askUntilAnswered(
  host: Host,
  peerId: string,
  digest: Hex,
  options: BlobOptions,
): Promise<Uint8Array> {
  return untilAnswered(host, peerId, options.signal, () => ask(host, peerId, digest, options));
}
