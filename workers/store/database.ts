import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { isKeyloomError } from '../errors.ts';
import { Disk, diskError } from './disk.ts';
import { StoreError, StoreErrorCode } from './errors.ts';
import { DirectoryLock } from './lock.ts';
import { assertPrivate } from './private-files.ts';

/** Version of the tables below; a change that an older program would misread takes the next. */
export const schemaVersion = 5;

/** The tables of version 1. */
const schema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE secrets (name TEXT PRIMARY KEY, box BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE openings (id TEXT PRIMARY KEY, root TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE blocks (
    height INTEGER PRIMARY KEY, hash TEXT NOT NULL, logs_digest TEXT NOT NULL, logs TEXT NOT NULL
  ) STRICT;
  CREATE TABLE scanned (
    only INTEGER PRIMARY KEY CHECK (only = 0), height INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE transactions (
    nonce INTEGER NOT NULL, attempt INTEGER NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL,
    raw TEXT NOT NULL, PRIMARY KEY (nonce, attempt)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE faults (
    subject TEXT NOT NULL, opening TEXT NOT NULL, operator INTEGER NOT NULL, reason TEXT NOT NULL,
    recorded_at INTEGER NOT NULL, PRIMARY KEY (subject, opening, operator, reason)
  ) STRICT, WITHOUT ROWID;
`;

/** What leads from a version to the next. */
const upgrades: Readonly<Record<number, string>> = {
  1: `
    CREATE TABLE entries (
      request TEXT NOT NULL, position INTEGER NOT NULL, digest TEXT NOT NULL,
      PRIMARY KEY (request, position)
    ) STRICT, WITHOUT ROWID;
  `,
  // What was opened before has no preimage, so there will be no evidence of it.
  2: `
    ALTER TABLE openings ADD COLUMN epoch TEXT;
    ALTER TABLE openings ADD COLUMN preimage TEXT;
    ALTER TABLE openings ADD COLUMN compared INTEGER NOT NULL DEFAULT 1;
    CREATE INDEX openings_to_compare ON openings (id) WHERE compared = 0;
    CREATE TABLE evidence (
      offence TEXT PRIMARY KEY, kind TEXT NOT NULL, epoch TEXT NOT NULL, subject TEXT NOT NULL,
      accused INTEGER NOT NULL, evidence TEXT NOT NULL, state TEXT NOT NULL, why TEXT,
      number INTEGER NOT NULL UNIQUE
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX evidence_of_accused ON evidence (epoch, accused, kind, number);
    CREATE INDEX evidence_by_state ON evidence (state, number);
  `,
  3: `
    CREATE TABLE results (request TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  4: `
    CREATE TABLE verdicts (handle TEXT PRIMARY KEY, verdict TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE pending (
      id TEXT PRIMARY KEY, handle TEXT NOT NULL, ciphertext TEXT, proof TEXT,
      bytes INTEGER NOT NULL, kept_at INTEGER NOT NULL, number INTEGER NOT NULL UNIQUE
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX pending_ciphertexts ON pending (ciphertext);
    CREATE INDEX pending_proofs ON pending (proof);
  `,
};

const sqliteBusy = 5;

/** The coded form of what SQLite throws; coded errors pass. */
export function coded(error: unknown, path: string): unknown {
  if (isKeyloomError(error)) return error;
  const failed = diskError(error, path);
  if (failed !== undefined) return failed;
  const busy =
    error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === sqliteBusy;
  return new StoreError(
    busy ? StoreErrorCode.DIRECTORY_LOCKED : StoreErrorCode.STATE_UNREADABLE,
    busy
      ? 'The data directory is in use by another process.'
      : 'The state file is damaged, or none: restore the data directory from a backup.',
    { metadata: { path }, cause: error },
  );
}

/**
 * `state.db` of a data directory.
 *
 * Write-ahead log and `synchronous=FULL`: a statement that returned survives a power cut. One process
 * at a time (`lock.ts`); another may read a snapshot meanwhile, as a backup does. Integers are read as bigint. Whatever SQLite refuses is a StoreError:
 * DISK_FULL, DISK_FAILED, or else STATE_UNREADABLE.
 */
export class Database {
  /** How writing goes. */
  readonly disk = new Disk();
  readonly #path: string;
  readonly #lock: DirectoryLock;
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens the file and takes its lock; a directory without one gets one.
   *
   * @throws StoreError READABLE_BY_OTHERS, DIRECTORY_LOCKED, SCHEMA_TOO_NEW, STATE_UNREADABLE,
   *   DISK_FULL, DISK_FAILED
   */
  constructor(directory: string) {
    this.#path = join(directory, 'state.db');
    this.#lock = this.#coded(() => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      assertPrivate(directory, 'data');
      return new DirectoryLock(join(directory, 'lock'));
    });
    try {
      this.#sqlite = this.#coded(() => {
        this.#requireStateOf(directory);
        // SQLite gives its log the mode of the database file: that is made first, for the owner alone.
        closeSync(openSync(this.#path, 'a', 0o600));
        return new DatabaseSync(this.#path, { timeout: 0, readBigInts: true });
      });
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    try {
      this.exec('PRAGMA journal_mode = WAL');
      this.exec('PRAGMA synchronous = FULL');
      // Deleted secrets are overwritten, although they are encrypted.
      this.exec('PRAGMA secure_delete = ON');
      this.transact(() => this.#migrate());
      // What was erased right before a crash is in the log still.
      this.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Runs a statement that returns no rows. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#coded(() => this.#statement(sql).run(...values));
    if (!this.#sqlite.isTransaction) this.disk.succeeded('state');
  }

  /** First row of a query, or undefined. The caller states the row's type. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#coded(() => this.#statement(sql).get(...values)) as Row | undefined;
  }

  /** All rows of a query. The caller states the row's type. */
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#coded(() => this.#statement(sql).all(...values)) as Row[];
  }

  /** Runs statements without parameters. */
  exec(sql: string): void {
    this.#coded(() => this.#sqlite.exec(sql));
  }

  /** Runs `body` in one durable transaction: all of it is kept or, if it throws, nothing. */
  transact<T>(body: () => T): T {
    this.exec('BEGIN EXCLUSIVE');
    try {
      const value = body();
      this.exec('COMMIT');
      this.disk.succeeded('state');
      return value;
    } catch (error) {
      if (this.#sqlite.isTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  /** Value of a row of the meta table, or undefined. */
  readMeta(name: string): Uint8Array | undefined {
    return this.get<{ value: Uint8Array }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  }

  /** Writes a row of the meta table that does not exist yet. */
  writeMeta(name: string, value: Uint8Array): void {
    this.run('INSERT INTO meta (name, value) VALUES (?, ?)', name, value);
  }

  /** @throws StoreError STATE_UNREADABLE, with what SQLite finds wrong first */
  assertIntact(): void {
    const row = this.get<{ integrity_check: string }>('PRAGMA integrity_check(1)');
    if (row?.integrity_check === 'ok') return;
    throw new StoreError(StoreErrorCode.STATE_UNREADABLE, 'The state file is damaged.', {
      metadata: { path: this.#path, found: row?.integrity_check },
    });
  }

  /** Releases file and lock; again is harmless. */
  close(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close();
    this.#lock.release();
  }

  /**
   * An empty file is a new one to SQLite, which then throws away its log as well. Beside blobs it is one that
   * was lost, with every journal of what was signed.
   */
  #requireStateOf(directory: string): void {
    const bytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes > 0 || !existsSync(join(directory, 'blobs'))) return;
    throw new StoreError(
      StoreErrorCode.STATE_UNREADABLE,
      'The state file is missing or empty in a data directory that was used: restore it from a backup.',
      { metadata: { path: this.#path } },
    );
  }

  /** Creates the tables of a fresh file, or brings those of an older version up to date. */
  #migrate(): void {
    const found = this.get<{ tables: bigint }>('SELECT count(*) AS tables FROM sqlite_schema');
    if (found?.tables === 0n) {
      this.exec(schema);
      this.writeMeta('schema', Buffer.from('1'));
    }
    let version = Number(Buffer.from(this.readMeta('schema') ?? []).toString());
    if (version > schemaVersion) {
      throw new StoreError(
        StoreErrorCode.SCHEMA_TOO_NEW,
        'The state file was written by a newer version of Keyloom.',
        { metadata: { version, supported: schemaVersion } },
      );
    }
    for (let upgrade = upgrades[version]; upgrade !== undefined; upgrade = upgrades[version]) {
      this.exec(upgrade);
      version += 1;
      this.run("UPDATE meta SET value = ? WHERE name = 'schema'", Buffer.from(String(version)));
    }
    if (version !== schemaVersion) {
      throw new StoreError(StoreErrorCode.STATE_UNREADABLE, 'The state file has no known version.');
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #coded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw coded(this.disk.failed('state', this.#path, error), this.#path);
    }
  }
}
