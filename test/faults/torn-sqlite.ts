import { existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';

/** Does half of a write. */
export type Half = () => void;

const PAGE_BYTES = 4096;

/**
 * Half of what a statement writes to a database with a write-ahead log: the log ends in the middle of what
 * was added to it. If the statement copied the log into the file, the log is as it was, and of the pages
 * that were copied half are there.
 *
 * Only for a process that ends with it: SQLite does not know.
 */
export function afterHalfOf(file: string, act: () => unknown): Half {
  const log = `${file}-wal`;
  return () => {
    const before = { file: bytesOf(file), log: bytesOf(log) };
    act();
    const after = { file: bytesOf(file), log: bytesOf(log) };
    if (before.file.equals(after.file)) {
      if (!before.log.equals(after.log)) overwrite(log, halfOfLog(before.log, after.log));
      return;
    }
    if (after.log.length === 0 && before.log.length > 0) overwrite(log, before.log);
    overwrite(file, halfOfPages(before.file, after.file));
  };
}

const bytesOf = (path: string): Buffer => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0));

/** Gives a file that is there other content. */
function overwrite(path: string, content: Buffer): void {
  writeSync(openSync(path, 'r+'), content, 0, content.length, 0);
  truncateSync(path, content.length);
}

/** The earlier bytes with the first half of what the later ones have differently. */
export function halfOfLog(before: Buffer, after: Buffer): Buffer {
  let from = 0;
  while (from < before.length && before[from] === after[from]) from++;
  let to = after.length;
  if (to === before.length) while (to > from && before[to - 1] === after[to - 1]) to--;
  const half = from + ((to - from) >> 1);
  return Buffer.concat([after.subarray(0, half), before.subarray(half)]);
}

/** The later bytes with every other page that was changed as it was before. */
export function halfOfPages(before: Buffer, after: Buffer): Buffer {
  const half = Buffer.concat([after.subarray(0, before.length), before.subarray(after.length)]);
  let isBack = false;
  for (let at = 0; at < before.length; at += PAGE_BYTES) {
    const page = before.subarray(at, at + PAGE_BYTES);
    if (page.equals(half.subarray(at, at + PAGE_BYTES))) continue;
    if (isBack) page.copy(half, at);
    isBack = !isBack;
  }
  return half;
}
