import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import { observers } from '../../../../workers/operator/observing.ts';
import { ProgressBook } from '../../../../workers/operator/progress.ts';
import { startTracing, traceIdOf } from '../../../../workers/operator/tracing/tracing.ts';
import { secretName } from '../../../../workers/operator/committee/seat.ts';
import { OperatorError, OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { keyId, startWithKey } from '../duties/at-work.ts';
import { digestOf } from '../fake-chain.ts';
import { signerAccount } from '../harness.ts';

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface SentSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: Attribute[];
  events: { name: string; attributes: Attribute[] }[];
  status: { code: number; message?: string };
}

/** A span as it arrived, and which operator sent it. */
interface Received extends SentSpan {
  instance: string;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An OTLP/HTTP receiver in this process. */
async function receiver() {
  const spans: Received[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      const { resourceSpans } = JSON.parse(body) as {
        resourceSpans: {
          resource: { attributes: Attribute[] };
          scopeSpans: { spans: SentSpan[] }[];
        }[];
      };
      for (const { resource, scopeSpans } of resourceSpans) {
        const named = resource.attributes.find(({ key }) => key === 'service.instance.id');
        const instance = String(named?.value['stringValue']);
        for (const scope of scopeSpans)
          spans.push(...scope.spans.map((span) => ({ ...span, instance })));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1/traces`, spans, bodies };
}

/** All attributes that a span may have: what is not listed here is not sent. */
const PUBLIC = [
  ...['keyloom.request.id', 'keyloom.request.kind', 'keyloom.request.state', 'error.type'],
  ...['keyloom.fault.index', 'keyloom.fault.reason'],
];

describe('two operators', () => {
  it('make one trace of a request, with its steps, without telling each other', async () => {
    const { url, spans, bodies } = await receiver();
    const tracings = [1, 2].map((index) => startTracing(url, signerAccount(index).address));
    const committee = await startWithKey({
      // Without operator 4 the other three are all needed: none is late.
      keyless: [4],
      observe: (index) => (index <= 2 ? [tracings[index - 1].observer] : []),
    });
    const { at } = committee;
    for (const index of [1, 2])
      while (at(index).context.progress.get(keyId)?.state !== 'recorded')
        await new Promise(setImmediate);
    await Promise.all(tracings.map((tracing) => tracing.stop()));

    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([keyId.slice(2, 34)]));
    for (const index of [1, 2]) {
      const own = spans.filter(({ instance }) => instance === signerAccount(index).address);
      const [root, ...more] = own.filter(({ name }) => name === 'request');
      expect(more).toEqual([]);
      expect(root?.parentSpanId).toBeUndefined();
      expect(root?.events.map(({ name }) => name)).toContain('opening');
      const steps = own.filter(({ name }) => name !== 'request');
      const names = steps.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['agree', 'share', 'collect']));
      expect(steps.every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
    }

    const attributes = spans.flatMap((span) => [
      ...span.attributes,
      ...span.events.flatMap((event) => event.attributes),
    ]);
    const keys = new Set(attributes.map(({ key }) => key));
    expect([...keys].filter((key) => !PUBLIC.includes(key))).toEqual([]);
    const secrets = [1, 2].map((index) =>
      at(index).context.store.secrets.get(secretName.setKeys(committee.epochId))!,
    );
    for (const secret of secrets) {
      // The first set's key, behind its number.
      const key = Buffer.from(secret.subarray(2, 34));
      for (const text of [key.toString('hex'), key.toString('base64')])
        expect(bodies.join('').includes(text)).toBe(false);
    }
  });
});

describe('a trace', () => {
  const id = digestOf('request');

  it('has the deviations of others, failures by their code, and how the request ended', async () => {
    const { url, spans } = await receiver();
    const { observer, stop } = startTracing(url, signerAccount(1).address);
    const told = observers([observer]);
    const book = new ProgressBook(8, told.onRequest);
    book.begin(id, 'decryption');
    const entry = book.get(id)!;
    told.onFault(id, { index: 3, operator: '0x', reason: 'WRONG_SHARE' });
    const secret = new TypeError('what was wrong has a secret in it');
    told.onStep(entry, 'load')(secret);
    const stopped = new OperatorError(OperatorErrorCode.STOPPED, 'over');
    told.onStep(entry, 'collect')(stopped);
    told.onStep(entry, 'agree')();
    book.advance(id, 'expired');
    await stop();
    const span = (name: string) => spans.find((one) => one.name === name)!;
    expect(span('request').events).toMatchObject([
      { name: 'agreeing' },
      {
        name: 'fault',
        attributes: [{ key: 'keyloom.fault.index' }, { key: 'keyloom.fault.reason' }],
      },
      { name: 'expired' },
    ]);
    expect(span('load').status).toEqual({ code: 2, message: 'UNEXPECTED' });
    expect(span('collect').status.code).toBe(0);
    expect(span('agree').status.code).toBe(0);
    expect(JSON.stringify(spans)).not.toContain('secret in it');
  });

  it('goes on under its id when a step comes after the end', async () => {
    const { url, spans } = await receiver();
    const { observer, stop } = startTracing(url, signerAccount(1).address);
    const told = observers([observer]);
    const book = new ProgressBook(8, told.onRequest);
    book.begin(id, 'decryption');
    book.advance(id, 'recorded');
    told.onStep(book.get(id)!, 'certify')();
    await stop();
    expect(spans.map(({ name }) => name).sort()).toEqual(['certify', 'request']);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf(id)]));
  });

  it('keeps nobody waiting whose receiver is away', async () => {
    const { observer, stop } = startTracing(
      'http://127.0.0.1:1/v1/traces',
      signerAccount(1).address,
    );
    const told = observers([observer]);
    const book = new ProgressBook(8, told.onRequest);
    book.begin(id, 'decryption');
    book.advance(id, 'recorded');
    await stop();
  });
});
