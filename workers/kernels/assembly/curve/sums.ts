// Sums of many points, each times a coefficient of 128 bits: Pippenger's buckets, with batched affine
// additions. See docs/curve.md, "Sums".
//
// A point is known by its id: point id is lane (id & 1) of pair (id >> 1) of one array. An entry of a
// list is 2·id + 1 for the negative of a point, else 2·id; NONE is infinity.

import { readElement, writeElement } from './convert';
import { gather, size, sub, zeroLanesOf } from './field';
import { addBatch, doubleBatch, pairSize, prepareBatch } from './group';
import { allocate, mark, release } from './memory';
import { addSingle, isInfinity } from './single';

const NONE: u32 = 0xffffffff;
const COEFFICIENT_BITS = 128;
/** Additions that share an inversion. */
const BATCH = 2048;

let points: usize = 0;
let nextId: u32 = 0;

// Additions that wait for their batch: two entries, and where the entry of the sum is.
let jobs: usize = 0;
let jobCount = 0;
let others: usize = 0;
let flags: usize = 0;
/** Two pairs. */
let equals: usize = 0;

function laneOf<G>(entry: u32): usize {
  return points + <usize>(entry >> 2) * pairSize<G>() + <usize>((entry << 2) & 8);
}

/** dst = two points, one in each lane. */
function load2<G>(dst: usize, first: u32, second: u32): void {
  const a = laneOf<G>(first);
  const b = laneOf<G>(second);
  const signs = i64x2.replace_lane(
    i64x2.splat((<u64>(first & 1)) << 63),
    1,
    (<u64>(second & 1)) << 63,
  );
  gather<G>(dst, a, b, i64x2.splat(0));
  gather<G>(dst + size<G>(), a + size<G>(), b + size<G>(), signs);
}

/** One lane of a pair to one lane of another. */
function copyLane<G>(to: usize, from: usize): void {
  for (let i: usize = 0; i < pairSize<G>(); i += 16) store<f64>(to + i, load<f64>(from + i));
}

function jobEntry(k: i32, part: usize): u32 {
  return load<u32>(jobs + <usize>k * 12 + (part << 2));
}

/** Settles the additions without an affine sum: of equal points, or of opposite ones. */
function doubleFlagged<G>(firstId: u32): void {
  const second = equals + pairSize<G>();
  let count = 0;
  for (let k = 0; k < jobCount; k++) {
    if (((load<u8>(flags + <usize>(k >> 1)) >> (<u8>(k & 1))) & 1) == 0) continue;
    load2<G>(equals, jobEntry(k, 0), jobEntry(k, 0));
    load2<G>(second, jobEntry(k, 1), jobEntry(k, 1));
    sub<G>(second, second + size<G>(), equals + size<G>());
    if (zeroLanesOf<G>(second) == 0) {
      store<u32>(jobEntry(k, 2), NONE);
      continue;
    }
    // The first points of pairs of such additions share a pair; k replaces a job that is settled.
    const to = others + <usize>(count >> 1) * pairSize<G>();
    if ((count & 1) == 0) memory.copy(to, equals, pairSize<G>());
    else copyLane<G>(to + 8, equals);
    store<u32>(jobs + <usize>count * 12, k);
    count++;
  }
  if (count == 0) return;
  doubleBatch<G>(others, (count + 1) >> 1);
  for (let k = 0; k < count; k++) {
    const from = others + <usize>(k >> 1) * pairSize<G>() + <usize>((k & 1) << 3);
    copyLane<G>(laneOf<G>((firstId + jobEntry(k, 0)) << 1), from);
  }
}

/** Does the additions that wait; their sums have ids from nextId on. */
function flush<G>(): void {
  if (jobCount == 0) return;
  const firstId = nextId - <u32>jobCount;
  const pairs = (jobCount + 1) >> 1;
  const sums = laneOf<G>(firstId << 1);
  for (let i = 0; i < pairs; i++) {
    const last = min(2 * i + 1, jobCount - 1);
    const at = <usize>i * pairSize<G>();
    load2<G>(sums + at, jobEntry(2 * i, 0), jobEntry(last, 0));
    load2<G>(others + at, jobEntry(2 * i, 1), jobEntry(last, 1));
  }
  memory.fill(flags, 0, pairs);
  addBatch<G>(sums, others, pairSize<G>(), pairs);
  doubleFlagged<G>(firstId);
  nextId += nextId & 1;
  jobCount = 0;
}

