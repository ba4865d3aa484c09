import { spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { isKeyloomError } from '../../../workers/errors.ts';
import { Database } from '../../../workers/store/database.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import type { Store } from '../../../workers/store/store.ts';
import { round } from './crash-round.ts';
import { temporaryStores } from './support.ts';

// What a failing disk, a wrong copy or a second process may do to a data directory: it is refused with a
// code, or what is damaged is taken to be missing. Nothing is ever taken for what it is not.

const { directory, open } = temporaryStores();
const [a, b] = [1, 2].map(round);

/** A data directory with something in all of its parts. */
async function used(): Promise<{ path: string; store: Store }> {
  const path = directory();
  const store = await open(path);
  store.openings.commit(a.opening, a.root);
  store.secrets.put(a.name, a.secret);
  await store.blobs.put(a.blob);
  await store.transcripts.put(a.id, 1, a.share);
  return { path, store };
}

/** The files as a crash leaves them, the log of what is not in the state file yet among them. */
async function crashed(): Promise<string> {
  const { path, store } = await used();
  const left = directory();
  cpSync(path, left, { recursive: true });
  store.close();
  return left;
}

const refuses = (path: string, code: string): Promise<void> =>
  expect(open(path)).rejects.toMatchObject({ code });

describe('a state file', () => {
  it.each([
    ['empty', (file: string) => truncateSync(file, 0)],
    ['missing', (file: string) => rmSync(file)],
  ])('that is %s is not taken for a new one, and its log is kept', async (_, damage) => {
    const path = await crashed();
    damage(join(path, 'state.db'));
    const log = readFileSync(join(path, 'state.db-wal'));
    await refuses(path, StoreErrorCode.STATE_UNREADABLE);
    expect(readFileSync(join(path, 'state.db-wal'))).toEqual(log);
  });

  it.each([0.1, 0.5, 0.9])('that is cut off at %d of it is refused', async (part) => {
    const { path, store } = await used();
    store.close();
    const file = join(path, 'state.db');
    truncateSync(file, Math.floor(readFileSync(file).length * part));
    await refuses(path, StoreErrorCode.STATE_UNREADABLE);
  });

  it('with a flipped bit anywhere is refused, or keeps its secrets and roots, or says which is lost', async () => {
    const { path, store } = await used();
    store.close();
    const file = join(path, 'state.db');
    const sound = readFileSync(file);
    const codes = new Set<string>();
    const attempt = async (): Promise<void> => {
      const damaged = await open(path);
      try {
        if (damaged.secrets.has(a.name)) expect(damaged.secrets.get(a.name)).toEqual(a.secret);
        damaged.openings.commit(a.opening, a.root);
        expect(damaged.openings.root(a.id)).toBe(a.root);
      } finally {
        damaged.close();
      }
    };
    for (let at = 0; at < sound.length; at += 2039) {
      const damaged = Buffer.from(sound);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(file, damaged);
      await attempt().catch((error: unknown) => {
        if (!isKeyloomError(error)) throw error;
        codes.add(error.code);
      });
    }
    expect(codes).toContain(StoreErrorCode.STATE_UNREADABLE);
  });

  it('without its log is as it was before, and whole', async () => {
    const path = await crashed();
    rmSync(join(path, 'state.db-wal'));
    const store = await open(path).catch((error: unknown) => error);
    // Where not even the key of its secrets had got into the file, a new one is made.
    if (isKeyloomError(store)) expect(store.code).toBe(StoreErrorCode.STATE_UNREADABLE);
    else expect((store as Store).openings.root(a.id)).toBeUndefined();
  });

  it('with the log of another operator is refused', async () => {
    const [path, other] = [await crashed(), await used()];
    copyFileSync(join(other.path, 'state.db-wal'), join(path, 'state.db-wal'));
    await expect(open(path, 'a passphrase of its own')).rejects.toMatchObject({
      code: expect.stringMatching(/^STORE_(WRONG_PASSPHRASE|STATE_UNREADABLE)$/) as string,
    });
  });

  it('keeps what it has when it is full, and goes on when there is room', async () => {
    const path = directory();
    const database = new Database(path);
    database.exec('CREATE TABLE filler (value BLOB NOT NULL) STRICT');
    const [{ page_count: pages }] = database.all<{ page_count: bigint }>('PRAGMA page_count');
    database.exec(`PRAGMA max_page_count = ${pages + 8n}`);
    const fill = (): void => database.run('INSERT INTO filler VALUES (?)', Buffer.alloc(3000, 7));
    let kept = 0;
    const full = (): void => {
      for (; kept < 100; kept++) fill();
    };
    expect(full).toThrow(expect.objectContaining({ code: StoreErrorCode.DISK_FULL }) as Error);
    expect(database.disk.failure).toBe(StoreErrorCode.DISK_FULL);
    expect(() => database.transact(fill)).toThrow(
      expect.objectContaining({ code: StoreErrorCode.DISK_FULL }) as Error,
    );
    expect(database.all('SELECT value FROM filler')).toHaveLength(kept);
    database.assertIntact();
    database.exec(`PRAGMA max_page_count = ${pages + 100n}`);
    fill();
    expect(database.disk.failure).toBeUndefined();
    expect(database.all('SELECT value FROM filler')).toHaveLength(kept + 1);
    database.close();
  });
});

describe('a blob or a share that is cut off', () => {
  it.each([0, 0.5])('at %d of it is missing, and can be kept again', async (part) => {
    const { path, store } = await used();
    for (const file of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      const isContent = /^(blobs\/..\/[0-9a-f]{64}|transcripts\/\d+\/[0-9a-f]{64}\/\d+)$/;
      if (!isContent.test(file)) continue;
      truncateSync(join(path, file), Math.floor(readFileSync(join(path, file)).length * part));
    }
    await expect(store.blobs.get(a.digest)).rejects.toMatchObject({
      code: StoreErrorCode.BLOB_CORRUPT,
    });
    expect(await store.blobs.has(a.digest)).toBe(false);
    expect(await store.transcripts.get(a.id, 1)).toBeUndefined();
    await store.blobs.put(a.blob);
    await store.transcripts.put(a.id, 1, a.share);
    expect(await store.transcripts.get(a.id, 1)).toEqual(a.share);
  });
});

/** A process that opens a directory, says what came of it, and keeps it open until it is killed. */
function opener(path: string) {
  const module = JSON.stringify(join(import.meta.dirname, '../../../workers/store/store.ts'));
  const script = `
    import { openStore } from ${module};
    const kdf = { logN: 10, r: 8, p: 1 };
    const said = await openStore(${JSON.stringify(path)}, 'x', { kdf }).then(() => 'open', (e) => e.code);
    process.stdout.write(said);
    setInterval(() => undefined, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = new Promise<string>((resolve) =>
    child.stdout.once('data', (text: Buffer) => resolve(text.toString())),
  );
  const killed = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  return { said, killed };
}

describe('two processes', () => {
  it('that start at the same moment never have one directory both', async () => {
    const path = directory();
    const both = [opener(path), opener(path)];
    const said = await Promise.all(both.map((one) => one.said));
    expect(said.filter((what) => what === 'open').length).toBeLessThanOrEqual(1);
    const others = said.filter((what) => what !== 'open');
    expect(new Set(others)).toEqual(new Set([StoreErrorCode.DIRECTORY_LOCKED]));
    await Promise.all(both.map((one) => one.killed()));
    // A lock does not outlive its process.
    expect(existsSync(join(path, 'lock'))).toBe(true);
    const third = opener(path);
    expect(await third.said).toBe('open');
    await third.killed();
  });
});

it('gives way to nobody while it runs: blobs of a second store are not touched', async () => {
  const { path, store } = await used();
  const writer = await store.blobs.create();
  await writer.append(b.blob);
  // It would clear what is being written.
  await refuses(path, StoreErrorCode.DIRECTORY_LOCKED);
  expect(await writer.commit()).toBe(b.digest);
});
