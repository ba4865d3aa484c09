import { randomBytes } from 'node:crypto';
import type { Database } from './database.ts';
import {
  deriveKey,
  keyBytes,
  newKdfHeader,
  seal,
  unseal,
  type KdfHeader,
  type KdfParameters,
} from './encryption.ts';
import { StoreError, StoreErrorCode } from './errors.ts';

const dataKeyLabel = 'keyloom/data-key/1';
const secretLabel = (name: string) => `keyloom/secret/1/${name}`;

/**
 * Secrets by name: seeds, set keys, key shares. Encrypted under a random data key, which the
 * passphrase wraps.
 *
 * `put` writes a name once. A second value under a name, say a seed drawn anew after a crash, would
 * silently replace what other operators rely on; where a value has generations they are in its name.
 */
export class Secrets {
  readonly #database: Database;
  readonly #dataKey: Uint8Array;

  constructor(database: Database, dataKey: Uint8Array) {
    this.#database = database;
    this.#dataKey = dataKey;
  }

  /** Keeps a secret durably. @throws StoreError SECRET_CONFLICT if the name has another value */
  put(name: string, value: Uint8Array): void {
    this.putAll([[name, value]]);
  }

  /** Keeps several secrets in one durable step: all of them or, on a conflict, none. */
  putAll(entries: Iterable<readonly [name: string, value: Uint8Array]>): void {
    this.#database.transact(() => {
      for (const [name, value] of entries) {
        const kept = this.get(name);
        if (kept === undefined) {
          const box = seal(this.#dataKey, secretLabel(name), value);
          this.#database.run('INSERT INTO secrets (name, box) VALUES (?, ?)', name, box);
        } else if (!Buffer.from(kept).equals(value)) {
          throw new StoreError(
            StoreErrorCode.SECRET_CONFLICT,
            'A secret is kept under this name with another value.',
            { metadata: { name } },
          );
        }
      }
    });
  }

  /**
   * Keeps a secret in place of whatever the name had, in one durable step. For what a reorganisation
   * can make void; everything else is written once.
   */
  replace(name: string, value: Uint8Array): void {
    const box = seal(this.#dataKey, secretLabel(name), value);
    this.#database.run('INSERT OR REPLACE INTO secrets (name, box) VALUES (?, ?)', name, box);
  }

  /** The secret under a name, or undefined. @throws StoreError SECRET_CORRUPT */
  get(name: string): Uint8Array | undefined {
    const row = this.#database.get<{ box: Uint8Array }>(
      'SELECT box FROM secrets WHERE name = ?',
      name,
    );
    if (row === undefined) return undefined;
    const value = unseal(this.#dataKey, secretLabel(name), row.box);
    if (value === undefined) {
      throw new StoreError(StoreErrorCode.SECRET_CORRUPT, 'A stored secret has been altered.', {
        metadata: { name },
      });
    }
    return value;
  }

  /** True if a secret is kept under this name. */
  has(name: string): boolean {
    return this.#database.get('SELECT 1 FROM secrets WHERE name = ?', name) !== undefined;
  }

  /** Names that start with `prefix`, in byte order. */
  list(prefix: string): string[] {
    const rows = this.#database.all<{ name: string }>(
      'SELECT name FROM secrets WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name',
      prefix,
    );
    return rows.map((row) => row.name);
  }

  /** Erases one secret; nothing happens if there is none. */
  delete(name: string): void {
    this.#database.run('DELETE FROM secrets WHERE name = ?', name);
    this.#forgetLog();
  }

  /** Erases every secret whose name starts with `prefix`. */
  deleteAll(prefix: string): void {
    this.#database.run('DELETE FROM secrets WHERE substr(name, 1, length(?1)) = ?1', prefix);
    this.#forgetLog();
  }

  /**
   * Empties the write-ahead log, which still has what was deleted from the file. While a backup reads,
   * it cannot; then it is emptied by the next one, or when the file is closed.
   */
  #forgetLog(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }
}

/**
 * Opens the secrets of a state file; a fresh file gets a data key wrapped by this passphrase.
 *
 * @param kdf cost for a fresh file; an existing one keeps its own
 * @throws StoreError WRONG_PASSPHRASE, KEY_HEADER_INVALID
 */
export async function openSecrets(
  database: Database,
  passphrase: string,
  kdf: KdfParameters,
): Promise<Secrets> {
  const storedHeader = database.readMeta('kdf');
  const wrapped = database.readMeta('data key');
  if (storedHeader === undefined || wrapped === undefined) {
    const header = newKdfHeader(kdf);
    const dataKey = randomBytes(keyBytes);
    const wrappingKey = await deriveKey(passphrase, header);
    database.transact(() => {
      database.writeMeta('kdf', encodeHeader(header));
      database.writeMeta('data key', seal(wrappingKey, dataKeyLabel, dataKey));
    });
    return new Secrets(database, dataKey);
  }
  const wrappingKey = await deriveKey(passphrase, decodeHeader(storedHeader));
  const dataKey = unseal(wrappingKey, dataKeyLabel, wrapped);
  if (dataKey === undefined) {
    throw new StoreError(
      StoreErrorCode.WRONG_PASSPHRASE,
      'The passphrase does not open this data directory: it was made with another one.',
    );
  }
  return new Secrets(database, dataKey);
}

function encodeHeader(header: KdfHeader): Uint8Array {
  return Buffer.concat([Uint8Array.of(header.logN, header.r, header.p), header.salt]);
}

function decodeHeader(bytes: Uint8Array): KdfHeader {
  const [logN = 0, r = 0, p = 0] = bytes;
  return { logN, r, p, salt: bytes.subarray(3) };
}
