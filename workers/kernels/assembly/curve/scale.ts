// Many points, each times its own scalar, in lockstep.

import * as Constants from './constants';
import { readElement, writeElement } from './convert';
import { constant, degree, FP, G1, gather, reduce, scale as scaleBy, size } from './field';
import { addBatch, doubleBatch, pairSize, prepareBatch, psi } from './group';
import { allocate, mark, release, scratch } from './memory';
import { recode, streams, windowBits, windows } from './recode';
import { scaleSingle } from './single';

const factor = scratch + 35 * FP;

/** Odd multiples 1, 3, … of n pairs: `tables[e]` is n pairs; then the x (and y) of their images. */
let tables: usize = 0;
let images: usize = 0;

/** Distance in bytes of entries e and e + 1 of a pair's images. */
function imageSize<G>(): usize {
  // g1: βx. g2: ψ's x and y, and the x of ψ² and ψ³.
  return degree<G>() == 1 ? FP : 4 * size<G>();
}

function buildTables<G>(points: usize, n: i32): void {
  const bits = <usize>windowBits<G>();
  const entries: usize = 1 << (bits - 1);
  const block = <usize>n * pairSize<G>();
  tables = allocate(entries * block);
  images = allocate(entries * <usize>n * imageSize<G>());
  const twice = allocate(block);
  memory.copy(twice, points, block);
  doubleBatch<G>(twice, n);
  memory.copy(tables, points, block);
  for (let e: usize = 1; e < entries; e++) {
    memory.copy(tables + e * block, tables + (e - 1) * block, block);
    addBatch<G>(tables + e * block, twice, pairSize<G>(), n);
  }
  constant<G1>(factor, degree<G>() == 1 ? Constants.beta : Constants.psiSquaredX);
  for (let k: usize = 0; k < entries * <usize>n; k++) {
    const point = tables + k * pairSize<G>();
    const image = images + k * imageSize<G>();
    if (degree<G>() == 1) {
      scaleBy<G>(image, point, factor);
      reduce<G>(image, image);
    } else {
      psi(image, point);
      for (let half: usize = 0; half < 2; half++) {
        const x = image + (2 + half) * size<G>();
        scaleBy<G>(x, half == 0 ? point : image, factor);
        reduce<G>(x, x);
      }
    }
  }
}

function entryOf<G>(digit: u32): usize {
  const bits = windowBits<G>();
  const half: u32 = 1 << (bits - 1);
  return <usize>((digit & half ? digit : ~digit) & (half - 1));
}

function signOf<G>(digit: u32): u64 {
  const bits = windowBits<G>();
  return (<u64>((~digit >> (bits - 1)) & 1)) << 63;
}

/** Where the x of a table entry's image under the stream's endomorphism is. */
function xOf<G>(stream: usize, k: usize): usize {
  if (stream == 0) return tables + k * pairSize<G>();
  if (degree<G>() == 1) return images + k * FP;
  return images + k * imageSize<G>() + (stream == 1 ? 0 : stream * size<G>());
}

function yOf<G>(stream: usize, k: usize): usize {
  if (degree<G>() == 2 && (stream & 1) == 1) return images + k * imageSize<G>() + size<G>();
  return tables + k * pairSize<G>() + size<G>();
}

/** dst = for each of n pairs the table entries that two digits per pair ask for. */
function select<G>(dst: usize, digits: usize, stream: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const first = <u32>load<u8>(digits + 2 * i);
    const second = <u32>load<u8>(digits + 2 * i, 1);
    const signs = i64x2.replace_lane(i64x2.splat(signOf<G>(first)), 1, signOf<G>(second));
    const a = entryOf<G>(first) * <usize>n + i;
    const b = entryOf<G>(second) * <usize>n + i;
    const to = dst + i * pairSize<G>();
    gather<G>(to, xOf<G>(stream, a), xOf<G>(stream, b) + 8, i64x2.splat(0));
    gather<G>(to + size<G>(), yOf<G>(stream, a), yOf<G>(stream, b) + 8, signs);
  }
}

/** dst[k] = scalar[k]·src[k] for n points of a file; n is even. */
export function scalePoints<G>(dst: usize, src: usize, scalars: usize, n: i32): void {
  const since = mark();
  const pairs = n >> 1;
  const bytes: usize = sizeof<G>() << 6;
  const points = allocate(<usize>pairs * pairSize<G>());
  const selected = allocate(<usize>pairs * pairSize<G>());
  const digits = allocate(windows<G>() * streams<G>() * <usize>n);
  const flags = allocate(<usize>pairs);
  prepareBatch<G>(pairs, flags);
  recode<G>(digits, scalars, n);
  for (let i: usize = 0; i < <usize>pairs; i++) {
    const from = src + 2 * i * bytes;
    const to = points + i * pairSize<G>();
    readElement<G>(to, from, from + bytes);
    readElement<G>(to + size<G>(), from + (bytes >> 1), from + bytes + (bytes >> 1));
  }
  buildTables<G>(points, pairs);
  for (let l = <i32>windows<G>() - 1; l >= 0; l--) {
    const top = l == <i32>windows<G>() - 1;
    if (!top) for (let k: u32 = 0; k < windowBits<G>(); k++) doubleBatch<G>(points, pairs);
    for (let stream: usize = 0; stream < streams<G>(); stream++) {
      const row = digits + (<usize>l * streams<G>() + stream) * <usize>n;
      if (top && stream == 0) select<G>(points, row, stream, pairs);
      else {
        select<G>(selected, row, stream, pairs);
        addBatch<G>(points, selected, pairSize<G>(), pairs);
      }
    }
  }
  for (let i: usize = 0; i < <usize>pairs; i++) {
    const from = points + i * pairSize<G>();
    const to = dst + 2 * i * bytes;
    writeElement<G>(to, to + bytes, from);
    writeElement<G>(to + (bytes >> 1), to + bytes + (bytes >> 1), from + size<G>());
  }
  for (let k: usize = 0; k < <usize>n; k++) {
    if (((load<u8>(flags + (k >> 1)) >> (<u8>(k & 1))) & 1) == 0) continue;
    scaleSingle<G>(dst + k * bytes, src + k * bytes, scalars + (k << 5));
  }
  release(since);
}
