import { hash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hex } from 'viem';
import { StoreError, StoreErrorCode } from './errors.ts';
import { canonicalHex32 } from './hex.ts';

const sha256 = (bytes: Uint8Array): Hex => `0x${hash('sha256', bytes, 'hex')}`;

const isMissing = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Public objects as files, named by the SHA-256 of their bytes. */
export class Blobs {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens the blobs of a data directory and clears what a crash left half-written. */
  static async open(directory: string): Promise<Blobs> {
    const blobs = new Blobs(directory);
    await rm(blobs.#incoming(), { recursive: true, force: true });
    await mkdir(blobs.#incoming(), { recursive: true, mode: 0o700 });
    return blobs;
  }

  /**
   * Keeps bytes durably and returns their digest.
   *
   * The file gets its name only after its bytes are on the disk, so a name never has part of them.
   */
  async put(bytes: Uint8Array): Promise<Hex> {
    const digest = sha256(bytes);
    const path = this.#path(digest);
    if (await this.has(digest)) return digest;
    const temporary = join(this.#incoming(), randomUUID());
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    await syncDirectory(this.#directory);
    return digest;
  }

  /**
   * The bytes of a digest, which is checked again.
   *
   * @throws StoreError BLOB_MISSING; BLOB_CORRUPT, after which the blob is missing and can be
   *   pulled from a peer
   */
  async get(digest: Hex): Promise<Uint8Array> {
    const path = this.#path(digest);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (error) {
      if (!isMissing(error)) {
        throw new StoreError(StoreErrorCode.STATE_UNREADABLE, 'A blob cannot be read.', {
          metadata: { digest },
          cause: error,
        });
      }
      throw new StoreError(StoreErrorCode.BLOB_MISSING, 'No blob of this digest is held.', {
        metadata: { digest },
      });
    }
    if (sha256(bytes) !== digest.toLowerCase()) {
      await rm(path, { force: true });
      throw new StoreError(StoreErrorCode.BLOB_CORRUPT, 'A blob was damaged; it is removed.', {
        metadata: { digest },
      });
    }
    return bytes;
  }

  /** True if a blob of this digest is held; its bytes are checked when they are read. */
  async has(digest: Hex): Promise<boolean> {
    try {
      return (await stat(this.#path(digest))).isFile();
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  #incoming(): string {
    return join(this.#directory, 'incoming');
  }

  #path(digest: Hex): string {
    const name = canonicalHex32(digest, 'digest').slice(2);
    return join(this.#directory, name.slice(0, 2), name);
  }
}

/** Makes a rename in a directory durable. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
