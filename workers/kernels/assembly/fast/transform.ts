// Negacyclic number-theoretic transform, two layers per pass over the vector (radix 4).
//
// `table` holds n constants split into two arrays: n values w, then n ratios. `lazy` is the number
// of layers that may follow each other without reduction for this prime.

import { F64x2 } from './arithmetic';
import { reduce } from './vector';

/** In place: |x| <= p in natural order to |x| <= (p + 1)/2 in bit-reversed order. */
export function forward(x: usize, n: i32, table: usize, m: usize, lazy: i32): void {
  const ratios = table + ((<usize>n) << 3);
  let gap = (<usize>n) << 2;
  let blocks = 1;
  let layers = 0;
  if (ctz(n) & 1) {
    forwardLayer(x, gap, table, ratios, m);
    gap >>= 1;
    blocks = 2;
    layers = 1;
  }
  for (; gap > 16; gap >>= 2, blocks <<= 2, layers += 2) {
    if (layers + 2 > lazy) {
      reduce(x, n, m);
      layers = 0;
    }
    forwardPass(x, gap, blocks, table, ratios, m);
  }
  if (layers + 2 > lazy) reduce(x, n, m);
  forwardLastPass(x, n, table, ratios, m);
}

/** The first layer alone, for an odd number of layers. */
function forwardLayer(x: usize, gap: usize, table: usize, ratios: usize, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  const w = v128.load64_splat(table, 8);
  const ratio = v128.load64_splat(ratios, 8);
  for (const end = x + gap; x < end; x += 16) {
    const u = v128.load(x);
    const v = F64x2.mulConstant(v128.load(x + gap), w, ratio, p, rounder);
    v128.store(x, f64x2.add(u, v));
    v128.store(x + gap, f64x2.sub(u, v));
  }
}

/** The layers of `blocks` and 2·`blocks` blocks; `gap` bytes between the partners of the first. */
function forwardPass(
  x: usize,
  gap: usize,
  blocks: i32,
  table: usize,
  ratios: usize,
  m: usize,
): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  const half = gap >> 1;
  for (let i = blocks; i < blocks << 1; i++) {
    const at = (<usize>i) << 3;
    const w1 = v128.load64_splat(table + at);
    const ratio1 = v128.load64_splat(ratios + at);
    const w2 = v128.load64_splat(table + (at << 1));
    const ratio2 = v128.load64_splat(ratios + (at << 1));
    const w3 = v128.load64_splat(table + (at << 1), 8);
    const ratio3 = v128.load64_splat(ratios + (at << 1), 8);
    for (const end = x + half; x < end; x += 16) {
      const upper = x + gap;
      const x0 = v128.load(x);
      const x1 = v128.load(x + half);
      const x2 = F64x2.mulConstant(v128.load(upper), w1, ratio1, p, rounder);
      const x3 = F64x2.mulConstant(v128.load(upper + half), w1, ratio1, p, rounder);
      const a = f64x2.add(x0, x2);
      const b = F64x2.mulConstant(f64x2.add(x1, x3), w2, ratio2, p, rounder);
      const c = f64x2.sub(x0, x2);
      const d = F64x2.mulConstant(f64x2.sub(x1, x3), w3, ratio3, p, rounder);
      v128.store(x, f64x2.add(a, b));
      v128.store(x + half, f64x2.sub(a, b));
      v128.store(upper, f64x2.add(c, d));
      v128.store(upper + half, f64x2.sub(c, d));
    }
    x += gap + half;
  }
}

/** The last two layers, within blocks of four residues, and a reduction of the results. */
function forwardLastPass(x: usize, n: i32, table: usize, ratios: usize, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  const reciprocal = v128.load64_splat(m, 8);
  const bytes = (<usize>n) << 3;
  let single = bytes >> 2;
  let pair = bytes >> 1;
  for (const end = x + bytes; x < end; x += 32, single += 8, pair += 16) {
    const u = v128.load(x);
    const v = F64x2.mulConstant(
      v128.load(x, 16),
      v128.load64_splat(table + single),
      v128.load64_splat(ratios + single),
      p,
      rounder,
    );
    const a = f64x2.add(u, v);
    const c = f64x2.sub(u, v);
    const even = v128.shuffle<f64>(a, c, 0, 2);
    const odd = F64x2.mulConstant(
      v128.shuffle<f64>(a, c, 1, 3),
      v128.load(table + pair),
      v128.load(ratios + pair),
      p,
      rounder,
    );
    const sum = F64x2.reduce(f64x2.add(even, odd), p, reciprocal, rounder);
    const difference = F64x2.reduce(f64x2.sub(even, odd), p, reciprocal, rounder);
    v128.store(x, v128.shuffle<f64>(sum, difference, 0, 2));
    v128.store(x, v128.shuffle<f64>(sum, difference, 1, 3), 16);
  }
}

