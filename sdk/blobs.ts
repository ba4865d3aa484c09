import { sha256, type Hex } from 'viem';

import { SdkError, SdkErrorCode } from './errors.ts';
import { firstOf, type Attempt } from './hedging.ts';
import { refusalIn, request } from './http.ts';
import { poll } from './polling.ts';

const DOWNLOAD_TIMEOUT_MS = 30_000;
/** How long to wait for an operator before another one is asked, too. */
const HEDGE_MS = 2_000;
/** Operators hold an upload until its registration is confirmed, 60 s at most. */
const UPLOAD_TIMEOUT_MS = 120_000;
const UPLOAD_GRACE_MS = 3_000;
const BLOB_LIMIT_BYTES = 64 << 20;

/** The name of a blob: SHA-256 of its bytes. */
export function blobDigest(bytes: Uint8Array): Hex {
  return sha256(bytes);
}

/**
 * How long to ask for a blob that the chain has just named: operators serve it once they take the
 * block that names it as confirmed.
 */
export const CONFIRMATION_PATIENCE_MS = 60_000;

export interface FetchOptions {
  /** Its length if that is known: what a liar sends beyond is not even read. */
  maxBytes?: number;
  /** How long to go on asking while no operator has it; not at all if absent. */
  patienceMs?: number;
  /** How long without progress until the next operator is asked, too. */
  hedgeMs?: number;
  /** Endpoints to ask last. Those that fail or are too slow are added: to be given again next time. */
  failed?: Set<string>;
  signal?: AbortSignal;
}

/**
 * A blob from the first operator that serves it. Whatever an operator answers is accepted only if its
 * SHA-256 is `digest`, so it does not matter who is asked.
 * @throws SdkError `BLOB_UNAVAILABLE`, with one reason per endpoint in the message
 */
export async function fetchBlob(
  endpoints: readonly string[],
  digest: Hex,
  options: FetchOptions = {},
): Promise<Uint8Array> {
  let reasons: string[] = [];
  const { patienceMs = 0, signal } = options;
  return poll(
    async () => {
      reasons = [];
      return askForBlob(endpoints, digest, options, reasons);
    },
    { timeoutMs: patienceMs, signal },
    () =>
      new SdkError(
        SdkErrorCode.BLOB_UNAVAILABLE,
        `no operator serves blob ${digest}: ${reasons.join('; ')}`,
        { metadata: { digest } },
      ),
  );
}

/** One round over the endpoints; adds to `reasons` why each does not have it. */
async function askForBlob(
  endpoints: readonly string[],
  digest: Hex,
  { maxBytes = BLOB_LIMIT_BYTES, hedgeMs = HEDGE_MS, failed = new Set(), signal }: FetchOptions,
  reasons: string[],
): Promise<Uint8Array | undefined> {
  const attempt =
    (endpoint: string): Attempt<Uint8Array> =>
    async (over, onProgress) => {
      try {
        const { status, body } = await request(endpoint, pathOf(digest), {
          ...{ timeoutMs: DOWNLOAD_TIMEOUT_MS, maxBytes, onProgress },
          signal: signal === undefined ? over : AbortSignal.any([signal, over]),
        });
        if (status !== 200) reasons.push(`${endpoint}: status ${status}`);
        else if (blobDigest(body) !== digest.toLowerCase())
          reasons.push(`${endpoint}: other bytes than asked for`);
        else return body;
      } catch (cause) {
        signal?.throwIfAborted();
        reasons.push((cause as Error).message);
      }
      failed.add(endpoint);
      return undefined;
    };
  const ordered = [
    ...endpoints.filter((endpoint) => !failed.has(endpoint)),
    ...endpoints.filter((endpoint) => failed.has(endpoint)),
  ];
  return firstOf(ordered.map(attempt), { patienceMs: hedgeMs });
}

/**
 * Hands a registered blob to all operators at once that do not have it. Done when all have answered, or a little
 * after `needed` have it: with t+1 copies at least one is at an honest operator, which serves the
 * others.
 * @returns the endpoints that have it
 * @throws SdkError `BLOB_REFUSED`, with one reason per endpoint in the message
 */
export async function uploadBlob(
  endpoints: readonly string[],
  bytes: Uint8Array,
  options: { needed: number; graceMs?: number; signal?: AbortSignal },
): Promise<string[]> {
  const digest = blobDigest(bytes);
  const enough = new AbortController();
  const signal =
    options.signal === undefined ? enough.signal : AbortSignal.any([options.signal, enough.signal]);
  const accepted: string[] = [];
  const reasons: string[] = [];
  let grace: ReturnType<typeof setTimeout> | undefined;
  await Promise.all(
    endpoints.map(async (endpoint) => {
      try {
        const route = [endpoint, pathOf(digest)] as const;
        const common = { timeoutMs: UPLOAD_TIMEOUT_MS, signal };
        const held = await request(...route, { ...common, method: 'HEAD' });
        if (held.status !== 200) {
          const answer = await request(...route, { ...common, method: 'PUT', body: bytes });
          const { code } = refusalIn(answer) ?? { code: '' };
          if (answer.status < 200 || answer.status > 299)
            return void reasons.push(`${endpoint}: status ${answer.status} ${code}`);
        }
        accepted.push(endpoint);
        if (accepted.length === options.needed)
          grace = setTimeout(() => enough.abort(), options.graceMs ?? UPLOAD_GRACE_MS);
      } catch (cause) {
        reasons.push((cause as Error).message);
      }
    }),
  );
  clearTimeout(grace);
  options.signal?.throwIfAborted();
  if (accepted.length >= options.needed) return accepted;
  throw new SdkError(
    SdkErrorCode.BLOB_REFUSED,
    `${accepted.length} operators accepted blob ${digest}, ${options.needed} are needed: ${reasons.join('; ')}`,
    {
      advice:
        'Upload the same bytes again once those operators answer; the registration stays valid.',
      metadata: { digest, accepted: accepted.length, needed: options.needed },
    },
  );
}

const pathOf = (digest: Hex): string => `/blobs/${digest.slice(2).toLowerCase()}`;
