import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hexToBytes, type Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { StoreErrorCode } from '../../store/errors.ts';
import type { BlobReader } from '../../store/blobs.ts';
import type { TranscriptEntry, TranscriptShare } from '../../store/transcripts.ts';
import { Slots } from '../duties/slots.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { Health } from '../health/health.ts';
import type { Log } from '../log.ts';
import type { RequestProgress } from '../progress.ts';
import { longestRegistration } from '../registration/body.ts';
import type { SignedRegistration } from '../registration/registrations.ts';
import { Seldom } from '../seldom.ts';
import { askerOf, Bodies } from './bodies.ts';
import type { PublicEvidence, PublicStanding } from './evidence.ts';

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
  /** The latest evidence against operators. */
  evidenceList(): readonly PublicStanding[];
  /** All that it takes to submit evidence. Throws NOT_FOUND. */
  evidence(offenceId: Hex): PublicEvidence;
  /** Most bytes an upload may have. */
  readonly uploadLimit: number;
  /** Rejects unless the digest is, or within the signal's time becomes, registered on chain. */
  expectUpload(digest: Hex, signal: AbortSignal): Promise<void>;
  keepUpload(digest: Hex, bytes: Uint8Array): Promise<void>;
  /** True if the bytes of this digest are held here. */
  isHeld(digest: Hex): Promise<boolean>;
  /** Verifies what is to be registered, and signs it. Rejects with a coded error. */
  register(asker: string, body: Uint8Array, signal: AbortSignal): Promise<SignedRegistration>;
}

/** How long an upload waits for its registration to be confirmed. */
const REGISTRATION_WAIT_MS = 60_000;
/** How long a registration may take, with all that it waits for. Less than a connection may be quiet. */
const VERIFICATION_WAIT_MS = 80_000;
/** When to ask again who was turned away, in seconds. */
const RETRY_AFTER_S = '5';
/** Longest time for a request to arrive in full: the wait above and the upload. */
const REQUEST_TIMEOUT_MS = 180_000;

/** How much, how many and how long: what one address or a slow reader could otherwise use up. */
export interface HttpLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Longest silence of a connection while a request is answered. More than an upload waits. */
  readonly quietMs: number;
  /** Longest time in which nothing of a long answer is taken. */
  readonly idleMs: number;
  /** Time for a whole answer, beside the time that its length takes at `minBytesPerMs`. */
  readonly transferMs: number;
  /** Slowest rate at which an answer may be taken over its whole length. */
  readonly minBytesPerMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  connections: 512,
  connectionsPerAddress: 64,
  quietMs: 90_000,
  idleMs: 15_000,
  transferMs: 30_000,
  minBytesPerMs: 128,
};

/** Shares that are answered with at once, and how long one may take before the next one is. */
const SHARE_ANSWERS = 16;
const SHARE_LEASE_MS = 10_000;

const HTTP_STATUS: Readonly<Record<string, number>> = {
  [OperatorErrorCode.NOT_FOUND]: 404,
  [OperatorErrorCode.BLOB_UNAVAILABLE]: 404,
  [OperatorErrorCode.BLOB_NOT_REGISTERED]: 403,
  [OperatorErrorCode.BLOB_DIGEST_MISMATCH]: 400,
  [OperatorErrorCode.BLOB_MALFORMED]: 400,
  [OperatorErrorCode.BLOB_TOO_LONG]: 413,
  [OperatorErrorCode.UPLOAD_TOO_SLOW]: 408,
  [OperatorErrorCode.KEY_NOT_ACTIVE]: 403,
  [OperatorErrorCode.NOT_IN_COMMITTEE]: 403,
  [OperatorErrorCode.INPUT_NOT_REGISTERED]: 403,
  [OperatorErrorCode.COMPUTATION_FAILED]: 500,
  [OperatorErrorCode.TOO_MANY_REQUESTS]: 429,
  [OperatorErrorCode.OPERATOR_BUSY]: 503,
  [StoreErrorCode.DISK_FULL]: 503,
  [StoreErrorCode.DISK_FAILED]: 503,
};

/** What a browser asks before it uploads. */
const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, HEAD, PUT, POST',
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

/** Sends public bytes that never change, no faster than they are read; not to who hardly reads. */
async function sendBytes(
  response: ServerResponse,
  limits: HttpLimits,
  length: number,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': length,
    'cache-control': 'public, max-age=31536000, immutable',
  });
  const drop = (): void => void response.destroy();
  response.setTimeout(limits.idleMs, drop);
  const transfer = setTimeout(drop, limits.transferMs + length / limits.minBytesPerMs);
  try {
    await pipeline(Readable.from(chunks), response);
  } catch (error) {
    // Whoever asked went away: that concerns nobody else.
    if (!response.destroyed) throw error;
  } finally {
    clearTimeout(transfer);
    // The next answer of this connection has its own.
    response.setTimeout(limits.quietMs);
  }
}

/** Closes connections of an asker ({@link askerOf}) that has too many: it crowds out nobody but itself. */
export function limitAddresses(server: Pick<Server, 'on'>, most: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const asker = askerOf(socket.remoteAddress);
    const count = (open.get(asker) ?? 0) + 1;
    if (count > most) return void socket.destroy();
    open.set(asker, count);
    socket.once('close', () => {
      const left = open.get(asker)! - 1;
      if (left === 0) open.delete(asker);
      else open.set(asker, left);
    });
  });
}

