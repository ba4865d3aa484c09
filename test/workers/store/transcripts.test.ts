import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { Transcripts, type TranscriptShare } from '../../../workers/store/transcripts.ts';
import { temporaryStores, word } from './support.ts';

const { directory } = temporaryStores();
const signature: Hex = `0x${'5a'.repeat(65)}`;

/** A share of two polynomials over two limbs. */
const shareOf = (seed: number, width = 3): TranscriptShare => ({
  epochId: word(seed),
  root: word(seed + 100),
  signature,
  shape: { primes: [2053n, 1031n], width, polynomials: 2 },
  residues: BigUint64Array.from({ length: 4 * width }, (_, at) => BigInt(seed * 1000 + at)),
});

/** The file of a share in the first part. */
const fileOf = (path: string, opening: Hex, index: number, part = 0): string =>
  join(path, String(part), opening.slice(2), String(index));

describe('transcripts', () => {
  it('keep shares by opening and operator, after a restart as well', async () => {
    const path = directory();
    const transcripts = await Transcripts.open(path);
    await transcripts.put(word(1), 13, shareOf(7));
    await transcripts.put(word(1), 2, shareOf(7));
    await transcripts.put(word(2), 1, shareOf(9));
    for (const held of [transcripts, await Transcripts.open(path)]) {
      expect(await held.list(word(1))).toEqual({ epochId: word(7), indices: [2, 13] });
      expect(await held.list(word(2))).toEqual({ epochId: word(9), indices: [1] });
      expect(await held.get(word(1), 13)).toEqual(shareOf(7));
      expect(await held.get(word(2), 1)).toEqual(shareOf(9));
    }
  });

  it('say that they lack a share', async () => {
    const transcripts = await Transcripts.open(directory());
    await transcripts.put(word(1), 1, shareOf(1));
    expect(await transcripts.get(word(1), 2)).toBeUndefined();
    expect(await transcripts.get(word(2), 1)).toBeUndefined();
    expect(await transcripts.list(word(2))).toBeUndefined();
  });

  it('keep the first share that an operator gave', async () => {
    const transcripts = await Transcripts.open(directory());
    await transcripts.put(word(1), 1, shareOf(1));
    await transcripts.put(word(1), 1, shareOf(2));
    expect(await transcripts.get(word(1), 1)).toEqual(shareOf(1));
  });

  it('say what is held when an operator gives another one, also at the same time', async () => {
    const transcripts = await Transcripts.open(directory());
    const signedFor = (seed: number) => ({ root: shareOf(seed).root, signature });
    const answers = await Promise.all(
      [1, 2].map((seed) => transcripts.put(word(1), 1, shareOf(seed))),
    );
    expect(answers).toEqual([signedFor(1), signedFor(1)]);
    expect(await transcripts.put(word(1), 1, shareOf(3))).toEqual(signedFor(1));
    expect(await transcripts.get(word(1), 1)).toEqual(shareOf(1));
  });

  it('know what was signed without reading the shares', async () => {
    const path = directory();
    const transcripts = await Transcripts.open(path);
    await transcripts.put(word(1), 13, shareOf(7));
    await transcripts.put(word(1), 2, shareOf(8));
    await transcripts.put(word(1), 3, shareOf(9));
    truncateSync(fileOf(path, word(1), 3), 128);
    const held = (index: number, seed: number) => {
      const { epochId, root } = shareOf(seed);
      return { index, epochId, root, signature };
    };
    expect(await transcripts.roots(word(1))).toEqual([held(2, 8), held(13, 7)]);
    expect(await transcripts.roots(word(2))).toEqual([]);
  });

  it.each([
    ['an altered byte', async (file: string) => writeFileSync(file, await altered(file))],
    ['a lost tail', async (file: string) => truncateSync(file, 40)],
    ['nothing in it', async (file: string) => truncateSync(file, 0)],
  ])('take a file with %s to be missing, so that it can be kept again', async (_, damage) => {
    const path = directory();
    const transcripts = await Transcripts.open(path);
    await transcripts.put(word(1), 1, shareOf(1));
    await transcripts.put(word(1), 2, shareOf(1));
    const file = fileOf(path, word(1), 1);
    await damage(file);
    const restarted = await Transcripts.open(path);
    // Nobody has looked at it: a new one takes its place.
    await restarted.put(word(1), 1, shareOf(1));
    expect(await restarted.get(word(1), 1)).toEqual(shareOf(1));
    await damage(file);
    expect(await transcripts.get(word(1), 1)).toBeUndefined();
    expect(existsSync(file)).toBe(false);
    expect(await transcripts.list(word(1))).toEqual({ epochId: word(1), indices: [2] });
    await transcripts.put(word(1), 1, shareOf(1));
    expect(await transcripts.get(word(1), 1)).toEqual(shareOf(1));
  });

  it('clear what a crash left half-written', async () => {
    const path = directory();
    await Transcripts.open(path);
    writeFileSync(join(path, 'incoming', 'leftover'), 'half');
    await Transcripts.open(path);
    expect(readdirSync(join(path, 'incoming'))).toEqual([]);
  });

  it('refuse an id that would be a path', async () => {
    const transcripts = await Transcripts.open(directory());
    const path = '0x../../../../etc/passwd' as const;
    const refused = { code: StoreErrorCode.INVALID_ARGUMENT };
    await expect(transcripts.get(path, 1)).rejects.toMatchObject(refused);
    await expect(transcripts.list(path)).rejects.toMatchObject(refused);
    await expect(transcripts.put(path, 1, shareOf(1))).rejects.toMatchObject(refused);
  });
});

