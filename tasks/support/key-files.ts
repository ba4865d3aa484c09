import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Hex } from 'viem';

import { CONFIRMATION_PATIENCE_MS, fetchBlob } from '../../sdk/index.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import {
  entryLength,
  galoisKeys,
  galoisKeysLength,
  relinearizationKeys,
  relinearizationKeysLength,
  switchingKeys,
} from '../../workers/fhe/evaluation-keys.ts';
import { galoisElements } from '../../workers/fhe/galois-elements.ts';
import type { EvaluationKeyRequest } from '../../workers/protocols/evaluation-keys.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import {
  evaluationKeysIdOf,
  evaluationKeysOf,
  listEvaluationKeys,
  recordedKeys,
  type RecordedEntry,
} from './evaluation-keys.ts';
import type { Gateway } from './gateway.ts';
import { activeKeyOf, parametersOf, type Key } from './keys.ts';

/** A SEAL file that is on its way: parts of it, one after the other, never the whole. */
export interface KeyFile {
  /** Bytes of the whole. */
  readonly length: number;
  /** The recorded entries that it is made of, in order. */
  readonly entries: readonly RecordedEntry[];
  readonly parts: AsyncIterable<Uint8Array>;
}

/** Which evaluation keys a file is to hold. */
export type KeyFileContent =
  | { readonly kind: 'relinearization' }
  /** All that are recorded, or those of the steps. */
  | { readonly kind: 'galois'; readonly steps?: 'default' | readonly number[] }
  /** From `sourceKeyId` to the key the file is of. */
  | { readonly kind: 'switching'; readonly sourceKeyId: Hex };

/**
 * A SEAL file of recorded evaluation keys. Entries are downloaded one by one as their turn comes, and
 * each is accepted only with the digest that is on chain.
 * @param options.patienceMs how long to go on asking for an entry that no operator has
 * @throws ClientError `UNKNOWN_KEY`, `KEY_NOT_ACTIVE`, `EVALUATION_KEYS_MISSING`, `RESULT_MISMATCH`;
 * FheError `GALOIS_STEP_INVALID`; the parts: SdkError `BLOB_UNAVAILABLE`, FheError for an entry of
 * another length
 */
export async function keyFileOf(
  gateway: Gateway,
  keyId: Hex,
  content: KeyFileContent,
  { patienceMs = CONFIRMATION_PATIENCE_MS }: { patienceMs?: number } = {},
): Promise<KeyFile> {
  const key = await activeKeyOf(gateway, keyId);
  const set = parametersOf(key);
  const members = await membersOf(gateway, await epochOf(gateway, key.epochId));
  const endpoints = members.map(({ endpoint }) => endpoint);
  // Who fails at one entry of a file is not waited for at the next one.
  const failed = new Set<string>();
  const download = async function* ({ digest }: RecordedEntry): AsyncGenerator<Uint8Array> {
    yield await fetchBlob(endpoints, digest, {
      ...{ maxBytes: entryLength(set), patienceMs, failed },
    });
  };
  switch (content.kind) {
    case 'relinearization': {
      const [entry] = await entriesWith(gateway, key, { kind: 'relinearization', keyId });
      const length = relinearizationKeysLength(set);
      return { length, entries: [entry], parts: relinearizationKeys(set, download(entry)) };
    }
    case 'switching': {
      const { sourceKeyId } = content;
      const [entry] = await entriesWith(gateway, key, {
        kind: 'switching',
        keyId: sourceKeyId,
        targetKeyId: keyId,
      });
      const length = galoisKeysLength(set, 1);
      return { length, entries: [entry], parts: switchingKeys(set, download(entry)) };
    }
    case 'galois': {
      const wanted =
        content.steps === undefined ? undefined : galoisElements(set.degree, content.steps);
      const entries = await galoisEntries(gateway, keyId, wanted);
      const listed = entries.map((entry) => ({ element: entry.element, entry: download(entry) }));
      const length = galoisKeysLength(set, entries.length);
      return { length, entries, parts: galoisKeys(set, listed) };
    }
  }
}

/**
 * Writes a file part by part, under another name until it is whole.
 * @param onBytes is told how many bytes are written so far
 */
export async function writeKeyFile(
  path: string,
  { parts }: Pick<KeyFile, 'parts'>,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const unfinished = `${path}.part`;
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      yield part;
      bytes += part.length;
      onBytes(bytes);
    }
  };
  try {
    await pipeline(Readable.from(counted(), { objectMode: true }), createWriteStream(unfinished));
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
}

/** The one entry of a kind that has one. */
async function entriesWith(
  gateway: Gateway,
  key: Key,
  wanted: EvaluationKeyRequest,
): Promise<RecordedEntry[]> {
  const requestId = evaluationKeysIdOf(gateway, key, wanted);
  try {
    return (await recordedKeys(gateway, await evaluationKeysOf(gateway, requestId))).entries;
  } catch (cause) {
    if (!isKeyloomError(cause, ClientErrorCode.UNKNOWN_ID)) throw cause;
    throw missing(`the ${wanted.kind} key has not been asked for`, cause);
  }
}

/**
 * Recorded entries of Galois elements, ascending; whichever request an entry was made for, it is the
 * same.
 */
async function galoisEntries(
  gateway: Gateway,
  keyId: Hex,
  wanted: readonly number[] | undefined,
): Promise<RecordedEntry[]> {
  const requests = (await listEvaluationKeys(gateway, keyId)).filter(
    ({ kind, state }) => kind === 'galois' && state === 'Recorded',
  );
  const recorded = await Promise.all(requests.map((request) => recordedKeys(gateway, request)));
  const byElement = new Map(
    recorded.flatMap(({ entries }) => entries.map((entry) => [entry.element, entry])),
  );
  const elements = wanted ?? [...byElement.keys()].sort((a, b) => a - b);
  const entries = elements.flatMap((element) => byElement.get(element) ?? []);
  if (entries.length > 0 && entries.length === elements.length) return entries;
  const lacking = elements.filter((element) => !byElement.has(element));
  throw missing(
    lacking.length === 0
      ? 'no Galois key is recorded'
      : `Galois keys are not recorded for the elements ${lacking.join(', ')}`,
  );
}

const missing = (message: string, cause?: unknown): ClientError =>
  new ClientError(ClientErrorCode.EVALUATION_KEYS_MISSING, message, {
    advice:
      'Ask with `kms keygen --relin --galois …`, or `kms keyswitch`; `kms key status` lists them.',
    cause,
  });
