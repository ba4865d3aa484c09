import { createHash, hash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hex } from 'viem';
import type { Disk } from './disk.ts';
import { StoreError, StoreErrorCode } from './errors.ts';
import { clearIncoming, isMissing, syncDirectory } from './files.ts';
import { canonicalHex32 } from './hex.ts';

const sha256 = (bytes: Uint8Array): Hex => `0x${hash('sha256', bytes, 'hex')}`;

/** Bytes that are read at once of a blob that is not held whole. */
const CHUNK_BYTES = 1 << 18;
/** Buffers that are kept for the next bytes to lend, each as long as a blob that was. */
const SPARE_BUFFERS = 4;

/** A blob that grows by pieces; it has no name, and is not kept, before `commit`. */
export interface BlobWriter {
  append(bytes: Uint8Array): Promise<void>;
  /** Keeps the bytes durably and returns their digest. The writer is of no use afterwards. */
  commit(): Promise<Hex>;
  /** Drops the bytes; nothing happens after `commit`. */
  abort(): Promise<void>;
}

/** A blob to be read piece by piece, once. Nothing is open before the first piece is asked for. */
export interface BlobReader {
  readonly length: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Public objects as files, named by the SHA-256 of their bytes. */
export class Blobs {
  readonly #directory: string;
  readonly #disk: Disk;
  /** What was lent and is free again. */
  readonly #spare: Buffer[] = [];

  private constructor(directory: string, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  /**
   * Opens the blobs of a data directory and clears what a crash left half-written.
   *
   * @throws StoreError DISK_FULL, DISK_FAILED
   */
  static async open(directory: string, disk: Disk): Promise<Blobs> {
    const blobs = new Blobs(directory, disk);
    await blobs.#write(() => clearIncoming(blobs.#incoming()));
    return blobs;
  }

  /**
   * Keeps bytes durably and returns their digest.
   *
   * The file gets its name only after its bytes are on the disk, so a name never has part of them.
   *
   * @throws StoreError DISK_FULL, DISK_FAILED
   */
  async put(bytes: Uint8Array): Promise<Hex> {
    const digest = sha256(bytes);
    if (await this.has(digest)) return digest;
    const writer = await this.create();
    try {
      await writer.append(bytes);
      return await writer.commit();
    } finally {
      await writer.abort();
    }
  }

  /**
   * Begins a blob that is not held in memory.
   *
   * @throws StoreError DISK_FULL, DISK_FAILED, as its methods do
   */
  async create(): Promise<BlobWriter> {
    const temporary = join(this.#incoming(), randomUUID());
    const file = await this.#write(() => open(temporary, 'wx', 0o600));
    const hashed = createHash('sha256');
    let isEnded = false;
    return {
      append: async (bytes) => {
        hashed.update(bytes);
        await this.#write(() => file.appendFile(bytes));
      },
      commit: async () => {
        const digest: Hex = `0x${hashed.digest('hex')}`;
        const path = this.#path(digest);
        await this.#write(async () => {
          await file.sync();
          await file.close();
          await mkdir(dirname(path), { recursive: true, mode: 0o700 });
          await rename(temporary, path);
          isEnded = true;
          await syncDirectory(dirname(path));
          await syncDirectory(this.#directory);
        });
        return digest;
      },
      abort: async () => {
        if (isEnded) return;
        isEnded = true;
        // Again is harmless, as after a `commit` that failed.
        await file.close();
        // What is left is swept at the next start. That it went says nothing of whether there is room.
        await rm(temporary, { force: true }).catch(() => undefined);
      },
    };
  }

  /**
   * The bytes of a digest, which is checked again.
   *
   * @throws StoreError BLOB_MISSING; BLOB_CORRUPT, after which the blob is missing and can be
   *   pulled from a peer
   */
  async get(digest: Hex): Promise<Uint8Array> {
    const path = this.#path(digest);
    const bytes = await readFile(path).catch((error: unknown) => unreadable(digest, error));
    if (sha256(bytes) !== digest.toLowerCase()) throw await this.#remove(digest);
    return bytes;
  }

  /**
   * What `work` makes of the bytes of a digest, which are lent to it: it must not keep them, and they are
   * changed as soon as it has returned.
   *
   * @throws as `get`, and what `work` throws
   */
  async use<T>(digest: Hex, work: (bytes: Uint8Array) => T): Promise<T> {
    const file = await open(this.#path(digest), 'r').catch((error: unknown) =>
      unreadable(digest, error),
    );
    let lent: Buffer | undefined;
    try {
      const { size } = await file.stat();
      lent = this.#take(size);
      let length = 0;
      for (let bytesRead = -1; bytesRead !== 0 && length < size; length += bytesRead)
        ({ bytesRead } = await file.read(lent, length, size - length, length));
      const bytes = lent.subarray(0, length);
      if (sha256(bytes) !== digest.toLowerCase()) throw await this.#remove(digest);
      return work(bytes);
    } finally {
      if (lent !== undefined && this.#spare.length < SPARE_BUFFERS) this.#spare.push(lent);
      await file.close();
    }
  }

  /** A buffer of that size or more. */
  #take(size: number): Buffer {
    const spare = this.#spare.pop();
    return spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
  }

  /** As `get`, for a blob that need not be in memory whole: it is read twice instead. */
  async read(digest: Hex): Promise<BlobReader> {
    const path = this.#path(digest);
    const file = await open(path, 'r').catch((error: unknown) => unreadable(digest, error));
    let length: number | undefined;
    try {
      length = await hashedLength(file, digest);
    } finally {
      await file.close();
    }
    if (length === undefined) throw await this.#remove(digest);
    return { length, chunks: chunksOf(path) };
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

  /** The file that has the blob, if it is held: for another thread, which checks the bytes itself. */
  path(digest: Hex): string {
    return this.#path(digest);
  }

  /** Drops a blob; nothing happens if it is not held. */
  async remove(digest: Hex): Promise<void> {
    await this.#write(() => rm(this.#path(digest), { force: true }));
  }

  #write<T>(act: () => Promise<T>): Promise<T> {
    return this.#disk.write('blobs', this.#directory, act);
  }

  async #remove(digest: Hex): Promise<StoreError> {
    await this.remove(digest);
    return new StoreError(StoreErrorCode.BLOB_CORRUPT, 'A blob was damaged; it is removed.', {
      metadata: { digest },
    });
  }

  #incoming(): string {
    return join(this.#directory, 'incoming');
  }

  #path(digest: Hex): string {
    const name = canonicalHex32(digest, 'digest').slice(2);
    return join(this.#directory, name.slice(0, 2), name);
  }
}

function unreadable(digest: Hex, cause: unknown): never {
  if (isMissing(cause)) {
    throw new StoreError(StoreErrorCode.BLOB_MISSING, 'No blob of this digest is held.', {
      metadata: { digest },
    });
  }
  throw new StoreError(StoreErrorCode.STATE_UNREADABLE, 'A blob cannot be read.', {
    metadata: { digest },
    cause,
  });
}

/** Length of an open file whose bytes have the digest; undefined if they have another. */
async function hashedLength(file: FileHandle, digest: Hex): Promise<number | undefined> {
  const hashed = createHash('sha256');
  let length = 0;
  for await (const chunk of read(file)) {
    hashed.update(chunk);
    length += chunk.length;
  }
  return `0x${hashed.digest('hex')}` === digest.toLowerCase() ? length : undefined;
}

/** A file piece by piece. */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, 'r');
  try {
    yield* read(file);
  } finally {
    await file.close();
  }
}

async function* read(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    // A new piece each time: whoever has one may still be sending it.
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, chunk.length);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
  }
}
