// Numbers of 256 bits to digits and back, one lane at a time.

import * as Constants from './constants';
import { constant, FP, G1, reduceBy } from './field';
import { scratch } from './memory';
import { multiply } from './products';

const factor = scratch + 3 * FP;
const number = scratch + 4 * FP;
const MASK: u64 = 0x7ffffffffffff;

/** One lane of dst = the digits of 32 little-endian bytes, each below 2^51, the last below 2^52. */
export function readNumber(dst: usize, bytes: usize): void {
  const a = load<u64>(bytes);
  const b = load<u64>(bytes, 8);
  const c = load<u64>(bytes, 16);
  const d = load<u64>(bytes, 24);
  store<f64>(dst, <f64>(a & MASK));
  store<f64>(dst, <f64>(((a >> 51) | (b << 13)) & MASK), 16);
  store<f64>(dst, <f64>(((b >> 38) | (c << 26)) & MASK), 32);
  store<f64>(dst, <f64>(((c >> 25) | (d << 39)) & MASK), 48);
  store<f64>(dst, <f64>(d >> 12), 64);
}

/** 32 little-endian bytes = one lane of a reduced element, in [0, m). */
export function writeNumber(bytes: usize, a: usize, m: usize): void {
  let negative = false;
  for (let i: usize = 0; i < 80; i += 16) {
    const x = load<f64>(a + i);
    if (x != 0) negative = x < 0;
  }
  const addend: f64 = negative ? 1 : 0;
  let carry: i64 = 0;
  let word: u64 = 0;
  let filled: u64 = 0;
  for (let i: usize = 0; i < 5; i++) {
    const x = <i64>(load<f64>(a + (i << 4)) + addend * load<f64>(m + (i << 3))) + carry;
    const digit = (<u64>x) & MASK;
    carry = x >> 51;
    word |= digit << filled;
    if (filled + 51 >= 64) {
      store<u64>(bytes, word);
      bytes += 8;
      word = digit >> (64 - filled);
      filled -= 13;
    } else filled += 51;
  }
  // The fifth digit filled the fourth word but for its last bit, which is zero.
  store<u64>(bytes, word);
}

/** Both lanes of dst = numbers of 32 bytes, times the constant of the table, modulo m. */
export function readPair(dst: usize, first: usize, second: usize, table: usize, m: usize): void {
  readNumber(number, first);
  readNumber(number + 8, second);
  constant<G1>(factor, table);
  multiply(dst, number, factor, m);
  reduceBy(dst, dst, m);
}

/** Inverse of readPair, in [0, m). */
export function writePair(first: usize, second: usize, a: usize, table: usize, m: usize): void {
  constant<G1>(factor, table);
  multiply(number, a, factor, m);
  reduceBy(number, number, m);
  writeNumber(first, number, m);
  writeNumber(second, number + 8, m);
}

/** Coordinates of a file, at `first` and `second`, to a reduced element. */
export function readElement<G>(dst: usize, first: usize, second: usize): void {
  const parts: usize = sizeof<G>();
  for (let i: usize = 0; i < parts; i++) {
    readPair(dst + i * FP, first + (i << 5), second + (i << 5), Constants.fromFile, Constants.fp);
  }
}

/** Inverse of readElement. */
export function writeElement<G>(first: usize, second: usize, a: usize): void {
  const parts: usize = sizeof<G>();
  for (let i: usize = 0; i < parts; i++) {
    writePair(first + (i << 5), second + (i << 5), a + i * FP, Constants.toFile, Constants.fp);
  }
}

/** True if 32 little-endian bytes are a number below m, a prime of the constants. */
export function isBelow(bytes: usize, m: usize): bool {
  readNumber(number, bytes);
  let borrow: i64 = 0;
  for (let i: usize = 0; i < 5; i++) {
    borrow = (<i64>load<f64>(number + (i << 4)) - <i64>load<f64>(m + (i << 3)) + borrow) >> 51;
  }
  return borrow < 0;
}

function reverse(bytes: usize): void {
  const a = bswap<u64>(load<u64>(bytes));
  const b = bswap<u64>(load<u64>(bytes, 8));
  store<u64>(bytes, bswap<u64>(load<u64>(bytes, 24)));
  store<u64>(bytes, bswap<u64>(load<u64>(bytes, 16)), 8);
  store<u64>(bytes, b, 16);
  store<u64>(bytes, a, 24);
}

/**
 * dst = n numbers of a file as big-endian plain ones; n is even. With `swap` set, both of a pair
 * change places.
 */
export function toEvm(dst: usize, src: usize, n: i32, swap: i32): void {
  const temporary = scratch + 33 * FP;
  const second: usize = swap ? 0 : 32;
  for (let i: usize = 0; i < (<usize>n) << 5; i += 64) {
    const to = dst + i;
    readPair(temporary, src + i, src + i + 32, Constants.fileToPlain, Constants.fp);
    writePair(to + (second ^ 32), to + second, temporary, Constants.one, Constants.fp);
    reverse(to);
    reverse(to + 32);
  }
}

/** Inverse of toEvm; overwrites src. Returns the position of the first number not below p, or -1. */
export function fromEvm(dst: usize, src: usize, n: i32, swap: i32): i32 {
  const temporary = scratch + 33 * FP;
  const second: usize = swap ? 0 : 32;
  for (let i: usize = 0; i < (<usize>n) << 5; i += 64) {
    const from = src + i;
    reverse(from);
    reverse(from + 32);
    if (!isBelow(from, Constants.fp)) return <i32>(i >> 5);
    if (!isBelow(from + 32, Constants.fp)) return <i32>(i >> 5) + 1;
    readPair(temporary, from + (second ^ 32), from + second, Constants.plainToFile, Constants.fp);
    writePair(dst + i, dst + i + 32, temporary, Constants.one, Constants.fp);
  }
  return -1;
}