/** Aborts when who asks has gone, or after a time. */
function whileAwaited(response: ServerResponse, patienceMs: number): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return AbortSignal.any([AbortSignal.timeout(patienceMs), gone.signal]);
}

/** What requests share. */
interface Serving {
  readonly view: HttpView;
  readonly shares: Slots;
  readonly bodies: Bodies;
  readonly limits: HttpLimits;
}

async function answer(
  { view, shares, bodies, limits }: Serving,
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
    return sendJson(response, health.alive ? 200 : 503, health);
  }
  if (route === 'GET readyz' && name === '') {
    const health = await view.health();
    return sendJson(response, health.ready ? 200 : 503, health);
  }
  if (route === 'GET evidence' && name === '')
    return sendJson(response, 200, { evidence: view.evidenceList() });
  const isUpload =
    route === 'OPTIONS blobs' ? hex32.test(id) : route === 'OPTIONS registrations' && name === '';
  if (isUpload) {
    response.writeHead(204, PREFLIGHT_HEADERS).end();
    return;
  }
  if (route === 'POST registrations' && name === '') {
    const asker = askerOf(request.socket.remoteAddress);
    const signed = await bodies.hold(request, asker, longestRegistration, (body) =>
      view.register(asker, body, whileAwaited(response, VERIFICATION_WAIT_MS)),
    );
    return sendJson(response, 200, signed);
  }
  if (hex32.test(id) && rest.length === 0) {
    if (route === 'GET requests') {
      const progress = view.request(`0x${id}`);
      if (progress) return sendJson(response, 200, progress);
    }
    if (route === 'GET evidence') return sendJson(response, 200, view.evidence(`0x${id}`));
    if (route === 'GET blobs') {
      const { length, chunks } = await view.blob(`0x${id}`);
      return sendBytes(response, limits, length, chunks);
    }
    if (route === 'GET transcripts') {
      const { epochId, indices } = await view.transcript(`0x${id}`);
      return sendJson(response, 200, { openingId: `0x${id}`, epochId, indices });
    }
    if (route === 'HEAD blobs') {
      await view.expectUpload(`0x${id}`, whileAwaited(response, REGISTRATION_WAIT_MS));
      response.writeHead((await view.isHeld(`0x${id}`)) ? 200 : 404).end();
      return;
    }
    if (route === 'PUT blobs') {
      // Registration first: bytes that nobody registered are not even read.
      await view.expectUpload(`0x${id}`, whileAwaited(response, REGISTRATION_WAIT_MS));
      const asker = askerOf(request.socket.remoteAddress);
      await bodies.hold(request, asker, view.uploadLimit, (body) =>
        view.keepUpload(`0x${id}`, body),
      );
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
      await sendBytes(response, limits, parts[0].length + byteLength, parts);
    });
  }
  throw new OperatorError(OperatorErrorCode.NOT_FOUND, 'no such resource at this operator');
}

/** An answer that was given, or not to its end, as metrics count it. */
export interface CountedAnswer {
  readonly method: string;
  /** One of a few: what strangers write into a URL is not counted. */
  readonly route: string;
  readonly status: number;
}

const ROUTES = [
  ...['healthz', 'readyz', 'requests', 'blobs', 'registrations', 'transcripts', 'evidence'],
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'];

function counted({ method = '', url = '/' }: IncomingMessage, status: number): CountedAnswer {
  const [, resource = ''] = url.split('?')[0].split('/');
  return {
    method: METHODS.includes(method) ? method : 'other',
    route: ROUTES.includes(resource) ? `/${resource}` : 'other',
    status,
  };
}

/**
 * Serves the routes of docs/operator/http.md. Resolves when listening; `close` ends open connections.
 *
 * @param onAnswer told of each answer when its connection is done with it
 */
export async function serveHttp(
  view: HttpView,
  listen: { host: string; port: number },
  log: Log,
  limits: HttpLimits = defaultHttpLimits,
  onAnswer: (answer: CountedAnswer) => void = () => undefined,
): Promise<{ address: AddressInfo; close(): Promise<void> }> {
  const serving: Serving = {
    ...{ view, limits, bodies: new Bodies() },
    shares: new Slots(SHARE_ANSWERS, SHARE_LEASE_MS),
  };
  const seldom = new Seldom();
  const server: Server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      response.once('close', () => onAnswer(counted(request, response.statusCode)));
      answer(serving, request, response).catch((error: unknown) => {
        // Who breaks off an upload fails here, too, which is nothing to tell of.
        if (!isKeyloomError(error) && request.errored === null) {
          const { route } = counted(request, 0);
          const unsaid = seldom.due(route);
          if (unsaid !== undefined) log.warn({ err: error, route, unsaid }, 'http request failed');
        }
        if (response.headersSent) {
          response.destroy();
          return;
        }
        const known = isKeyloomError(error);
        const { code, message } = known ? error : { code: 'INTERNAL', message: 'internal error' };
        const status = HTTP_STATUS[code] ?? (known ? 400 : 500);
        response.setHeader('connection', 'close');
        if (status === 429 || status === 503) response.setHeader('retry-after', RETRY_AFTER_S);
        sendJson(response, status, { code, message });
      });
    },
  );
  server.maxConnections = limits.connections;
  server.setTimeout(limits.quietMs);
  limitAddresses(server, limits.connectionsPerAddress);
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
