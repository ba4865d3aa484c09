// Accumulation of pseudorandom sharings: the byte definitions of docs/formats.md times a scalar.
// "Small" vectors hold signed 64-bit integers.

import { U64 } from './arithmetic';

/** dst[j] = floor(3x / 2^64) - 1 for the 8 bytes x of coefficient j. */
export function ternary(dst: usize, bytes: usize, n: i32): void {
  for (const end = dst + ((<usize>n) << 3); dst < end; dst += 8, bytes += 8) {
    const x = load<u64>(bytes);
    const carry = (3 * (x & 0xffffffff)) >> 32;
    store<u64>(dst, ((3 * (x >> 32) + carry) >> 32) - 1);
  }
}

/** dst[j] = difference of the population counts of bits 0..20 and 21..41 of 6 bytes. Reads 2 bytes past the end. */
export function binomial(dst: usize, bytes: usize, n: i32): void {
  for (const end = dst + ((<usize>n) << 3); dst < end; dst += 8, bytes += 6) {
    const x = load<u64>(bytes);
    store<i64>(dst, popcnt<i64>(x & 0x1fffff) - popcnt<i64>((x >> 21) & 0x1fffff));
  }
}

/** acc += x·c; x small, -p < x. Adds less than 2p. */
export function addSmall(acc: usize, x: usize, n: i32, c: usize, m: usize): void {
  const p = load<u64>(m);
  const w = load<u64>(c);
  const ratio = load<u64>(c, 8);
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 8, x += 8) {
    store<u64>(acc, load<u64>(acc) + U64.mulConstant(p + load<u64>(x), w, ratio, p));
  }
}

/**
 * acc += offset + Σ_k word_k·c_k over little-endian 32-bit words, the top one masked.
 * c: constants c_0 .. c_(words-1), then the offset as the constant times 1. Adds less than 2p.
 */
export function addWords(
  acc: usize,
  bytes: usize,
  n: i32,
  words: i32,
  mask: u32,
  c: usize,
  m: usize,
): void {
  const p = load<u64>(m);
  const twoP = p << 1;
  const offset = load<u64>(c + ((<usize>words) << 4));
  const top = words - 1;
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 8) {
    let sum = offset;
    for (let k = 0; k <= top; k++) {
      const word = <u64>(load<u32>(bytes) & (k == top ? mask : 0xffffffff));
      const at = c + ((<usize>k) << 4);
      sum = U64.subtractIfAtLeast(
        sum + U64.mulConstant(word, load<u64>(at), load<u64>(at, 8), p),
        twoP,
      );
      bytes += 4;
    }
    store<u64>(acc, load<u64>(acc) + sum);
  }
}
