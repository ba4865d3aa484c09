import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { schemaVersion } from '../../../workers/store/database.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { preimageOf } from './crash-round.ts';
import { temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();

describe('openStore', () => {
  it('refuses a directory that this process has open', async () => {
    const path = directory();
    const first = await open(path);
    await expect(open(path)).rejects.toMatchObject({ code: StoreErrorCode.DIRECTORY_LOCKED });
    first.close();
    await open(path);
  });

  it('refuses a directory that another process has open', async () => {
    const path = directory();
    await open(path);
    const script = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../../workers/store/store.ts'))};
      await openStore(${JSON.stringify(path)}, '').catch((error) => process.stdout.write(error.code));`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(child.stdout.toString()).toBe(StoreErrorCode.DIRECTORY_LOCKED);
  });

  it('refuses the wrong passphrase and keeps what the right one opens', async () => {
    const path = directory();
    const store = await open(path);
    store.secrets.put('seed/1', Uint8Array.of(1, 2, 3));
    store.close();
    await expect(open(path, 'wrong')).rejects.toMatchObject({
      code: StoreErrorCode.WRONG_PASSPHRASE,
    });
    expect((await open(path)).secrets.get('seed/1')).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('takes a passphrase in any Unicode normal form', async () => {
    const path = directory();
    (await open(path, 'caf\u00e9')).close();
    await open(path, 'cafe\u0301');
  });

  it('refuses a newer schema', async () => {
    const path = directory();
    (await open(path)).close();
    const raw = new DatabaseSync(join(path, 'state.db'));
    raw
      .prepare("UPDATE meta SET value = ? WHERE name = 'schema'")
      .run(Buffer.from(String(schemaVersion + 1)));
    raw.close();
    await expect(open(path)).rejects.toMatchObject({ code: StoreErrorCode.SCHEMA_TOO_NEW });
  });

  it('brings a directory of the first version up to date, and keeps what it holds', async () => {
    const path = directory();
    const store = await open(path);
    store.secrets.put('seed/1', Uint8Array.of(1));
    store.close();
    const raw = new DatabaseSync(join(path, 'state.db'));
    raw.exec(`
      DROP TABLE verdicts; DROP TABLE pending;
      DROP TABLE entries; DROP TABLE results; DROP TABLE evidence; DROP TABLE openings;
      CREATE TABLE openings (id TEXT PRIMARY KEY, root TEXT NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO openings VALUES ('${word(3)}', '${word(4)}');
    `);
    raw.prepare("UPDATE meta SET value = ? WHERE name = 'schema'").run(Buffer.from('1'));
    raw.close();
    const upgraded = await open(path);
    upgraded.entries.record(word(1), 0, word(2));
    upgraded.results.commit(word(3), word(4));
    expect(upgraded.secrets.get('seed/1')).toEqual(Uint8Array.of(1));
    // Two roots stay impossible; there is no evidence of what was opened then.
    expect(upgraded.openings.root(word(3))).toBe(word(4));
    expect(upgraded.openings.get(word(3))).toBeUndefined();
    expect(upgraded.openings.toCompare(9)).toEqual([]);
    expect(upgraded.evidence.list(9)).toEqual([]);
    expect(upgraded.pending.oldest()).toBeUndefined();
    upgraded.close();
    expect((await open(path)).entries.list(word(1))).toEqual([word(2)]);
  });

  it.each([
    ['is not a database', Buffer.alloc(8192, 7)],
    ['is a truncated database', undefined],
  ])('refuses a state file that %s', async (_, bytes) => {
    const path = directory();
    const file = join(path, 'state.db');
    if (bytes === undefined) {
      (await open(path)).close();
      writeFileSync(file, readFileSync(file).subarray(0, 6000));
    } else {
      writeFileSync(file, bytes);
    }
    await expect(open(path)).rejects.toMatchObject({ code: StoreErrorCode.STATE_UNREADABLE });
  });

  it("refuses another program's database", async () => {
    const path = directory();
    const raw = new DatabaseSync(join(path, 'state.db'));
    raw.exec('CREATE TABLE other (x)');
    raw.close();
    await expect(open(path)).rejects.toMatchObject({ code: StoreErrorCode.STATE_UNREADABLE });
  });

  it('refuses key derivation costs that an altered file asks for', async () => {
    const path = directory();
    (await open(path)).close();
    const raw = new DatabaseSync(join(path, 'state.db'));
    const header = Buffer.concat([Uint8Array.of(31, 8, 1), Buffer.alloc(16)]);
    raw.prepare("UPDATE meta SET value = ? WHERE name = 'kdf'").run(header);
    raw.close();
    await expect(open(path)).rejects.toMatchObject({ code: StoreErrorCode.KEY_HEADER_INVALID });
  });

  it('gives its files to the owner alone', async () => {
    const path = join(directory(), 'data');
    mkdirSync(path, { mode: 0o700 });
    const store = await open(path);
    store.secrets.put('a', Uint8Array.of(1));
    for (const name of [
      'lock',
      'state.db',
      'state.db-wal',
      'state.db-shm',
      'blobs',
      'transcripts',
    ]) {
      expect(statSync(join(path, name)).mode & 0o077).toBe(0);
    }
  });
});

describe('a directory that other accounts can reach', () => {
  it.each([0o750, 0o705, 0o777])('is refused (%o), with what to run', async (mode) => {
    const path = directory();
    chmodSync(path, mode);
    await expect(open(path)).rejects.toMatchObject({
      code: StoreErrorCode.READABLE_BY_OTHERS,
      message: expect.stringContaining(`chmod 700 ${path}`) as string,
    });
  });
});

describe('bind', () => {
  const binding = {
    chainId: 31337n,
    gateway: '0x00000000000000000000000000000000000000AA',
    signer: '0x00000000000000000000000000000000000000bb',
  } as const;

  it('accepts what it was first bound to, in any letter case', async () => {
    const path = directory();
    const store = await open(path);
    store.bind(binding);
    store.close();
    (await open(path)).bind({ ...binding, gateway: '0x00000000000000000000000000000000000000aa' });
  });

  it('says which chain that was, and nothing of a damaged one', async () => {
    const path = directory();
    const store = await open(path);
    expect(store.boundChainId).toBe(undefined);
    store.bind(binding);
    expect(store.boundChainId).toBe(31337n);
    store.close();
    const raw = new DatabaseSync(join(path, 'state.db'));
    raw.prepare("UPDATE meta SET value = ? WHERE name = 'binding'").run(Buffer.from('["3x"'));
    raw.close();
    const damaged = await open(path);
    expect(damaged.boundChainId).toBe(undefined);
    expect(() => damaged.bind(binding)).toThrow(
      expect.objectContaining({ code: StoreErrorCode.IDENTITY_MISMATCH }),
    );
  });

  it.each([
    { chainId: 1n },
    { gateway: '0x00000000000000000000000000000000000000ab' as const },
    { signer: '0x00000000000000000000000000000000000000ab' as const },
  ])('refuses %o', async (change) => {
    const store = await open(directory());
    store.bind(binding);
    expect(() => store.bind({ ...binding, ...change })).toThrow(
      expect.objectContaining({ code: StoreErrorCode.IDENTITY_MISMATCH }),
    );
  });
});

describe('openings', () => {
  it('records a root once and refuses another, also after a restart', async () => {
    const path = directory();
    const store = await open(path);
    const opening = { openingId: word(1), epochId: word(2), preimage: preimageOf(word(3)) };
    store.openings.commit(opening, word(0xab));
    store.openings.commit(opening, word(0xab).toUpperCase().replace('0X', '0x') as `0x${string}`);
    store.close();
    const again = await open(path);
    expect(() => again.openings.commit(opening, word(0xac))).toThrow(
      expect.objectContaining({ code: StoreErrorCode.OPENING_CONFLICT }),
    );
    expect(again.openings.root(word(1))).toBe(word(0xab));
    expect(again.openings.root(word(2))).toBeUndefined();
  });

  it('keeps what an id is the hash of, and whether its roots were compared', async () => {
    const path = directory();
    const store = await open(path);
    const of = (byte: number) => ({
      ...{ openingId: word(byte), epochId: word(9), preimage: preimageOf(word(byte)) },
    });
    for (const byte of [1, 2, 3]) store.openings.commit(of(byte), word(0xab));
    store.openings.setCompared([word(2), word(3)]);
    // Committing again, after a crash, is not another opening.
    store.openings.commit(of(3), word(0xab));
    store.close();
    const again = await open(path);
    expect(again.openings.get(word(2))).toEqual(of(2));
    expect(again.openings.get(word(4))).toBeUndefined();
    expect(again.openings.toCompare(9)).toEqual([of(1)]);
    expect(again.openings.toCompare(0)).toEqual([]);
    again.openings.setUncompared(word(3));
    again.openings.setUncompared(word(9));
    expect(again.openings.toCompare(9)).toEqual([of(1), of(3)]);
    expect(again.openings.toCompare(1)).toEqual([of(1)]);
    expect(again.openings.toCompare(9, word(1))).toEqual([of(3)]);
    expect(again.openings.toCompare(9, word(3))).toEqual([]);
  });

  it('refuses ids that are not 32 bytes', async () => {
    const store = await open(directory());
    const opening = { openingId: '0x01', epochId: word(2), preimage: preimageOf(word(3)) } as const;
    expect(() => store.openings.commit(opening, word(1))).toThrow(
      expect.objectContaining({ code: StoreErrorCode.INVALID_ARGUMENT }),
    );
  });
});