/** Replaces each of n lists (first entry at starts[k], lengths[k] entries) by its sum, or nothing. */
function sumLists<G>(entries: usize, starts: usize, lengths: usize, n: i32): void {
  let more = true;
  while (more) {
    more = false;
    for (let k = 0; k < n; k++) {
      const length = load<u32>(lengths + ((<usize>k) << 2));
      const list = entries + ((<usize>load<u32>(starts + ((<usize>k) << 2))) << 2);
      let held = NONE;
      let kept: usize = 0;
      for (let i: u32 = 0; i < length; i++) {
        const entry = load<u32>(list + ((<usize>i) << 2));
        if (entry == NONE) continue;
        if (held == NONE) {
          held = entry;
          continue;
        }
        const job = jobs + <usize>jobCount * 12;
        store<u32>(job, held);
        store<u32>(job, entry, 4);
        store<u32>(job, <u32>(list + (kept << 2)), 8);
        store<u32>(list + (kept << 2), nextId << 1);
        held = NONE;
        kept++;
        nextId++;
        if (++jobCount == 2 * BATCH) flush<G>();
      }
      if (held != NONE) {
        store<u32>(list + (kept << 2), held);
        kept++;
      }
      store<u32>(lengths + ((<usize>k) << 2), <u32>kept);
      if (kept > 1) more = true;
    }
    flush<G>();
  }
}

/** The cheapest width of a window for n points. */
function widthFor(n: i32): i32 {
  let best = 2;
  let least: f64 = Infinity;
  for (let bits = 2; bits <= 13; bits++) {
    const additions = <f64>(COEFFICIENT_BITS / bits + 1) * <f64>(n + bits * (1 << (bits - 2)));
    if (additions < least) {
      least = additions;
      best = bits;
    }
  }
  return best;
}

/** digits[w·n + k] = signed windows of coefficient k, within ±2^(bits-1). */
function windowsOf(digits: usize, coefficients: usize, n: i32, bits: i32, count: i32): void {
  for (let k = 0; k < n; k++) {
    const low = load<u64>(coefficients + ((<usize>k) << 4));
    const high = load<u64>(coefficients + ((<usize>k) << 4), 8);
    let carry = 0;
    for (let w = 0; w < count; w++) {
      const at = w * bits;
      let window: u64 = 0;
      if (at < 64) {
        window = low >> at;
        if (at > 0) window |= high << (64 - at);
      } else if (at < 128) window = high >> (at - 64);
      let digit = <i32>(window & ((1 << bits) - 1)) + carry;
      carry = digit > 1 << (bits - 1) ? 1 : 0;
      digit -= carry << bits;
      store<i16>(digits + ((<usize>(w * n + k)) << 1), <i16>digit);
    }
  }
}

