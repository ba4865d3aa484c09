import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Address } from 'viem';
import { isKeyloomError } from '../../errors.ts';
import { schemaVersion } from '../database.ts';
import { diskError } from '../disk.ts';
import { StoreError, StoreErrorCode } from '../errors.ts';
import { BackupError, BackupErrorCode, nothing } from './errors.ts';
import type { Manifest } from './manifest.ts';

/** A copy of an operator's state as of one moment, and what it says of itself. */
export interface Snapshot extends Pick<
  Manifest,
  'chainId' | 'gateway' | 'signer' | 'schema' | 'height' | 'epochs'
> {
  readonly path: string;
}

/** For how long a writer may keep a reader waiting; it never does for long. */
const BUSY_MS = 10_000;

const snapshotOf = (dataDir: string): string => join(dataDir, 'snapshot');

/**
 * Removes what a backup that was killed has left: it has secrets that the operator may erase. A backup that
 * is under way at that moment fails.
 *
 * @throws StoreError DISK_FAILED
 */
export async function clearSnapshot(dataDir: string): Promise<void> {
  const folder = snapshotOf(dataDir);
  await rm(folder, { recursive: true, force: true }).catch((cause: unknown) => {
    throw diskError(cause, folder) ?? cause;
  });
}

/**
 * Takes a snapshot of `state.db`, whether an operator runs on it or not, and removes it at the end.
 *
 * It is one read transaction of SQLite: all that was durable when it began, and nothing half done. The
 * operator goes on writing to its log meanwhile. The copy has no pages of what was erased.
 *
 * @throws BackupError NOTHING_TO_KEEP; StoreError STATE_UNREADABLE for a damaged file, DISK_FULL,
 *   DISK_FAILED
 */
export async function withSnapshot<T>(
  dataDir: string,
  use: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const source = join(dataDir, 'state.db');
  if (!existsSync(source)) throw nothing(`there is no state in ${dataDir}`);
  const folder = snapshotOf(dataDir);
  try {
    await clearSnapshot(dataDir);
    await mkdir(folder, { mode: 0o700 });
    const path = join(folder, 'state.db');
    // SQLite takes an empty file for a new one, and this one is for the owner alone.
    await writeFile(path, '', { mode: 0o600 });
    return await use({ path, ...copy(source, path) });
  } catch (cause) {
    const failed = diskError(cause, folder);
    if (failed !== undefined) throw failed;
    if (isKeyloomError(cause) || !(cause instanceof Error && 'errcode' in cause)) throw cause;
    throw new StoreError(
      StoreErrorCode.STATE_UNREADABLE,
      'The state file cannot be copied: it is damaged.',
      { metadata: { path: source }, cause },
    );
  } finally {
    // What cannot be removed is by the next one.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

function copy(source: string, target: string): Omit<Snapshot, 'path'> {
  const state = new DatabaseSync(source, { readOnly: true, timeout: BUSY_MS });
  try {
    state.prepare('VACUUM INTO ?').run(target);
  } finally {
    state.close();
  }
  const snapshot = new DatabaseSync(target, { readOnly: true, readBigInts: true });
  try {
    return describe(snapshot);
  } finally {
    snapshot.close();
  }
}

/** @throws StoreError STATE_UNREADABLE, BackupError NOTHING_TO_KEEP */
function describe(snapshot: DatabaseSync): Omit<Snapshot, 'path'> {
  assertIntact(snapshot);
  const meta = (name: string): string | undefined => {
    const row = snapshot.prepare('SELECT value FROM meta WHERE name = ?').get(name);
    return row && Buffer.from(row['value'] as Uint8Array).toString();
  };
  const [binding, schema] = [meta('binding'), Number(meta('schema'))];
  if (binding === undefined) throw nothing('the operator has never reached its chain');
  if (schema > schemaVersion) {
    throw new BackupError(BackupErrorCode.TOO_NEW, 'The state is of a newer version of Keyloom.', {
      metadata: { schema, supported: schemaVersion },
    });
  }
  const [chainId, gateway, signer] = JSON.parse(binding) as [string, Address, Address];
  const scanned = snapshot.prepare('SELECT height FROM scanned').get();
  const epochs = snapshot
    .prepare("SELECT substr(name, 7, 66) AS id FROM secrets WHERE name LIKE 'epoch/%/set-keys'")
    .all()
    .map((row) => String(row['id']));
  const height = scanned && String(scanned['height']);
  return { chainId, gateway, signer, schema, ...(height && { height }), epochs };
}

/** @throws StoreError STATE_UNREADABLE, with what SQLite finds wrong first */
function assertIntact(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (found === 'ok') return;
  throw new StoreError(StoreErrorCode.STATE_UNREADABLE, 'The state file is damaged.', {
    metadata: { found: String(found) },
  });
}
