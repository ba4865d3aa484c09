import { isKeyloomError } from '../errors.ts';
import { StoreError, StoreErrorCode } from './errors.ts';

/** What the system says when there is no room: on the disk, or for this account. */
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** The same of SQLite, whose codes have more detail in their upper bytes. */
const SQLITE_FULL = 13;
/** SQLite's: not permitted, read-only, error of input or output, cannot be opened. */
const SQLITE_FAILED: readonly number[] = [3, 8, 10, 14];

/** The parts of a data directory, each of which may fail alone. */
export type DiskPart = 'state' | 'blobs' | 'transcripts';

/**
 * The coded form of what the system or SQLite throws for a disk that is full, is read-only, fails or
 * refuses access; undefined for anything else.
 */
export function diskError(error: unknown, path: string): StoreError | undefined {
  if (!(error instanceof Error) || isKeyloomError(error)) return undefined;
  const sqlite = 'errcode' in error ? Number(error.errcode) % 256 : undefined;
  const system = 'syscall' in error && 'code' in error ? error.code : undefined;
  const options = { metadata: { path }, cause: error };
  if (sqlite === SQLITE_FULL || NO_ROOM.includes(system)) {
    return new StoreError(
      StoreErrorCode.DISK_FULL,
      `There is no room for ${path}: make room. Nothing that was written is lost.`,
      options,
    );
  }
  if (system === undefined && (sqlite === undefined || !SQLITE_FAILED.includes(sqlite)))
    return undefined;
  return new StoreError(
    StoreErrorCode.DISK_FAILED,
    `${path} cannot be read or written (${error.message}): check the disk, and owner and mode.`,
    options,
  );
}

/** How writing to a data directory goes. */
export class Disk {
  readonly #failures = new Map<DiskPart, StoreErrorCode>();

  /** Code with which the latest write to some part failed; undefined once all of them succeed. */
  get failure(): StoreErrorCode | undefined {
    return this.#failures.values().next().value;
  }

  /** Notes that a write succeeded. */
  succeeded(part: DiskPart): void {
    this.#failures.delete(part);
  }

  /** Notes that a write failed, if it is the disk's fault. @returns the coded form, or the error itself */
  failed(part: DiskPart, path: string, error: unknown): unknown {
    const found = diskError(error, path);
    if (found !== undefined) this.#failures.set(part, found.code);
    return found ?? error;
  }

  /** Writes to a part. @throws StoreError DISK_FULL, DISK_FAILED */
  async write<T>(part: DiskPart, path: string, act: () => Promise<T>): Promise<T> {
    try {
      const value = await act();
      this.succeeded(part);
      return value;
    } catch (error) {
      throw this.failed(part, path, error);
    }
  }
}
