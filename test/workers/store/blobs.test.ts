import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();
const content = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);
const digest = `0x${createHash('sha256').update(content).digest('hex')}` as const;

async function withBlob() {
  const path = directory();
  const { blobs } = await open(path);
  await blobs.put(content);
  return { path, blobs, file: join(path, 'blobs', digest.slice(2, 4), digest.slice(2)) };
}

describe('blobs', () => {
  it('keeps bytes under their SHA-256', async () => {
    const { blobs, file } = await withBlob();
    expect(await blobs.put(content)).toBe(digest);
    expect(readFileSync(file)).toEqual(Buffer.from(content));
    expect(Uint8Array.from(await blobs.get(digest))).toEqual(content);
    expect(await blobs.has(digest.toUpperCase().replace('0X', '0x') as `0x${string}`)).toBe(true);
  });

  it('lends bytes of one blob after the other, and of several at once', async () => {
    const { blobs } = await withBlob();
    const others = [7, 6000, 1].map((length) => new Uint8Array(length).fill(length));
    const digests = [digest];
    for (const bytes of others) digests.push(await blobs.put(bytes));
    const lend = (one: typeof digest) => blobs.use(one, (bytes) => Uint8Array.from(bytes));
    const expected = [content, ...others];
    for (let round = 0; round < 2; round++) {
      expect(await Promise.all(digests.map(lend))).toEqual(expected);
      for (const [at, one] of digests.entries()) expect(await lend(one)).toEqual(expected[at]);
    }
  });

  it('lends nothing that it lacks or that is damaged, and passes on what the work throws', async () => {
    const { blobs, file } = await withBlob();
    const refuse = (): never => {
      throw new RangeError('not these');
    };
    await expect(blobs.use(digest, refuse)).rejects.toThrow(RangeError);
    writeFileSync(file, content.with(17, 0));
    const code = StoreErrorCode.BLOB_CORRUPT;
    await expect(blobs.use(digest, refuse)).rejects.toMatchObject({ code });
    await expect(blobs.use(digest, refuse)).rejects.toMatchObject({
      code: StoreErrorCode.BLOB_MISSING,
    });
  });

  it('takes the same bytes from several callers at once', async () => {
    const path = directory();
    const { blobs } = await open(path);
    const digests = await Promise.all(Array.from({ length: 8 }, () => blobs.put(content)));
    expect(new Set(digests)).toEqual(new Set([digest]));
    expect(readdirSync(join(path, 'blobs', 'incoming'))).toEqual([]);
  });

  it('says that it lacks a blob', async () => {
    const { blobs } = await open(directory());
    expect(await blobs.has(word(1))).toBe(false);
    await expect(blobs.get(word(1))).rejects.toMatchObject({ code: StoreErrorCode.BLOB_MISSING });
  });

  it.each([
    ['an altered byte', (file: string) => writeFileSync(file, content.with(17, 0))],
    ['a lost tail', (file: string) => truncateSync(file, 4096)],
  ])('refuses and removes a blob with %s, so that it can be kept again', async (_, damage) => {
    const { blobs, file } = await withBlob();
    damage(file);
    await expect(blobs.get(digest)).rejects.toMatchObject({ code: StoreErrorCode.BLOB_CORRUPT });
    expect(await blobs.has(digest)).toBe(false);
    await blobs.put(content);
    expect(Uint8Array.from(await blobs.get(digest))).toEqual(content);
  });

  it('refuses a digest that would be a path', async () => {
    const { blobs } = await open(directory());
    const path = '0x../../../../etc/passwd' as const;
    await expect(blobs.get(path)).rejects.toMatchObject({ code: StoreErrorCode.INVALID_ARGUMENT });
    await expect(blobs.has(path)).rejects.toMatchObject({ code: StoreErrorCode.INVALID_ARGUMENT });
  });

  it('clears what a crash left half-written', async () => {
    const path = directory();
    (await open(path)).close();
    const leftover = join(path, 'blobs', 'incoming', 'leftover');
    writeFileSync(leftover, 'half');
    await open(path);
    expect(existsSync(leftover)).toBe(false);
  });
});

describe('a blob in pieces', () => {
  const pieces = [content.subarray(0, 17), content.subarray(17, 4096), content.subarray(4096)];

  it('is written without being held whole, and has no name before it is all there', async () => {
    const { blobs } = await open(directory());
    const writer = await blobs.create();
    for (const piece of pieces) await writer.append(piece);
    expect(await blobs.has(digest)).toBe(false);
    expect(await writer.commit()).toBe(digest);
    await writer.abort();
    expect(Uint8Array.from(await blobs.get(digest))).toEqual(content);
  });

  it('is dropped without a trace', async () => {
    const path = directory();
    const { blobs } = await open(path);
    const writer = await blobs.create();
    await writer.append(pieces[0]);
    await writer.abort();
    await writer.abort();
    expect(readdirSync(join(path, 'blobs'))).toEqual(['incoming']);
    expect(readdirSync(join(path, 'blobs', 'incoming'))).toEqual([]);
  });

  it('is read as it was written', async () => {
    const { blobs } = await withBlob();
    const { length, chunks } = await blobs.read(digest);
    expect(length).toBe(content.length);
    const read: Uint8Array[] = [];
    for await (const chunk of chunks) read.push(chunk);
    expect(Uint8Array.from(Buffer.concat(read))).toEqual(content);
  });

  it('is refused and removed before any of it is given if it is damaged', async () => {
    const { blobs, file } = await withBlob();
    writeFileSync(file, content.with(4999, 0));
    await expect(blobs.read(digest)).rejects.toMatchObject({ code: StoreErrorCode.BLOB_CORRUPT });
    await expect(blobs.read(digest)).rejects.toMatchObject({ code: StoreErrorCode.BLOB_MISSING });
  });
});
