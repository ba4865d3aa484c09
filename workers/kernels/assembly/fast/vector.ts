// Operations on whole vectors of residues modulo one prime. "Canonical" is a u64 in [0, p); the
// resident form of this module is a double that is an integer of magnitude at most p, except in
// accumulators, which go up to 2^53 (the wrapper keeps the bound). Lengths are even.

import { F64x2 } from './arithmetic';

/** Canonical to resident form, in [0, p). */
export function toResident(dst: usize, src: usize, n: i32, m: usize): void {
  const unit = v128.load64_splat(m, 24);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(dst + i, F64x2.fromU64(v128.load(src + i), unit));
  }
}

/** Resident to canonical form, of magnitudes below p. */
export function toCanonical(dst: usize, src: usize, n: i32, m: usize): void {
  const unit = v128.load64_splat(m, 24);
  const p = v128.load64_splat(m);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(dst + i, F64x2.toU64(F64x2.canonical(v128.load(src + i), p), unit));
  }
}

/** dst = x + c, canonical; x resident, c canonical. */
export function storeSum(dst: usize, x: usize, c: usize, n: i32, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const unit = v128.load64_splat(m, 24);
  const p = v128.load64_splat(m);
  const reciprocal = v128.load64_splat(m, 8);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    const sum = f64x2.add(v128.load(x + i), F64x2.fromU64(v128.load(c + i), unit));
    const reduced = F64x2.reduce(sum, p, reciprocal, rounder);
    v128.store(dst + i, F64x2.toU64(F64x2.canonical(reduced, p), unit));
  }
}

/** x = x·b pointwise; x resident, b canonical. |x| <= 3p/4 + 1. */
export function multiply(x: usize, b: usize, n: i32, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const unit = v128.load64_splat(m, 24);
  const p = v128.load64_splat(m);
  const reciprocal = v128.load64_splat(m, 8);
  for (const end = x + ((<usize>n) << 3); x < end; x += 16, b += 16) {
    v128.store(
      x,
      F64x2.mul(v128.load(x), F64x2.fromU64(v128.load(b), unit), p, reciprocal, rounder),
    );
  }
}

/** acc += x·c; x canonical. Adds at most 3p/4. */
export function addScaled(acc: usize, x: usize, n: i32, c: usize, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const unit = v128.load64_splat(m, 24);
  const p = v128.load64_splat(m);
  const w = v128.load64_splat(c);
  const ratio = v128.load64_splat(c, 8);
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 16, x += 16) {
    const product = F64x2.mulConstant(F64x2.fromU64(v128.load(x), unit), w, ratio, p, rounder);
    v128.store(acc, f64x2.add(v128.load(acc), product));
  }
}

/** acc mod p, in place, |acc| <= 2^53: |result| <= p/2 + 1. */
export function reduce(acc: usize, n: i32, m: usize): void {
  const rounder = v128.load64_splat(m, 16);
  const p = v128.load64_splat(m);
  const reciprocal = v128.load64_splat(m, 8);
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 16) {
    v128.store(acc, F64x2.reduce(v128.load(acc), p, reciprocal, rounder));
  }
}

/**
 * dst = (x - r)·c, canonical, where r is the representative of `last` in [-half, half] and
 * `half` = (dropped prime - 1)/2; the dropped prime is below 2^50 as well. c = 1 / dropped prime.
 */
export function divide(
  dst: usize,
  x: usize,
  last: usize,
  n: i32,
  half: u64,
  c: usize,
  m: usize,
): void {
  const rounder = v128.load64_splat(m, 16);
  const unit = v128.load64_splat(m, 24);
  const p = v128.load64_splat(m);
  const w = v128.load64_splat(c);
  const ratio = v128.load64_splat(c, 8);
  const limit = f64x2.splat(<f64>half);
  const dropped = f64x2.splat(2.0 * <f64>half + 1.0);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    const remainder = F64x2.fromU64(v128.load(last + i), unit);
    const wrap = v128.and(dropped, f64x2.gt(remainder, limit));
    const difference = f64x2.sub(F64x2.fromU64(v128.load(x + i), unit), f64x2.sub(remainder, wrap));
    const quotient = F64x2.mulConstant(difference, w, ratio, p, rounder);
    v128.store(dst + i, F64x2.toU64(F64x2.canonical(quotient, p), unit));
  }
}

/** One coefficient of the negacyclic product a·s: the one at `position`, canonical, to `dst`. */
export function innerProduct(
  dst: usize,
  a: usize,
  s: usize,
  n: i32,
  position: i32,
  m: usize,
): void {
  const rounder = v128.load64_splat(m, 16);
  const unit = v128.load64_splat(m, 24);
  const plus = descending(a, s + ((<usize>position) << 3), position + 1, m);
  const wrapped = a + ((<usize>(position + 1)) << 3);
  const minus = descending(wrapped, s + ((<usize>(n - 1)) << 3), n - 1 - position, m);
  const p = v128.load64_splat(m);
  const lanes = f64x2.sub(plus, minus);
  const sum = f64x2.add(lanes, v128.shuffle<f64>(lanes, lanes, 1, 0));
  const reduced = F64x2.reduce(sum, p, v128.load64_splat(m, 8), rounder);
  v128.store64_lane(dst, F64x2.toU64(F64x2.canonical(reduced, p), unit), 0);
}

/** Sum of a[i]·s[-i] mod p, spread over two lanes, each of magnitude at most (p + 1)/2. */
function descending(a: usize, s: usize, count: i32, m: usize): v128 {
  const rounder = v128.load64_splat(m, 16);
  const unit = v128.load64_splat(m, 24);
  const p = v128.load64_splat(m);
  const reciprocal = v128.load64_splat(m, 8);
  // Products are at most 3p/4 + 1, sums 2^52.
  const run = <i32>(4503599627370496.0 / load<f64>(m));
  let sum = f64x2.splat(0);
  if (count & 1) {
    const left = F64x2.fromU64(v128.load64_zero(a), unit);
    sum = F64x2.mul(left, F64x2.fromU64(v128.load64_zero(s), unit), p, reciprocal, rounder);
    a += 8;
    s -= 8;
  }
  let pairs = count >> 1;
  while (pairs > 0) {
    const taken = min(pairs, run);
    for (let i = 0; i < taken; i++) {
      const right = v128.load(s - 8);
      const reversed = F64x2.fromU64(v128.shuffle<f64>(right, right, 1, 0), unit);
      sum = f64x2.add(
        sum,
        F64x2.mul(F64x2.fromU64(v128.load(a), unit), reversed, p, reciprocal, rounder),
      );
      a += 16;
      s -= 16;
    }
    sum = F64x2.reduce(sum, p, reciprocal, rounder);
    pairs -= taken;
  }
  return F64x2.reduce(sum, p, reciprocal, rounder);
}
