import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bindDatabase } from '../binding.ts';
import { Database } from '../database.ts';
import { isMissing, syncDirectory } from '../files.ts';
import { Restoration } from '../restoration.ts';
import { BackupError, BackupErrorCode } from './errors.ts';
import { stateName, type Manifest } from './manifest.ts';
import { readBackup } from './read.ts';

/**
 * Restores a backup into a folder: `identity.json` and `data/`, for the owner alone. The folder gets its
 * name after all of it has been checked and is on the disk; before, there is nothing.
 *
 * The state is marked as restored: see `Restoration`.
 *
 * @param into a folder that does not exist yet, or is empty
 * @throws what `readBackup` throws; BackupError TARGET_EXISTS, WRITE_FAILED; StoreError
 *   STATE_UNREADABLE, IDENTITY_MISMATCH if the state is not what the manifest says
 */
export async function restoreBackup(
  file: string,
  identityFile: string,
  passphrase: string | undefined,
  into: string,
): Promise<Manifest> {
  await requireFree(into);
  const temporary = `${into}.${randomUUID()}`;
  try {
    await mkdir(dirname(join(temporary, stateName)), { recursive: true, mode: 0o700 });
    const manifest = await readBackup(file, identityFile, passphrase, (name, content) =>
      writeFile(join(temporary, name), content),
    );
    markRestored(dirname(join(temporary, stateName)), manifest);
    await syncDirectory(dirname(join(temporary, stateName)));
    await syncDirectory(temporary);
    await rename(temporary, into);
    await syncDirectory(dirname(into));
    return manifest;
  } catch (cause) {
    throw writeError(into, cause);
  } finally {
    // What cannot be removed does not undo what was written.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
}

function markRestored(dataDir: string, { chainId, gateway, signer, createdAt }: Manifest): void {
  const database = new Database(dataDir);
  try {
    database.assertIntact();
    bindDatabase(database, { chainId: BigInt(chainId), gateway, signer });
    new Restoration(database).mark(createdAt);
  } finally {
    database.close();
  }
}

async function requireFree(into: string): Promise<void> {
  const names = await readdir(into).catch((cause: unknown) => {
    if (isMissing(cause)) return [];
    throw writeError(into, cause);
  });
  if (names.length > 0) throw taken(into);
}

async function writeFile(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of content) await file.appendFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

const taken = (into: string, cause?: unknown): BackupError =>
  new BackupError(
    BackupErrorCode.TARGET_EXISTS,
    `${into} has something in it, and nothing is ever overwritten: name another folder.`,
    { cause },
  );

function writeError(into: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'code' in cause && 'syscall' in cause)) return cause;
  if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(String(cause.code))) return taken(into, cause);
  return new BackupError(
    BackupErrorCode.WRITE_FAILED,
    `The backup cannot be read, or ${into} not be written: ${cause.message}`,
    { cause },
  );
}
