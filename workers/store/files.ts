import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError } from './disk.ts';

/** True of the error for a file or folder that does not exist. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** True of the error for a file or folder that exists already. */
export const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EEXIST';

/**
 * Creates a file with its whole content at once, and durably; a link refuses a name that is taken.
 *
 * @throws StoreError DISK_FULL, DISK_FAILED; the system's error, {@link isTaken}, of one that is there
 */
export async function writeNewFile(path: string, content: string, mode: number): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeAndLink(path, content, mode);
  } catch (error) {
    throw isTaken(error) ? error : (diskError(error, path) ?? error);
  }
}

async function writeAndLink(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    await syncDirectory(dirname(path));
  } finally {
    // What cannot be removed does no harm, and does not undo what was written.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Makes a rename in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Empties the folder of what is being written, or makes it. Without a write where there is nothing to do:
 * an operator starts on a full disk, too.
 */
export async function clearIncoming(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  for (const name of await readdir(path)) await rm(join(path, name), { force: true });
}

/** A file piece by piece. Nothing is open before the first one is asked for. */
export async function* contentOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield* createReadStream(path) as AsyncIterable<Uint8Array>;
}
