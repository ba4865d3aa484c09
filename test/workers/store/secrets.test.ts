import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { seal, unseal } from '../../../workers/store/encryption.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { temporaryStores } from './support.ts';

const { directory, open } = temporaryStores();
const bytes = (text: string) => Uint8Array.from(Buffer.from(text));

describe('secrets', () => {
  it('keeps, finds, lists and erases', async () => {
    const { secrets } = await open(directory());
    secrets.putAll([
      ['epoch/1/seed/2', bytes('two')],
      ['epoch/1/seed/1', bytes('one')],
      ['epoch/10/seed/1', bytes('ten')],
    ]);
    secrets.put('key/1', bytes(''));
    expect(secrets.list('epoch/1/')).toEqual(['epoch/1/seed/1', 'epoch/1/seed/2']);
    expect(secrets.list('epoch/%')).toEqual([]);
    expect(secrets.get('epoch/1/seed/2')).toEqual(bytes('two'));
    expect(secrets.get('key/1')).toEqual(bytes(''));
    secrets.delete('key/1');
    expect(secrets.has('key/1')).toBe(false);
    secrets.deleteAll('epoch/1/');
    expect(secrets.list('')).toEqual(['epoch/10/seed/1']);
  });

  it('takes the same value twice, refuses another, and then keeps none of its batch', async () => {
    const { secrets } = await open(directory());
    secrets.put('a', bytes('value'));
    secrets.put('a', bytes('value'));
    const conflict = () =>
      secrets.putAll([
        ['b', bytes('new')],
        ['a', bytes('other')],
      ]);
    expect(conflict).toThrow(expect.objectContaining({ code: StoreErrorCode.SECRET_CONFLICT }));
    expect(secrets.get('a')).toEqual(bytes('value'));
    expect(secrets.has('b')).toBe(false);
  });

  it('never writes a secret in clear', async () => {
    const path = directory();
    const store = await open(path);
    store.secrets.put('a', bytes('a secret of some length'));
    const onDisk = () =>
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
        .join();
    expect(onDisk()).not.toContain('a secret of');
    store.close();
    expect(onDisk()).not.toContain('a secret of');
  });

  it('leaves no ciphertext of an erased secret in the files', async () => {
    const path = directory();
    const store = await open(path);
    store.secrets.put('erased', bytes('x'.repeat(100)));
    const raw = () =>
      ['state.db', 'state.db-wal'].map((f) => readFileSync(join(path, f), 'latin1')).join();
    expect(raw()).toContain('erased');
    store.secrets.delete('erased');
    expect(raw()).not.toContain('erased');
  });

  it('does not open a box that was moved to another name', async () => {
    const path = directory();
    const store = await open(path);
    store.secrets.put('a', bytes('of a'));
    store.secrets.put('b', bytes('of b'));
    store.close();
    const raw = new DatabaseSync(join(path, 'state.db'));
    raw.exec(
      "UPDATE secrets SET box = (SELECT box FROM secrets WHERE name = 'b') WHERE name = 'a'",
    );
    raw.close();
    const { secrets } = await open(path);
    expect(() => secrets.get('a')).toThrow(
      expect.objectContaining({ code: StoreErrorCode.SECRET_CORRUPT }),
    );
    expect(secrets.get('b')).toEqual(bytes('of b'));
  });
});

describe('seal', () => {
  const key = new Uint8Array(32).fill(7);

  it('opens only with its key, its label and its bytes', () => {
    const box = seal(key, 'label', bytes('message'));
    expect(unseal(key, 'label', box)).toEqual(bytes('message'));
    expect(unseal(new Uint8Array(32), 'label', box)).toBeUndefined();
    expect(unseal(key, 'other', box)).toBeUndefined();
    for (let i = 0; i < box.length; i++) {
      const altered = Uint8Array.from(box);
      altered[i] ^= 1;
      expect(unseal(key, 'label', altered)).toBeUndefined();
      expect(unseal(key, 'label', box.subarray(0, i))).toBeUndefined();
    }
  });

  it('never makes the same box twice', () => {
    expect(seal(key, 'label', bytes('m'))).not.toEqual(seal(key, 'label', bytes('m')));
  });
});
