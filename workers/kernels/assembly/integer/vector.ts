// Operations on whole vectors of u64 residues modulo one prime.
// "Canonical" is a u64 in [0, p); the resident form of this module is the canonical one, except in
// accumulators, which may hold any u64 (the wrapper keeps the bound).

import { U64 } from './arithmetic';

/** Canonical to resident form. */
export function toResident(dst: usize, src: usize, n: i32, _m: usize): void {
  memory.copy(dst, src, (<usize>n) << 3);
}

/** Resident to canonical form. */
export function toCanonical(dst: usize, src: usize, n: i32, _m: usize): void {
  memory.copy(dst, src, (<usize>n) << 3);
}

/** dst = x + c, canonical. */
export function storeSum(dst: usize, x: usize, c: usize, n: i32, m: usize): void {
  const p = load<u64>(m);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 8) {
    store<u64>(dst + i, U64.subtractIfAtLeast(load<u64>(x + i) + load<u64>(c + i), p));
  }
}

/** x = x·b pointwise; b canonical. */
export function multiply(x: usize, b: usize, n: i32, m: usize): void {
  const p = load<u64>(m);
  const negatedInverse = load<u64>(m, 8);
  const square = load<u64>(m, 16);
  for (const end = x + ((<usize>n) << 3); x < end; x += 8, b += 8) {
    const scaled = U64.mulMontgomery(load<u64>(b), square, p, negatedInverse);
    store<u64>(x, U64.mulMontgomery(load<u64>(x), scaled, p, negatedInverse));
  }
}

/** acc += x·c; x canonical. Adds less than 2p. */
export function addScaled(acc: usize, x: usize, n: i32, c: usize, m: usize): void {
  const p = load<u64>(m);
  const w = load<u64>(c);
  const ratio = load<u64>(c, 8);
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 8, x += 8) {
    store<u64>(acc, load<u64>(acc) + U64.mulConstant(load<u64>(x), w, ratio, p));
  }
}

/** acc mod p, in place. */
export function reduce(acc: usize, n: i32, m: usize): void {
  const p = load<u64>(m);
  const ratio = load<u64>(m, 24);
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 8) {
    store<u64>(acc, U64.subtractIfAtLeast(U64.mulConstant(load<u64>(acc), 1, ratio, p), p));
  }
}

/**
 * dst = (x - r)·c, canonical, where r is the representative of `last` in [-half, half] and
 * `half` = (dropped prime - 1)/2. c = 1 / dropped prime.
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
  const p = load<u64>(m);
  const ratio = load<u64>(m, 24);
  const w = load<u64>(c);
  const wRatio = load<u64>(c, 8);
  const dropped = 2 * half + 1;
  const halfModP = U64.subtractIfAtLeast(U64.mulConstant(half, 1, ratio, p), p);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 8) {
    // (last + half mod dropped) - half is the centred representative.
    const shifted = U64.subtractIfAtLeast(load<u64>(last + i) + half, dropped);
    const difference = load<u64>(x + i) + halfModP + 2 * p - U64.mulConstant(shifted, 1, ratio, p);
    const quotient = U64.mulConstant(difference, w, wRatio, p);
    store<u64>(dst + i, U64.subtractIfAtLeast(quotient, p));
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
  const p = load<u64>(m);
  const negatedInverse = load<u64>(m, 8);
  const square = load<u64>(m, 16);
  const plus = descending(a, s + ((<usize>position) << 3), position + 1, p, negatedInverse);
  const wrapped = a + ((<usize>(position + 1)) << 3);
  const last = s + ((<usize>(n - 1)) << 3);
  const minus = descending(wrapped, last, n - 1 - position, p, negatedInverse);
  const sum = U64.subtractIfAtLeast(plus + p - minus, p);
  store<u64>(dst, U64.mulMontgomery(sum, square, p, negatedInverse));
}

/** Sum of a[i]·s[-i]·2^-64 mod p in [0, p). */
function descending(a: usize, s: usize, count: i32, p: u64, negatedInverse: u64): u64 {
  let sum: u64 = 0;
  for (let i = 0; i < count; i++) {
    sum = U64.subtractIfAtLeast(
      sum + U64.mulMontgomery(load<u64>(a), load<u64>(s), p, negatedInverse),
      p,
    );
    a += 8;
    s -= 8;
  }
  return sum;
}
