import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { defaultBodyLimits } from '../../../../workers/operator/public/bodies.ts';
import { OperatorError, OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import {
  defaultHttpLimits,
  limitAddresses,
  serveHttp,
  type CountedAnswer,
  type HttpLimits,
  type HttpView,
} from '../../../../workers/operator/public/http.ts';
import type { SignedRegistration } from '../../../../workers/operator/registration/registrations.ts';
import { longestRegistration } from '../../../../workers/operator/registration/body.ts';
import type { Health } from '../../../../workers/operator/health/health.ts';
import {
  isAlive,
  isReady,
  type HealthReason,
} from '../../../../workers/operator/health/reasons.ts';
import type { PublicStanding } from '../../../../workers/operator/public/evidence.ts';
import { offenceId, type WrongResult } from '../../../../workers/protocols/evidence.ts';
import { ProgressBook } from '../../../../workers/operator/progress.ts';
import { digestOf } from '../fake-chain.ts';
import { recordingLog, type LogLine } from '../harness.ts';

const requestId = digestOf('request');
const bytes = Buffer.from('a public blob');
const sha256 = (data: Uint8Array): Hex => `0x${createHash('sha256').update(data).digest('hex')}`;
const UPLOAD_LIMIT = 200_000;

let lines: LogLine[];
let kept: Uint8Array[];
let posted: { asker: string; body: Uint8Array }[];
let answers: CountedAnswer[];
let health: Health;
let server: Awaited<ReturnType<typeof serveHttp>>;
let origin: string;
const sockets: Socket[] = [];

const share = {
  epochId: digestOf('epoch'),
  root: digestOf('root'),
  signature: `0x${'5a'.repeat(65)}` as const,
  shape: { primes: [2053n], width: 3, polynomials: 1 },
  residues: BigUint64Array.of(1n, 2052n, 0n),
};

const evidence: WrongResult = {
  kind: 'wrong-result',
  ...{ epochId: digestOf('epoch'), subject: requestId, index: 2 },
  source: '0x00000000000000000000000000000000000000a1',
  ...{ resultHash: digestOf('result'), signature: share.signature },
};

const standing: PublicStanding = {
  ...{ kind: evidence.kind, epochId: evidence.epochId, subject: requestId, index: 2 },
  ...{ offenceId: offenceId(evidence), state: 'open', why: undefined, operator: undefined },
};

const registration: SignedRegistration = {
  ...{ handle: digestOf('handle'), digest: digestOf('ciphertext'), limbs: 4, noiseBits: 43 },
  ...{ inputs: [], index: 2, signer: evidence.source, signature: share.signature },
};

const noShare = () => new OperatorError(OperatorErrorCode.NOT_FOUND, 'no such share is held');

const notFound = () => new OperatorError(OperatorErrorCode.BLOB_UNAVAILABLE, 'nobody has it');

function viewOf(progress: ProgressBook): HttpView {
  return {
    uploadLimit: UPLOAD_LIMIT,
    health: async () => health,
    request: (id) => progress.get(id),
    blob: async (digest) => {
      if (digest === digestOf('broken')) throw new TypeError('a secret path');
      if (digest !== sha256(bytes)) throw notFound();
      return {
        length: bytes.length,
        chunks: Readable.from([bytes.subarray(0, 4), bytes.subarray(4)]),
      };
    },
    transcript: async (openingId) => {
      if (openingId !== digestOf('opening')) throw noShare();
      return { epochId: digestOf('epoch'), indices: [1, 13] };
    },
    share: async (openingId, index) => {
      if (openingId !== digestOf('opening') || index !== 13) throw noShare();
      return share;
    },
    evidenceList: () => [standing],
    evidence: (offenceId) => {
      if (offenceId !== standing.offenceId) throw noShare();
      return { ...standing, chainId: 31337n, slashingManager: evidence.source, evidence };
    },
    expectUpload: async (digest) => {
      if (digest === digestOf('unregistered'))
        throw new OperatorError(OperatorErrorCode.BLOB_NOT_REGISTERED, 'register it first');
    },
    keepUpload: async (digest, upload) => {
      if (sha256(upload) !== digest)
        throw new OperatorError(OperatorErrorCode.BLOB_DIGEST_MISMATCH, 'other bytes');
      kept.push(upload);
    },
    isHeld: async (digest) => digest === sha256(bytes),
    register: async (asker, body) => {
      posted.push({ asker, body });
      if (body.length === 0)
        throw new OperatorError(OperatorErrorCode.OPERATOR_BUSY, 'ask again later');
      return registration;
    },
  };
}

beforeEach(async () => {
  lines = [];
  kept = [];
  posted = [];
  answers = [];
  health = { status: 'ok', reasons: [], ready: true, alive: true, height: 7n };
  const progress = new ProgressBook(8);
  progress.begin(requestId, 'decryption');
  const [view, listen, log] = [
    viewOf(progress),
    { host: '127.0.0.1', port: 0 },
    recordingLog(lines),
  ];
  server = await serveHttp(view, listen, log, defaultHttpLimits, (one) => answers.push(one));
  origin = `http://127.0.0.1:${server.address.port}`;
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

/** Resolves when the server is done with a request of this method, whatever became of it. */
async function answered(method: string): Promise<void> {
  while (!answers.some((one) => one.method === method)) await new Promise(setImmediate);
}

async function failure(path: string, init: RequestInit = {}) {
  const answer = await fetch(`${origin}${path}`, init);
  expect(answer.headers.get('content-type')).toBe('application/json');
  const { code } = (await answer.json()) as { code: string; message: string };
  return [answer.status, code];
}

const put = (digest: Hex, body: Uint8Array<ArrayBuffer>) =>
  ({ method: 'PUT', path: `/blobs/${digest}`, body }) as const;

/** Sends raw bytes and reads whatever comes until the server closes. */
async function raw(...parts: (string | Uint8Array)[]): Promise<string> {
  const socket = connect(server.address.port, '127.0.0.1');
  sockets.push(socket);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return answer;
}

describe('a page of another origin', () => {
  it('may read every answer, failures included', async () => {
    for (const path of ['/healthz', `/blobs/${sha256(bytes)}`, '/nowhere']) {
      const answer = await fetch(`${origin}${path}`);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      await answer.arrayBuffer();
    }
  });

  it('may upload, as its browser finds out first', async () => {
    const answer = await fetch(`${origin}/blobs/${sha256(bytes)}`, { method: 'OPTIONS' });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT');
  });
});

describe('GET /healthz and GET /readyz', () => {
  it('are 200 with the same report if all is well', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await fetch(`${origin}${path}`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ ...health, height: '7' });
    }
  });

  it.each<[HealthReason, number, number]>([
    ['RPC_UNREACHABLE', 200, 503],
    ['SLASHED', 200, 200],
    ['WORK_STOPPED', 503, 503],
  ])('with %s are %d and %d: whether it is alive, and whether it serves', async (...args) => {
    const [reason, alive, ready] = args;
    const reasons = [reason];
    const judged = { ready: isReady(reasons), alive: isAlive(reasons) };
    health = { status: 'degraded', reasons, ...judged };
    const answers = [await fetch(`${origin}/healthz`), await fetch(`${origin}/readyz`)];
    expect(answers.map(({ status }) => status)).toEqual([alive, ready]);
    for (const answer of answers) expect(await answer.json()).toEqual(health);
  });
});

