import { createHash, randomUUID } from 'node:crypto';
import { access, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { contentOf, isMissing, syncDirectory } from '../files.ts';
import { parseIdentity } from '../keystore.ts';
import { encryptTo } from './age.ts';
import { writeArchive, type ArchivedFile } from './archive.ts';
import { BackupError, BackupErrorCode, nothing } from './errors.ts';
import {
  encodeManifest,
  identityName,
  manifestName,
  stateName,
  type Manifest,
} from './manifest.ts';
import { withSnapshot } from './snapshot.ts';

/**
 * Writes a backup of an operator: its identity, and its state as of one moment. The operator may run.
 *
 * No passphrase takes part: what is secret is encrypted under it already, and stays so inside.
 *
 * @param source.identity the identity file
 * @param recipients public keys of age, at least one
 * @param out a file that does not exist yet
 * @throws BackupError RECIPIENT_INVALID, NOTHING_TO_KEEP, TARGET_EXISTS, WRITE_FAILED; StoreError
 *   IDENTITY_UNREADABLE, IDENTITY_CORRUPT, STATE_UNREADABLE
 */
export async function createBackup(
  source: { readonly identity: string; readonly dataDir: string },
  recipients: readonly string[],
  out: string,
): Promise<Manifest & { readonly sha256: string }> {
  const identity = await readFile(source.identity).catch((cause: unknown) => {
    throw nothing(`there is no identity at ${source.identity}`, cause);
  });
  parseIdentity(identity.toString(), source.identity);
  return withSnapshot(source.dataDir, async ({ path, ...state }) => {
    const files = [
      { name: identityName, bytes: identity.length, sha256: await digestOf([identity]) },
      {
        name: stateName,
        bytes: (await stat(path)).size,
        sha256: await digestOf(contentOf(path)),
      },
    ];
    const manifest: Manifest = { createdAt: new Date().toISOString(), ...state, files };
    const encoded = encodeManifest(manifest);
    const archived: ArchivedFile[] = [
      { name: manifestName, bytes: encoded.length, content: only(encoded) },
      { ...files[0], content: only(identity) },
      { ...files[1], content: contentOf(path) },
    ];
    const encrypted = await encryptTo(recipients, writeArchive(archived));
    return { ...manifest, sha256: await writeNew(out, encrypted) };
  });
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function digestOf(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> {
  const hashed = createHash('sha256');
  for await (const chunk of chunks) hashed.update(chunk);
  return hashed.digest('hex');
}

/**
 * Writes a file durably, for the owner alone; leaves none if that fails. It gets its name when all of it is
 * on the disk, so what a crash leaves is not taken for a backup.
 *
 * @returns its SHA-256
 */
async function writeNew(path: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await refuseTaken(path);
    const digest = await writeDurably(temporary, chunks);
    // Not a link, which many file systems that backups are kept on do not have.
    await refuseTaken(path);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return digest;
  } catch (cause) {
    throw writeError(path, cause);
  } finally {
    // What cannot be removed does no harm, and does not undo what was written.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** @returns the SHA-256 of what was written */
async function writeDurably(path: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hashed = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of chunks) {
      hashed.update(chunk);
      await file.appendFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hashed.digest('hex');
}

/** @throws BackupError TARGET_EXISTS */
async function refuseTaken(path: string): Promise<void> {
  const isTaken = await access(path).then(
    () => true,
    (cause: unknown) => !isMissing(cause),
  );
  if (!isTaken) return;
  throw new BackupError(
    BackupErrorCode.TARGET_EXISTS,
    `${path} cannot be written: it exists, and is never overwritten.`,
  );
}

function writeError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'code' in cause && 'syscall' in cause)) return cause;
  const why = isMissing(cause) ? 'its folder is missing' : cause.message;
  return new BackupError(BackupErrorCode.WRITE_FAILED, `${path} cannot be written: ${why}.`, {
    cause,
  });
}
