import { expect, test } from 'vitest';

import { blobDigest, fetchBlob, SdkErrorCode, uploadBlob } from '../../sdk/index.ts';
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
