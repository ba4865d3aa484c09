import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { insecureFastKdf } from '../../../workers/store/encryption.ts';
import { openStore, type Store } from '../../../workers/store/store.ts';

export const passphrase = 'correct horse battery staple';

/** A 32-byte hex string that repeats one byte. */
export const word = (byte: number): `0x${string}` =>
  `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;

/** In memory where there is such a place: thousands of forced writes take minutes on a busy disk. */
const MEMORY = '/dev/shm';

/** A new folder, which whoever makes it removes. */
export const scratchFolder = (): string =>
  mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'keyloom-store-'));

/** Directories and stores of one test file, removed and closed after each test. */
export function temporaryStores() {
  const directories: string[] = [];
  const stores: Store[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
    for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true });
  });
  const directory = () => {
    const path = scratchFolder();
    directories.push(path);
    return path;
  };
  const open = async (path: string, phrase = passphrase) => {
    const store = await openStore(path, phrase, { kdf: insecureFastKdf });
    stores.push(store);
    return store;
  };
  return { directory, open };
}
