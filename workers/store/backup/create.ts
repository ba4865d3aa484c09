import { createHash } from 'node:crypto';
import { open, readFile, rm, stat } from 'node:fs/promises';
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

/** Writes a file durably, for the owner alone; leaves none if that fails. @returns its SHA-256 */
async function writeNew(path: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw writeError(path, cause);
  });
  try {
    const hashed = createHash('sha256');
    for await (const chunk of chunks) {
      hashed.update(chunk);
      await file.appendFile(chunk);
    }
    await file.sync();
    await file.close();
    await syncDirectory(dirname(path));
    return hashed.digest('hex');
  } catch (cause) {
    await file.close();
    await rm(path, { force: true });
    throw writeError(path, cause);
  }
}

function writeError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'code' in cause && 'syscall' in cause)) return cause;
  const [code, why] =
    cause.code === 'EEXIST'
      ? [BackupErrorCode.TARGET_EXISTS, 'it exists, and is never overwritten']
      : [BackupErrorCode.WRITE_FAILED, isMissing(cause) ? 'its folder is missing' : cause.message];
  return new BackupError(code, `${path} cannot be written: ${why}.`, { cause });
}
