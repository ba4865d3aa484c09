// Accumulation of pseudorandom sharings: the byte definitions of docs/formats.md times a scalar.
// "Small" vectors hold doubles.

import { F64x2 } from './arithmetic';

/** dst[j] = floor(3x / 2^64) - 1 for the 8 bytes x of coefficient j. */
export function ternary(dst: usize, bytes: usize, n: i32): void {
  const unit = f64x2.splat(4503599627370496.0);
  const low32 = i64x2.splat(0xffffffff);
  const one = f64x2.splat(1);
  for (const end = dst + ((<usize>n) << 3); dst < end; dst += 16, bytes += 16) {
    const x = v128.load(bytes);
    const carry = i64x2.shr_u(triple(v128.and(x, low32)), 32);
    const digit = i64x2.shr_u(i64x2.add(triple(i64x2.shr_u(x, 32)), carry), 32);
    v128.store(dst, f64x2.sub(F64x2.fromU64(digit, unit), one));
  }
}

function triple(x: v128): v128 {
  return i64x2.add(x, i64x2.shl(x, 1));
}

/** dst[j] = difference of the population counts of bits 0..20 and 21..41 of 6 bytes. Reads 2 bytes past the end. */
export function binomial(dst: usize, bytes: usize, n: i32): void {
  for (const end = dst + ((<usize>n) << 3); dst < end; dst += 8, bytes += 6) {
    const x = load<u64>(bytes);
    const value = popcnt<u64>(x & 0x1fffff) - popcnt<u64>((x >> 21) & 0x1fffff);
    store<f64>(dst, <f64>(<i32>value));
  }
}

/** acc += x·c; x small. Adds at most 3p/4. */
export function addSmall(acc: usize, x: usize, n: i32, c: usize, m: usize): void {
  const p = v128.load64_splat(m);
  const rounder = v128.load64_splat(m, 16);
  const w = v128.load64_splat(c);
  const ratio = v128.load64_splat(c, 8);
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 16, x += 16) {
    const product = F64x2.mulConstant(v128.load(x), w, ratio, p, rounder);
    v128.store(acc, f64x2.add(v128.load(acc), product));
  }
}

/**
 * acc += offset + Σ_k word_k·c_k over little-endian 32-bit words, the top one masked.
 * c: constants c_0 .. c_(words-1), then the offset as the constant times 1.
 * Adds at most p/2·(1 + 2^-21) per word and p/2 for the offset.
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
  const p = v128.load64_splat(m);
  const rounder = v128.load64_splat(m, 16);
  const top = c + ((<usize>(words - 1)) << 4);
  const offset = v128.load64_splat(top, 16);
  const topMask = i32x4.splat(mask);
  const stride = (<usize>words) << 2;
  for (const end = acc + ((<usize>n) << 3); acc < end; acc += 16) {
    let sum = f64x2.add(v128.load(acc), offset);
    for (let at = c; at < top; at += 16) {
      sum = f64x2.add(sum, product(wordPair(bytes, stride), at, p, rounder));
      bytes += 4;
    }
    v128.store(
      acc,
      f64x2.add(sum, product(v128.and(wordPair(bytes, stride), topMask), top, p, rounder)),
    );
    bytes += stride + 4;
  }
}

/** The words of two neighbouring coefficients in the low lanes. */
function wordPair(bytes: usize, stride: usize): v128 {
  return v128.load32_lane(bytes + stride, v128.load32_zero(bytes), 1);
}

function product(words: v128, c: usize, p: v128, rounder: v128): v128 {
  const x = f64x2.convert_low_i32x4_u(words);
  return F64x2.mulConstant(x, v128.load64_splat(c), v128.load64_splat(c, 8), p, rounder);
}
