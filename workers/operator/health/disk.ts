import { statfs } from 'node:fs/promises';

/** Room on the file system of a folder, in bytes. */
export interface DiskRoom {
  /** What this process may still use. */
  readonly freeBytes: number;
  readonly usedBytes: number;
}

/** Measures a file system; undefined where the system does not say. */
export async function diskRoom(folder: string): Promise<DiskRoom | undefined> {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(folder);
    return { freeBytes: bavail * bsize, usedBytes: (blocks - bfree) * bsize };
  } catch {
    return undefined;
  }
}
