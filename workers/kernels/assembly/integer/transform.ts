// Negacyclic number-theoretic transform with Harvey's lazy butterflies
// (Harvey, "Faster arithmetic for number-theoretic transforms", 2014, algorithms 2 to 4).
//
// `table` holds n constants split into two arrays: n values w, then n ratios. See transform.ts of
// the wrapper for their order.

import { U64 } from './arithmetic';

/** In place: natural order in [0, p) to bit-reversed order in [0, p). */
export function forward(x: usize, n: i32, table: usize, m: usize, _lazy: i32): void {
  const p = load<u64>(m);
  const twoP = p << 1;
  const ratios = table + ((<usize>n) << 3);
  let gap = (<usize>n) << 2;
  for (let blocks = 1; blocks < n; blocks <<= 1) {
    let block = x;
    for (let i = blocks; i < blocks << 1; i++) {
      const w = load<u64>(table + ((<usize>i) << 3));
      const ratio = load<u64>(ratios + ((<usize>i) << 3));
      for (const end = block + gap; block < end; block += 8) {
        const u = U64.subtractIfAtLeast(load<u64>(block), twoP);
        const v = U64.mulConstant(load<u64>(block + gap), w, ratio, p);
        store<u64>(block, u + v);
        store<u64>(block + gap, u + twoP - v);
      }
      block += gap;
    }
    gap >>= 1;
  }
  for (const end = x + ((<usize>n) << 3); x < end; x += 8) {
    store<u64>(x, U64.subtractIfAtLeast(U64.subtractIfAtLeast(load<u64>(x), twoP), p));
  }
}

/** In place: bit-reversed order in [0, p) to natural order in [0, p), 1/n included. */
export function inverse(x: usize, n: i32, table: usize, m: usize, _lazy: i32): void {
  const p = load<u64>(m);
  const twoP = p << 1;
  const ratios = table + ((<usize>n) << 3);
  let gap: usize = 8;
  for (let blocks = n >> 1; blocks > 1; blocks >>= 1) {
    let block = x;
    for (let i = blocks; i < blocks << 1; i++) {
      const w = load<u64>(table + ((<usize>i) << 3));
      const ratio = load<u64>(ratios + ((<usize>i) << 3));
      for (const end = block + gap; block < end; block += 8) {
        const u = load<u64>(block);
        const v = load<u64>(block + gap);
        store<u64>(block, U64.subtractIfAtLeast(u + v, twoP));
        store<u64>(block + gap, U64.mulConstant(u + twoP - v, w, ratio, p));
      }
      block += gap;
    }
    gap <<= 1;
  }
  // Entries 0 and 1 of the table already contain 1/n.
  const w0 = load<u64>(table);
  const ratio0 = load<u64>(ratios);
  const w1 = load<u64>(table, 8);
  const ratio1 = load<u64>(ratios, 8);
  for (const end = x + gap; x < end; x += 8) {
    const u = load<u64>(x);
    const v = load<u64>(x + gap);
    store<u64>(x, U64.subtractIfAtLeast(U64.mulConstant(u + v, w0, ratio0, p), p));
    store<u64>(x + gap, U64.subtractIfAtLeast(U64.mulConstant(u + twoP - v, w1, ratio1, p), p));
  }
}
