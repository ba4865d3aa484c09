import { describe, expect, test } from 'vitest';

import { blobDigest, fetchBlob, SdkErrorCode, uploadBlob } from '../../sdk/index.ts';
import { request } from '../../sdk/http.ts';
import { answering, fakeOperator, serving } from '../tasks/support/fake-operator.ts';

const blob = new Uint8Array(1000).fill(7);
const digest = blobDigest(blob);
/** Nothing listens on port 1. */
const NOBODY = 'http://127.0.0.1:1';

test('a blob comes from the first operator that serves the right bytes', async () => {
  await using forger = await fakeOperator(serving(new Uint8Array(1000).fill(8)));
  await using ignorant = await fakeOperator(answering(404, { code: 'NOT_FOUND' }));
  const asked: string[] = [];
  await using honest = await fakeOperator((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(200).end(blob);
  });
  const endpoints = [NOBODY, forger.endpoint, ignorant.endpoint, honest.endpoint];
  expect(await fetchBlob(endpoints, digest)).toEqual(blob);
  expect(asked).toEqual([`GET /blobs/${digest.slice(2)}`]);
});

test('a blob that is not there yet is asked for until it is', async () => {
  let asked = 0;
  await using late = await fakeOperator((request, response) =>
    ++asked < 3 ? answering(404, {})(request, response) : serving(blob)(request, response),
  );
  expect(await fetchBlob([late.endpoint], digest, { patienceMs: 60_000 })).toEqual(blob);
  expect(asked).toBe(3);
});

test('bytes with another digest are never accepted', async () => {
  await using forger = await fakeOperator(serving(new Uint8Array(1000).fill(8)));
  await expect(fetchBlob([forger.endpoint], digest)).rejects.toMatchObject({
    code: SdkErrorCode.BLOB_UNAVAILABLE,
  });
});

describe('an operator that stalls', () => {
  /** Sends a start of an answer, or nothing at all, and tells when the client has hung up. */
  async function stalling(start?: Uint8Array) {
    const hungUp = Promise.withResolvers<void>();
    let asked = 0;
    const operator = await fakeOperator((_, response) => {
      asked++;
      response.on('close', () => hungUp.resolve());
      if (start !== undefined) response.writeHead(200).write(start);
    });
    const { endpoint } = operator;
    const gone = () => operator[Symbol.asyncDispose]();
    return { endpoint, hungUp: hungUp.promise, asked: () => asked, [Symbol.asyncDispose]: gone };
  }

  test('is not waited for, and left alone once another one has served', async () => {
    await using silent = await stalling();
    await using halting = await stalling(blob.subarray(0, 500));
    await using honest = await fakeOperator(serving(blob));
    const endpoints = [silent.endpoint, halting.endpoint, honest.endpoint];
    expect(await fetchBlob(endpoints, digest, { hedgeMs: 1 })).toEqual(blob);
    await Promise.all([silent.hungUp, halting.hungUp]);
  });

  test('is asked last from then on', async () => {
    await using silent = await stalling();
    await using forger = await fakeOperator(serving(new Uint8Array(1000).fill(8)));
    await using honest = await fakeOperator(serving(blob));
    const endpoints = [silent.endpoint, forger.endpoint, honest.endpoint];
    const failed = new Set<string>();
    await fetchBlob(endpoints, digest, { hedgeMs: 1, failed });
    await silent.hungUp;
    expect([...failed].sort()).toEqual([silent.endpoint, forger.endpoint].sort());
    await fetchBlob(endpoints, digest, { failed });
    expect(silent.asked()).toBe(1);
  });

  test('in the middle of an answer is given up for want of progress, however long it may be', async () => {
    await using halting = await stalling(blob);
    // Enough for the request to arrive, on a busy machine as well: without it nobody hangs up.
    await expect(
      request(halting.endpoint, '/', { timeoutMs: 1_000, maxBytes: 64 << 20 }),
    ).rejects.toMatchObject({
      code: SdkErrorCode.BAD_ANSWER,
      message: expect.stringContaining('no answer in time') as unknown,
    });
    await halting.hungUp;
  });

  test('does not outlive the caller’s signal', async () => {
    await using silent = await stalling();
    const caller = new AbortController();
    const fetching = fetchBlob([silent.endpoint], digest, { signal: caller.signal });
    caller.abort(new TypeError('enough'));
    await expect(fetching).rejects.toThrow('enough');
  });
});