/** dst = Σ coefficient[k]·src[k] over n points of a file. */
export function sumPoints<G>(dst: usize, src: usize, coefficients: usize, n: i32): void {
  const since = mark();
  const bytes: usize = sizeof<G>() << 6;
  const bits = widthFor(n);
  const count = COEFFICIENT_BITS / bits + 1;
  const buckets = 1 << (bits - 1);
  const firstBucket = <u32>((n + 1) & ~1);
  const firstSum = firstBucket + <u32>((count * buckets + 1) & ~1);
  // Lists per bit of the bucket's number: at most half of the buckets, and the last one.
  const listSize = (buckets >> 1) + 1;
  const sums = max(n, count * bits * listSize);
  const entries = allocate((<usize>sums) << 2);
  const starts = allocate((<usize>max(buckets + 1, count * bits)) << 2);
  const lengths = allocate((<usize>max(buckets + 1, count * bits)) << 2);
  const digits = allocate((<usize>(n * count)) << 1);
  // A batch starts at an even id, which costs one id per batch of which a round has at least one.
  const room = <usize>firstSum + <usize>(sums + sums / BATCH + 64);
  points = allocate(((room >> 1) + 1) * pairSize<G>());
  jobs = allocate(2 * BATCH * 12);
  jobCount = 0;
  others = allocate(<usize>BATCH * pairSize<G>());
  equals = allocate(2 * pairSize<G>());
  flags = allocate(BATCH);
  prepareBatch<G>(BATCH, flags);

  for (let i = 0; i < n; i += 2) {
    const from = src + <usize>i * bytes;
    const second = i + 1 < n ? from + bytes : from;
    const to = points + <usize>(i >> 1) * pairSize<G>();
    readElement<G>(to, from, second);
    readElement<G>(to + size<G>(), from + (bytes >> 1), second + (bytes >> 1));
  }
  windowsOf(digits, coefficients, n, bits, count);
  for (let k = 0; k < n; k++) {
    if (!isInfinity<G>(src + <usize>k * bytes)) continue;
    for (let w = 0; w < count; w++) store<i16>(digits + ((<usize>(w * n + k)) << 1), 0);
  }

  const filled = allocate(<usize>(count * buckets));
  for (let w = 0; w < count; w++) {
    nextId = firstSum;
    const row = digits + ((<usize>(w * n)) << 1);
    memory.fill(lengths, 0, (<usize>(buckets + 1)) << 2);
    for (let k = 0; k < n; k++) {
      const at = lengths + ((<usize>abs<i32>(load<i16>(row + ((<usize>k) << 1)))) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
    // Bucket 0 takes no part.
    let start: u32 = 0;
    for (let b: usize = 1; b <= <usize>buckets; b++) {
      store<u32>(starts + (b << 2), start);
      start += load<u32>(lengths + (b << 2));
    }
    memory.fill(lengths, 0, (<usize>(buckets + 1)) << 2);
    for (let k = 0; k < n; k++) {
      const digit = <i32>load<i16>(row + ((<usize>k) << 1));
      if (digit == 0) continue;
      const b = (<usize>abs<i32>(digit)) << 2;
      const length = load<u32>(lengths + b);
      const at = load<u32>(starts + b) + length;
      store<u32>(entries + ((<usize>at) << 2), ((<u32>k) << 1) | (digit < 0 ? 1 : 0));
      store<u32>(lengths + b, length + 1);
    }
    sumLists<G>(entries, starts + 4, lengths + 4, buckets);
    for (let b = 1; b <= buckets; b++) {
      if (load<u32>(lengths + ((<usize>b) << 2)) == 0) continue;
      const entry = load<u32>(entries + ((<usize>load<u32>(starts + ((<usize>b) << 2))) << 2));
      if (entry == NONE) continue;
      const index = w * buckets + b - 1;
      load2<G>(others, entry, entry);
      copyLane<G>(laneOf<G>((firstBucket + <u32>index) << 1), others);
      store<u8>(filled + <usize>index, 1);
    }
  }

  // Σ b·bucket[b] = Σ_j 2^j · (the sum of the buckets whose number has bit j).
  nextId = firstSum;
  for (let w = 0; w < count; w++) {
    for (let j = 0; j < bits; j++) {
      const list = w * bits + j;
      let length = 0;
      for (let b = 1; b <= buckets; b++) {
        const index = w * buckets + b - 1;
        if (((b >> j) & 1) == 0 || load<u8>(filled + <usize>index) == 0) continue;
        store<u32>(
          entries + ((<usize>(list * listSize + length)) << 2),
          (firstBucket + <u32>index) << 1,
        );
        length++;
      }
      store<u32>(starts + ((<usize>list) << 2), list * listSize);
      store<u32>(lengths + ((<usize>list) << 2), length);
    }
  }
  sumLists<G>(entries, starts, lengths, count * bits);

  const total = others;
  const part = others + pairSize<G>();
  let finite = false;
  for (let list = count * bits - 1; list >= 0; list--) {
    if (finite) doubleBatch<G>(total, 1);
    if (load<u32>(lengths + ((<usize>list) << 2)) == 0) continue;
    const entry = load<u32>(entries + ((<usize>(list * listSize)) << 2));
    if (entry == NONE) continue;
    load2<G>(finite ? part : total, entry, entry);
    finite = !finite || addSingle<G>(total, part);
  }
  memory.fill(dst, 0, bytes);
  if (finite) {
    writeElement<G>(dst, dst, total);
    writeElement<G>(dst + (bytes >> 1), dst + (bytes >> 1), total + size<G>());
  }
  release(since);
}