describe('a limit on transcripts', () => {
  /** Room for 64 parts of two small files. */
  const LIMIT = 64 * 2 * 4096;

  /** Openings first..last with one share each. */
  async function fill(transcripts: Transcripts, first: number, last: number): Promise<void> {
    for (let at = first; at <= last; at++) await transcripts.put(opening(at), 1, shareOf(1));
  }
  const opening = (at: number): Hex => `0x${at.toString(16).padStart(64, '0')}`;
  const held = async (transcripts: Transcripts, last: number): Promise<number[]> => {
    const present = [];
    for (let at = 0; at <= last; at++)
      if ((await transcripts.list(opening(at))) !== undefined) present.push(at);
    return present;
  };

  it('drops the oldest openings, never the newest', async () => {
    const transcripts = await Transcripts.open(directory(), LIMIT);
    await fill(transcripts, 0, 127);
    expect((await held(transcripts, 127))[0]).toBe(0);
    await fill(transcripts, 128, 150);
    const present = await held(transcripts, 150);
    expect(present.length).toBeGreaterThan(120);
    expect(present.length).toBeLessThanOrEqual(128);
    expect(present).toEqual(present.map((_, at) => present[0] + at));
    expect(present.at(-1)).toBe(150);
  });

  it('holds over restarts, also over one that never finished its last part', async () => {
    const path = directory();
    await fill(await Transcripts.open(path, LIMIT), 0, 60);
    await fill(await Transcripts.open(path, LIMIT), 61, 150);
    const transcripts = await Transcripts.open(path, LIMIT);
    await fill(transcripts, 151, 160);
    const present = await held(transcripts, 160);
    expect(present.length).toBeGreaterThan(120);
    expect(present.length).toBeLessThanOrEqual(128);
    expect(present.at(-1)).toBe(160);
  });

  it('counts late shares of an opening where the opening is', async () => {
    const path = directory();
    const transcripts = await Transcripts.open(path, LIMIT);
    await fill(transcripts, 0, 10);
    await transcripts.put(opening(0), 2, shareOf(1));
    expect(await transcripts.list(opening(0))).toMatchObject({ indices: [1, 2] });
    expect(existsSync(fileOf(path, opening(0), 2))).toBe(true);
  });

  it('is never passed, however many late shares come, after a restart as well', async () => {
    const path = directory();
    let transcripts = await Transcripts.open(path, LIMIT);
    await fill(transcripts, 0, 60);
    for (const index of [2, 3, 4]) {
      // What earlier parts have taken since they were finished is known again.
      transcripts = await Transcripts.open(path, LIMIT);
      for (let at = 0; at <= 60; at++) {
        await transcripts.put(opening(at), index, shareOf(1));
        expect(files(path)).toBeLessThanOrEqual(128);
      }
    }
    expect(files(path)).toBeGreaterThan(100);
    expect(await transcripts.list(opening(60))).toMatchObject({ indices: [1, 2, 3, 4] });
  });

  it('that is lower than before is kept from the start on', async () => {
    const path = directory();
    await fill(await Transcripts.open(path, LIMIT), 0, 60);
    const transcripts = await Transcripts.open(path, LIMIT / 8);
    expect(files(path)).toBeLessThanOrEqual(16);
    expect((await held(transcripts, 60)).at(-1)).toBe(60);
  });

  it('leaves other files of its folder alone', async () => {
    const path = directory();
    mkdirSync(join(path, 'notes'), { recursive: true });
    await fill(await Transcripts.open(path, LIMIT), 0, 150);
    expect(existsSync(join(path, 'notes'))).toBe(true);
  });
});

/** How many shares there are, of 4096 bytes on the disk each. */
const files = (path: string): number =>
  readdirSync(path, { recursive: true }).filter((name) =>
    /^\d+\/[0-9a-f]{64}\/\d+$/.test(name.toString()),
  ).length;

/** The file's bytes with one in the middle changed. */
async function altered(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1] ^= 1;
  return bytes;
}