test('an answer that does not end is cut off', async () => {
  await using endless = await fakeOperator((_, response) => {
    const feed = (): void => {
      if (!response.destroyed && response.write(Buffer.alloc(65_536))) setImmediate(feed);
    };
    response.on('drain', feed);
    feed();
  });
  await expect(
    fetchBlob([endless.endpoint], digest, { maxBytes: 1_000_000 }),
  ).rejects.toMatchObject({ code: SdkErrorCode.BLOB_UNAVAILABLE });
});

test.each(['file:///etc/hostname', 'ftp://127.0.0.1/', 'not a url', ''])(
  'an endpoint like %j is not asked',
  async (endpoint) => {
    await expect(fetchBlob([endpoint], digest)).rejects.toMatchObject({
      code: SdkErrorCode.BLOB_UNAVAILABLE,
    });
  },
);

test('redirects are not followed', async () => {
  await using elsewhere = await fakeOperator(serving(blob));
  await using redirecting = await fakeOperator((request, response) => {
    response.writeHead(302, { location: `${elsewhere.endpoint}${request.url}` }).end();
  });
  await expect(fetchBlob([redirecting.endpoint], digest)).rejects.toMatchObject({
    code: SdkErrorCode.BLOB_UNAVAILABLE,
  });
});

test('an upload succeeds with enough copies, and does not wait for the silent', async () => {
  const received: Buffer[] = [];
  const accepting = () =>
    fakeOperator((request, response) => {
      request.on('data', (chunk: Buffer) => received.push(chunk));
      request.on('end', () => response.writeHead(204).end());
    });
  await using first = await accepting();
  await using second = await accepting();
  await using silent = await fakeOperator(() => undefined);
  const accepted = await uploadBlob([silent.endpoint, first.endpoint, second.endpoint], blob, {
    needed: 2,
    graceMs: 50,
  });
  expect(accepted.sort()).toEqual([first.endpoint, second.endpoint].sort());
  expect(Buffer.concat(received).length).toBe(2 * blob.length);
});

test('an upload that too few accept fails', async () => {
  await using accepting = await fakeOperator((request, response) => {
    request.resume().on('end', () => response.writeHead(204).end());
  });
  await using refusing = await fakeOperator(answering(403, { code: 'BLOB_NOT_REGISTERED' }));
  const endpoints = [accepting.endpoint, refusing.endpoint, NOBODY];
  await expect(uploadBlob(endpoints, blob, { needed: 2 })).rejects.toMatchObject({
    code: SdkErrorCode.BLOB_REFUSED,
    metadata: { accepted: 1, needed: 2 },
  });
});

test('an operator that has a blob already is not sent it', async () => {
  const asked: string[] = [];
  await using holding = await fakeOperator(({ method }, response) => {
    asked.push(`holding ${method}`);
    response.writeHead(200).end();
  });
  await using lacking = await fakeOperator((request, response) => {
    asked.push(`lacking ${request.method}`);
    request.resume().on('end', () => {
      response.writeHead(request.method === 'HEAD' ? 404 : 204).end();
    });
  });
  const endpoints = [holding.endpoint, lacking.endpoint];
  const accepted = await uploadBlob(endpoints, blob, { needed: 2 });
  expect(accepted.sort()).toEqual(endpoints.sort());
  expect(asked.sort()).toEqual(['holding HEAD', 'lacking HEAD', 'lacking PUT']);
});
