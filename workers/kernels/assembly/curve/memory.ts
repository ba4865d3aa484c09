// Memory of one call: blocks from a bump pointer, all given back and wiped by `release`.

const SCRATCH: usize = 48 * 80;

/** Temporary elements of 80 bytes: 0 to 20 for field.ts and convert.ts, the rest for group.ts. */
export const scratch: usize = memory.data(3840, 16);

let top: usize = __heap_base;

/** A block of that many bytes, 16-byte aligned, zeroed. */
export function allocate(bytes: usize): usize {
  const start = (top + 15) & ~15;
  top = start + bytes;
  const pages = <i32>((top + 0xffff) >>> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
  return start;
}

/** Where the next block starts: for `release`. */
export function mark(): usize {
  return top;
}

/** Gives back and wipes all blocks since `mark`, and the temporary elements. */
export function release(since: usize): void {
  memory.fill(since, 0, top - since);
  memory.fill(scratch, 0, SCRATCH);
  top = since;
}