/** In place: |x| <= p in bit-reversed order to |x| <= 3p/4 in natural order, 1/n included. */
export function inverse(x: usize, n: i32, table: usize, m: usize, lazy: i32): void {
  const ratios = table + ((<usize>n) << 3);
  inverseFirstPass(x, n, table, ratios, m);
  let layers = 2;
  let gap: usize = 32;
  let blocks = n >> 3;
  if ((ctz(n) & 1) === 0) {
    if (layers + 1 > lazy) {
      reduce(x, n, m);
      layers = 0;
    }
    inverseLayer(x, gap, blocks, table, ratios, m);
    gap <<= 1;
    blocks >>= 1;
    layers += 1;
  }
  for (; blocks > 1; gap <<= 2, blocks >>= 2, layers += 2) {
    if (layers + 2 > lazy) {
      reduce(x, n, m);
      layers = 0;
    }
    inversePass(x, gap, blocks >> 1, table, ratios, m);
  }
  if (layers + 1 > lazy) reduce(x, n, m);
  inverseLastLayer(x, gap, table, ratios, m);
}

/** The first two layers, within blocks of four residues. */
function inverseFirstPass(x: usize, n: i32, table: usize, ratios: usize, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  const bytes = (<usize>n) << 3;
  let single = bytes >> 2;
  let pair = bytes >> 1;
  for (const end = x + bytes; x < end; x += 32, single += 8, pair += 16) {
    const u = v128.load(x);
    const v = v128.load(x, 16);
    const even = v128.shuffle<f64>(u, v, 0, 2);
    const odd = v128.shuffle<f64>(u, v, 1, 3);
    const sum = f64x2.add(even, odd);
    const difference = F64x2.mulConstant(
      f64x2.sub(even, odd),
      v128.load(table + pair),
      v128.load(ratios + pair),
      p,
      rounder,
    );
    const left = v128.shuffle<f64>(sum, difference, 0, 2);
    const right = v128.shuffle<f64>(sum, difference, 1, 3);
    v128.store(x, f64x2.add(left, right));
    const w = v128.load64_splat(table + single);
    const ratio = v128.load64_splat(ratios + single);
    v128.store(x, F64x2.mulConstant(f64x2.sub(left, right), w, ratio, p, rounder), 16);
  }
}

/** One layer alone, for an even number of layers. */
function inverseLayer(
  x: usize,
  gap: usize,
  blocks: i32,
  table: usize,
  ratios: usize,
  m: usize,
): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  for (let i = blocks; i < blocks << 1; i++) {
    const w = v128.load64_splat(table + ((<usize>i) << 3));
    const ratio = v128.load64_splat(ratios + ((<usize>i) << 3));
    for (const end = x + gap; x < end; x += 16) {
      const u = v128.load(x);
      const v = v128.load(x + gap);
      v128.store(x, f64x2.add(u, v));
      v128.store(x + gap, F64x2.mulConstant(f64x2.sub(u, v), w, ratio, p, rounder));
    }
    x += gap;
  }
}

/** The layers of 2·`blocks` and `blocks` blocks; `gap` bytes between the partners of the first. */
function inversePass(
  x: usize,
  gap: usize,
  blocks: i32,
  table: usize,
  ratios: usize,
  m: usize,
): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  for (let i = blocks; i < blocks << 1; i++) {
    const at = (<usize>i) << 3;
    const w1 = v128.load64_splat(table + at);
    const ratio1 = v128.load64_splat(ratios + at);
    const w2 = v128.load64_splat(table + (at << 1));
    const ratio2 = v128.load64_splat(ratios + (at << 1));
    const w3 = v128.load64_splat(table + (at << 1), 8);
    const ratio3 = v128.load64_splat(ratios + (at << 1), 8);
    for (const end = x + gap; x < end; x += 16) {
      const upper = x + (gap << 1);
      const x0 = v128.load(x);
      const x1 = v128.load(x + gap);
      const x2 = v128.load(upper);
      const x3 = v128.load(upper + gap);
      const a = f64x2.add(x0, x1);
      const b = F64x2.mulConstant(f64x2.sub(x0, x1), w2, ratio2, p, rounder);
      const c = f64x2.add(x2, x3);
      const d = F64x2.mulConstant(f64x2.sub(x2, x3), w3, ratio3, p, rounder);
      v128.store(x, f64x2.add(a, c));
      v128.store(x + gap, f64x2.add(b, d));
      v128.store(upper, F64x2.mulConstant(f64x2.sub(a, c), w1, ratio1, p, rounder));
      v128.store(upper + gap, F64x2.mulConstant(f64x2.sub(b, d), w1, ratio1, p, rounder));
    }
    x += 3 * gap;
  }
}

/** The last layer; entries 0 and 1 of the table already contain 1/n. */
function inverseLastLayer(x: usize, gap: usize, table: usize, ratios: usize, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  const w0 = v128.load64_splat(table);
  const ratio0 = v128.load64_splat(ratios);
  const w1 = v128.load64_splat(table, 8);
  const ratio1 = v128.load64_splat(ratios, 8);
  for (const end = x + gap; x < end; x += 16) {
    const u = v128.load(x);
    const v = v128.load(x + gap);
    v128.store(x, F64x2.mulConstant(f64x2.add(u, v), w0, ratio0, p, rounder));
    v128.store(x + gap, F64x2.mulConstant(f64x2.sub(u, v), w1, ratio1, p, rounder));
  }
}