describe('answers', () => {
  it('are counted by routes that there are, whatever strangers ask for', async () => {
    await (await fetch(`${origin}/healthz`)).text();
    await (await fetch(`${origin}/blobs/${sha256(bytes)}`)).arrayBuffer();
    await (await fetch(`${origin}/${requestId}`, { method: 'DELETE' })).text();
    await answered('other');
    expect(answers).toEqual([
      { method: 'GET', route: '/healthz', status: 200 },
      { method: 'GET', route: '/blobs', status: 200 },
      { method: 'other', route: 'other', status: 404 },
    ]);
  });
});

describe('GET /requests/ID', () => {
  it.each([requestId, requestId.slice(2), requestId.toUpperCase().replace('0X', '0x')])(
    'is what the operator knows of the request %s',
    async (id) => {
      const answer = await fetch(`${origin}/requests/${id}`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ id: requestId, state: 'agreeing', faulty: [] });
    },
  );

  it('is 404 for others', async () => {
    expect(await failure(`/requests/${digestOf('another')}`)).toEqual([404, 'NOT_FOUND']);
  });
});

describe('GET /blobs/SHA256', () => {
  it('is the bytes, for ever', async () => {
    const answer = await fetch(`${origin}/blobs/${sha256(bytes)}?x=1`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
  });

  it('is 404 for what nobody has', async () => {
    expect(await failure(`/blobs/${digestOf('none')}`)).toEqual([404, 'BLOB_UNAVAILABLE']);
  });

  it('is 500 without details for what fails unexpectedly', async () => {
    const answer = await fetch(`${origin}/blobs/${digestOf('broken')}`);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ code: 'INTERNAL', message: 'internal error' });
    expect(lines).toMatchObject([{ level: 'warn', message: 'http request failed' }]);
  });
});

