import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hexToBytes, type Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import type { BlobReader } from '../../store/blobs.ts';
import type { TranscriptEntry, TranscriptShare } from '../../store/transcripts.ts';
import { Slots } from '../duties/slots.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RequestProgress } from '../progress.ts';

/** Whether the operator can serve, and if not why not; with what helps to find out more. */
export interface Health extends Record<string, unknown> {
  status: 'ok' | 'degraded';
  reasons: string[];
}

/** What the HTTP server shows of the operator. */
export interface HttpView {
  health(): Promise<Health>;
  request(id: Hex): RequestProgress | undefined;
  /** A public blob that the chain names, pulled from peers if need be. Rejects with a coded error. */
  blob(digest: Hex): Promise<BlobReader>;
  /** Whose shares of an opening are held. Rejects with NOT_FOUND. */
  transcript(openingId: Hex): Promise<TranscriptEntry>;
  /** A signed share. Rejects with NOT_FOUND. */
  share(openingId: Hex, index: number): Promise<TranscriptShare>;
  /** Most bytes an upload may have. */
  readonly uploadLimit: number;
  /** Rejects unless the digest is, or within the signal's time becomes, registered on chain. */
  expectUpload(digest: Hex, signal: AbortSignal): Promise<void>;
  keepUpload(digest: Hex, bytes: Uint8Array): Promise<void>;
}

/** How long an upload waits for its registration to be confirmed. */
const REGISTRATION_WAIT_MS = 60_000;
/** Longest time for a request to arrive in full: the wait above and the upload. */
const REQUEST_TIMEOUT_MS = 180_000;

/** Shares that are answered with at once, and how long one may take before the next one is. */
const SHARE_ANSWERS = 16;
const SHARE_LEASE_MS = 10_000;

const HTTP_STATUS: Readonly<Record<string, number>> = {
  [OperatorErrorCode.NOT_FOUND]: 404,
  [OperatorErrorCode.BLOB_UNAVAILABLE]: 404,
  [OperatorErrorCode.BLOB_NOT_REGISTERED]: 403,
  [OperatorErrorCode.BLOB_DIGEST_MISMATCH]: 400,
  [OperatorErrorCode.BLOB_TOO_LONG]: 413,
};

/** What a browser asks before it uploads a blob. */
const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, PUT',
  'access-control-allow-headers': 'content-type',
  'access-control-max-age': '86400',
} as const;

const hex32 = /^[0-9a-f]{64}$/;

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${text}\n`);
}

/** Reads a body of at most `limit` bytes; stops reading at the first byte too many. */
async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit)
      throw new OperatorError(
        OperatorErrorCode.BLOB_TOO_LONG,
        `an upload has at most ${limit} bytes`,
        { metadata: { limit } },
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Sends public bytes that never change, no faster than they are read. */
async function sendBytes(
  response: ServerResponse,
  length: number,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': length,
    'cache-control': 'public, max-age=31536000, immutable',
  });
  try {
    await pipeline(Readable.from(chunks), response);
  } catch (error) {
    // Whoever asked went away: that concerns nobody else.
    if (!response.destroyed) throw error;
  }
}

async function answer(
  view: HttpView,
  shares: Slots,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, resource, name = '', ...rest] = (request.url ?? '/').split('?')[0].split('/');
  const route = `${request.method} ${resource}`;
  // Everything here is public and needs no credentials: pages of any origin may use it.
  response.setHeader('access-control-allow-origin', '*');
  const id = name.toLowerCase().replace(/^0x/, '');
  if (route === 'GET healthz' && name === '') {
    const health = await view.health();
    return sendJson(response, health.status === 'ok' ? 200 : 503, health);
  }
  if (hex32.test(id) && rest.length === 0) {
    if (route === 'GET requests') {
      const progress = view.request(`0x${id}`);
      if (progress) return sendJson(response, 200, progress);
    }
    if (route === 'GET blobs') {
      const { length, chunks } = await view.blob(`0x${id}`);
      return sendBytes(response, length, chunks);
    }
    if (route === 'GET transcripts') {
      const { epochId, indices } = await view.transcript(`0x${id}`);
      return sendJson(response, 200, { openingId: `0x${id}`, epochId, indices });
    }
    if (route === 'OPTIONS blobs') {
      response.writeHead(204, PREFLIGHT_HEADERS).end();
      return;
    }
    if (route === 'PUT blobs') {
      // Registration first: bytes that nobody registered are not even read.
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const patience = AbortSignal.timeout(REGISTRATION_WAIT_MS);
      await view.expectUpload(`0x${id}`, AbortSignal.any([patience, gone.signal]));
      await view.keepUpload(`0x${id}`, await readBody(request, view.uploadLimit));
      response.writeHead(204).end();
      return;
    }
  }
  if (hex32.test(id) && route === 'GET transcripts' && rest.length === 1) {
    const index = /^[1-9]\d?$/.test(rest[0]) ? Number(rest[0]) : 0;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    // Shares are held whole: those of a few answers at a time.
    return shares.run(gone.signal, async () => {
      const { signature, residues } = await view.share(`0x${id}`, index);
      const { buffer, byteOffset, byteLength } = residues;
      const parts = [hexToBytes(signature), new Uint8Array(buffer, byteOffset, byteLength)];
      await sendBytes(response, parts[0].length + byteLength, parts);
    });
  }
  throw new OperatorError(OperatorErrorCode.NOT_FOUND, 'no such resource at this operator');
}

/** Serves docs/operator.md's routes. Resolves when listening; `close` ends open connections. */
export async function serveHttp(
  view: HttpView,
  listen: { host: string; port: number },
  log: Log,
): Promise<{ address: AddressInfo; close(): Promise<void> }> {
  const shares = new Slots(SHARE_ANSWERS, SHARE_LEASE_MS);
  const server: Server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      answer(view, shares, request, response).catch((error: unknown) => {
        if (!isKeyloomError(error))
          log.warn({ err: error, url: request.url }, 'http request failed');
        if (response.headersSent) {
          response.destroy();
          return;
        }
        const known = isKeyloomError(error);
        const { code, message } = known ? error : { code: 'INTERNAL', message: 'internal error' };
        response.setHeader('connection', 'close');
        sendJson(response, HTTP_STATUS[code] ?? (known ? 400 : 500), {
          code,
          message,
        });
      });
    },
  );
  server.maxConnections = 512;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