describe('GET /transcripts/OPENING', () => {
  const opening = digestOf('opening');

  it('says whose shares are held', async () => {
    const answer = await fetch(`${origin}/transcripts/${opening}`);
    expect(answer.status).toBe(200);
    const epochId = digestOf('epoch');
    expect(await answer.json()).toEqual({ openingId: opening, epochId, indices: [1, 13] });
  });

  it('has each share as its signature and its residues', async () => {
    const answer = await fetch(`${origin}/transcripts/${opening}/13`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    const body = Buffer.from(await answer.arrayBuffer());
    expect(answer.headers.get('content-length')).toBe(String(65 + 3 * 8));
    expect(body.subarray(0, 65).toString('hex')).toBe('5a'.repeat(65));
    const residues = [0, 1, 2].map((at) => body.readBigUInt64LE(65 + 8 * at));
    expect(residues).toEqual([1n, 2052n, 0n]);
  });

  it.each([
    `/transcripts/${digestOf('another')}`,
    `/transcripts/${opening}/1`,
    `/transcripts/${opening}/013`,
    `/transcripts/${opening}/0`,
    `/transcripts/${opening}/100`,
    `/transcripts/${opening}/13/x`,
    `/transcripts/${opening}/..%2f..%2fstate.db`,
    `/transcripts/0x12`,
  ])('is 404 for %s', async (path) => {
    expect(await failure(path)).toEqual([404, 'NOT_FOUND']);
  });

  it('serves others although many do not read their answers', async () => {
    for (let count = 0; count < 32; count++) {
      const socket = connect(server.address.port, '127.0.0.1');
      sockets.push(socket);
      socket.pause();
      socket.write(`GET /transcripts/${opening}/13 HTTP/1.1\r\nhost: x\r\n\r\n`);
    }
    const answer = await fetch(`${origin}/transcripts/${opening}/13`);
    expect(answer.status).toBe(200);
  });
});

describe('GET /evidence', () => {
  it('lists what there is against operators', async () => {
    const answer = await fetch(`${origin}/evidence`);
    expect(answer.status).toBe(200);
    const { why, operator, ...listed } = standing;
    expect([why, operator]).toEqual([undefined, undefined]);
    expect(await answer.json()).toEqual({ evidence: [listed] });
  });

  it('has all that it takes to submit one', async () => {
    const answer = await fetch(`${origin}/evidence/${standing.offenceId}`);
    expect(answer.status).toBe(200);
    const given = { chainId: '31337', slashingManager: evidence.source, evidence };
    expect(await answer.json()).toMatchObject(given);
  });

  it('is 404 for another offence', async () => {
    expect(await failure(`/evidence/${digestOf('another')}`)).toEqual([404, 'NOT_FOUND']);
  });
});

describe('PUT /blobs/SHA256', () => {
  it('keeps the bytes of a registered digest', async () => {
    const { path, ...init } = put(sha256(bytes), bytes);
    const answer = await fetch(`${origin}${path}`, init);
    expect(answer.status).toBe(204);
    expect(kept).toEqual([bytes]);
  });

  it('takes as many bytes as a ciphertext can have', async () => {
    const longest = new Uint8Array(UPLOAD_LIMIT).fill(1);
    const { path, ...init } = put(sha256(longest), longest);
    expect((await fetch(`${origin}${path}`, init)).status).toBe(204);
  });

  it('is 400 for bytes of another digest', async () => {
    const { path, ...init } = put(sha256(bytes), Buffer.from('others'));
    expect(await failure(path, init)).toEqual([400, 'BLOB_DIGEST_MISMATCH']);
    expect(kept).toEqual([]);
  });

  it('is 403 for a digest that is not registered, before any byte is read', async () => {
    const path = `/blobs/${digestOf('unregistered')}`;
    const answer = await raw(`PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('"BLOB_NOT_REGISTERED"');
  });

  it('is 413 at the first byte too many, and says so', async () => {
    const path = `/blobs/${sha256(bytes)}`;
    const chunk = Buffer.alloc(UPLOAD_LIMIT + 1);
    const answer = await raw(
      `PUT ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`,
      `${chunk.length.toString(16)}\r\n`,
      chunk,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"BLOB_TOO_LONG"');
    expect(kept).toEqual([]);
  });

  it('is 429 beyond what one address may have on the way', async () => {
    const view = { ...viewOf(new ProgressBook(8)), uploadLimit: 2 ** 26 };
    await server.close();
    server = await serveHttp(view, { host: '127.0.0.1', port: 0 }, recordingLog(lines));
    origin = `http://127.0.0.1:${server.address.port}`;
    const body = new Uint8Array(defaultBodyLimits.bytesPerAddress + 1);
    const path = `/blobs/${sha256(bytes)}`;
    expect(await failure(path, { method: 'PUT', body })).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(kept).toEqual([]);
  });

  it('is nothing if the sender goes away in the middle', async () => {
    const socket = connect(server.address.port, '127.0.0.1');
    const path = `/blobs/${sha256(bytes)}`;
    socket.write(`PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, 4), () => socket.resetAndDestroy());
    await answered('PUT');
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect(kept).toEqual([]);
    // Strangers could fill a disk with it.
    expect(lines).toEqual([]);
  });
});

describe('a registration', () => {
  const path = '/registrations';

  it('is answered with what was signed', async () => {
    const answer = await fetch(`${origin}${path}`, { method: 'POST', body: bytes });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(registration);
    expect(posted).toEqual([{ asker: '127.0.0.1', body: bytes }]);
  });

  it('says when to ask again', async () => {
    const answer = await fetch(`${origin}${path}`, { method: 'POST' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await answer.json()).toMatchObject({ code: 'OPERATOR_BUSY' });
  });

  it('is refused unread if it says that it is too long', async () => {
    const length = longestRegistration + 1;
    const answer = await raw(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(posted).toEqual([]);
  });

  it('may be asked for by pages', async () => {
    const answer = await fetch(`${origin}${path}`, { method: 'OPTIONS' });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
  });
});

describe('whether an upload is needed', () => {
  it.each([
    ['held', sha256(bytes), 200],
    ['not held', digestOf('another'), 404],
    ['not registered', digestOf('unregistered'), 403],
  ])('%s', async (_, digest, status) => {
    const answer = await fetch(`${origin}/blobs/${digest}`, { method: 'HEAD' });
    expect(answer.status).toBe(status);
  });
});

describe('a server with small limits', () => {
  /** Serves with other limits. */
  async function serve(limits: Partial<HttpLimits>, view: Partial<HttpView> = {}): Promise<void> {
    await server.close();
    const all = { ...viewOf(new ProgressBook(8)), ...view };
    const listen = { host: '127.0.0.1', port: 0 };
    const log = recordingLog(lines);
    server = await serveHttp(all, listen, log, { ...defaultHttpLimits, ...limits });
    origin = `http://127.0.0.1:${server.address.port}`;
  }

  function open(): Socket {
    const socket = connect(server.address.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    return socket;
  }

  it.each<[string, Partial<HttpLimits>]>([
    ['reads nothing for a while', { idleMs: 100, transferMs: 2 ** 30 }],
    ['takes too long in all', { idleMs: 2 ** 30, transferMs: 100, minBytesPerMs: 2 ** 30 }],
  ])('gives up an answer whose reader %s', async (_, limits) => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    async function* endless() {
      try {
        for (;;) yield await Promise.resolve(Buffer.alloc(2 ** 16));
      } finally {
        resolve();
      }
    }
    await serve(limits, { blob: async () => ({ length: 2 ** 30, chunks: endless() }) });
    const socket = open();
    socket.pause();
    socket.write(`GET /blobs/${requestId} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await ended;
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect(lines).toEqual([]);
  });

  it('takes addresses of one network of IPv6 for one', () => {
    const arriving = new EventEmitter();
    limitAddresses(arriving as Server, 2);
    const arrive = (remoteAddress: string) => {
      const socket = Object.assign(new EventEmitter(), { remoteAddress, destroyed: false });
      const destroy = (): void => void (socket.destroyed = true);
      arriving.emit('connection', Object.assign(socket, { destroy }));
      return socket;
    };
    const [first] = [arrive('2001:db8:0:1::1'), arrive('2001:db8:0:1:ffff::2')];
    expect(arrive('2001:db8:0:1::3').destroyed).toBe(true);
    expect(arrive('2001:db8:0:2::3').destroyed).toBe(false);
    first.emit('close');
    expect(arrive('2001:db8:0:1::3').destroyed).toBe(false);
  });

  it('has so many connections for an address, and places again for those that close', async () => {
    await serve({ connectionsPerAddress: 2 });
    const ask = (socket: Socket): void =>
      void socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    const [first, second] = [open(), open()];
    for (const socket of [first, second]) {
      ask(socket);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
    }
    const third = open();
    third.resume();
    let received = 0;
    third.on('data', ({ length }: Buffer) => (received += length));
    ask(third);
    await once(third, 'close');
    expect(received).toBe(0);
    first.destroy();
    // The server learns of it in its own time.
    const { promise, resolve } = Promise.withResolvers<void>();
    const again = (): void => {
      const socket = open();
      socket.once('close', again);
      socket.once('data', () => {
        socket.off('close', again);
        resolve();
      });
      ask(socket);
    };
    again();
    await promise;
  });
});

describe('anything else', () => {
  it('that fails again and again is logged once in a while, without what strangers write', async () => {
    for (let count = 0; count < 3; count++)
      expect((await fetch(`${origin}/blobs/${digestOf('broken')}?${count}`)).status).toBe(500);
    expect(lines).toMatchObject([
      { message: 'http request failed', fields: { route: '/blobs', unsaid: 0 } },
    ]);
    expect(JSON.stringify(lines)).not.toContain(digestOf('broken').slice(2));
  });

  it.each([
    ['GET', '/'],
    ['GET', '/health'],
    ['GET', '//healthz'],
    ['GET', '/healthz/x'],
    ['POST', '/healthz'],
    ['GET', '/requests/'],
    ['GET', '/requests/0x12'],
    ['POST', `/requests/${requestId}`],
    ['GET', `/requests/${requestId}/x`],
    ['GET', `/requests/0x${requestId}`],
    ['GET', `/blobs/..%2f..%2fstate.db`],
    ['GET', `/blobs/%30${requestId.slice(3)}`],
    ['DELETE', `/blobs/${sha256(bytes)}`],
    ['PUT', `/requests/${requestId}`],
    ['GET', '/registrations'],
    ['POST', '/registrations/x'],
    ['OPTIONS', '/registrations/x'],
  ])('%s %s is 404', async (method, path) => {
    expect(await failure(path, { method })).toEqual([404, 'NOT_FOUND']);
  });

  it.each([
    'GET * HTTP/1.1',
    'GET /../../etc/passwd HTTP/1.1',
    'GET http://elsewhere/healthz HTTP/1.1',
    'GET /?/healthz HTTP/1.1',
    'OPTIONS * HTTP/1.1',
  ])('%s is 404, too', async (line) => {
    const answer = await raw(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('"NOT_FOUND"');
  });
});
