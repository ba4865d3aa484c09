// Elements of Fp and Fp2, two independent ones per block: lane 0 and lane 1 of each digit.
//
// An element of Fp is five pairs of doubles (80 bytes): the digits of the number times 2^255. "Reduced"
// means digits of at most 2^50 and a number within (-0.51p, 0.51p); products are within the bounds
// that docs/curve.md derives. An element of Fp2 is two of Fp, real part first. A function is generic
// in the group whose coordinates it works on: G1 for Fp, G2 for Fp2. Everything may alias.

import * as Constants from './constants';
import { Lanes } from './lanes';
import { scratch } from './memory';
import { multiply, multiplyAdd, multiplySubtract, square } from './products';

export type G1 = u8;
export type G2 = u16;

/** 1 for Fp, 2 for Fp2. */
export function degree<G>(): usize {
  return sizeof<G>();
}

export const FP: usize = 80;

export function size<G>(): usize {
  return sizeof<G>() * FP;
}

const t0 = scratch;
const t1 = scratch + FP;
const t2 = scratch + 2 * FP;

export function copy<G>(dst: usize, a: usize): void {
  for (let i: usize = 0; i < size<G>(); i += 16) v128.store(dst + i, v128.load(a + i));
}

/** dst = a + b, not reduced. */
export function add<G>(dst: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < size<G>(); i += 16) {
    v128.store(dst + i, f64x2.add(v128.load(a + i), v128.load(b + i)));
  }
}

/** dst = a - b, not reduced. */
export function sub<G>(dst: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < size<G>(); i += 16) {
    v128.store(dst + i, f64x2.sub(v128.load(a + i), v128.load(b + i)));
  }
}

/** dst = a, reduced modulo m; |a| < 4m, digits up to 2^53. */
export function reduceBy(dst: usize, a: usize, m: usize): void {
  const rounder = Lanes.constant(Constants.magic, 2);
  const shift = Lanes.constant(Constants.magic, 0);
  const unit = Lanes.constant(Constants.magic, 6);
  const top = v128.load(a, 64);
  const quotient = f64x2.sub(f64x2.add(f64x2.mul(top, Lanes.constant(m, 11)), rounder), rounder);
  let carry = f64x2.splat(0);
  for (let i: usize = 0; i < 4; i++) {
    const x = f64x2.add(
      f64x2.sub(v128.load(a + (i << 4)), f64x2.mul(quotient, Lanes.constant(m, i))),
      carry,
    );
    const rounded = f64x2.sub(f64x2.add(x, shift), shift);
    v128.store(dst + (i << 4), f64x2.sub(x, rounded));
    carry = f64x2.mul(rounded, unit);
  }
  v128.store(dst, f64x2.add(f64x2.sub(top, f64x2.mul(quotient, Lanes.constant(m, 4))), carry), 64);
}

export function reduce<G>(dst: usize, a: usize): void {
  for (let i: usize = 0; i < size<G>(); i += FP) reduceBy(dst + i, a + i, Constants.fp);
}

export function mul<G>(dst: usize, a: usize, b: usize): void {
  if (degree<G>() == 1) multiply(dst, a, b, Constants.fp);
  else {
    multiplySubtract(t0, a, b, a + FP, b + FP, Constants.fp);
    multiplyAdd(dst + FP, a, b + FP, a + FP, b, Constants.fp);
    copy<G1>(dst, t0);
  }
}

/** dst = a²; digits of a up to 2^50. */
export function sqr<G>(dst: usize, a: usize): void {
  if (degree<G>() == 1) square(dst, a, Constants.fp);
  else {
    add<G1>(t0, a, a + FP);
    sub<G1>(t1, a, a + FP);
    add<G1>(t2, a, a);
    multiply(dst + FP, t2, a + FP, Constants.fp);
    multiply(dst, t0, t1, Constants.fp);
  }
}

/** dst = a·b with b in Fp. */
export function scale<G>(dst: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < size<G>(); i += FP) multiply(dst + i, a + i, b, Constants.fp);
}

/** dst = conjugate of a. */
export function conjugate(dst: usize, a: usize): void {
  copy<G1>(dst, a);
  for (let i: usize = FP; i < 2 * FP; i += 16) v128.store(dst + i, f64x2.neg(v128.load(a + i)));
}

/** A constant of the table, in both lanes. */
export function constant<G>(dst: usize, table: usize): void {
  for (let i: usize = 0; i < 5 * degree<G>(); i++) {
    v128.store(dst + (i << 4), Lanes.constant(table, i));
  }
}

/** Which lanes of a reduced element are zero: bit 0 and bit 1. */
export function zeroLanes<G>(a: usize): i32 {
  let zero = i64x2.splat(-1);
  for (let i: usize = 0; i < size<G>(); i += 16) {
    zero = v128.and(zero, f64x2.eq(v128.load(a + i), f64x2.splat(0)));
  }
  return i64x2.bitmask(zero);
}

/** Which lanes of an element are zero, |a| < 4p. */
export function zeroLanesOf<G>(a: usize): i32 {
  let zero = 3;
  for (let i: usize = 0; i < size<G>(); i += FP) {
    reduceBy(t0, a + i, Constants.fp);
    zero &= zeroLanes<G1>(t0);
  }
  return zero;
}

/** dst = b in the lanes of `lanes`, else as it was. */
export function assign<G>(dst: usize, b: usize, lanes: i32): void {
  for (let i: usize = 0; i < size<G>(); i += 8) {
    if ((lanes >> (<i32>((i >> 3) & 1))) & 1) store<f64>(dst + i, load<f64>(b + i));
  }
}

/** One lane of each of two elements to the lanes of dst, negated where `signs` has the sign bit. */
export function gather<G>(dst: usize, first: usize, second: usize, signs: v128): void {
  for (let i: usize = 0; i < size<G>(); i += 16) {
    const low = v128.load64_zero(first + i);
    v128.store(dst + i, v128.xor(v128.load64_lane(second + i, low, 1), signs));
  }
}

const powers = scratch + 5 * FP;
const exponent: usize = memory.data<u64>([
  0x3c208c16d87cfd45, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029,
]);

/** dst = 1/a in Fp by Fermat, 0 for 0; windows of 4 bits of p - 2. */
export function invert(dst: usize, a: usize): void {
  constant<G1>(powers, Constants.one);
  for (let i: usize = 1; i < 16; i++) {
    multiply(powers + i * FP, powers + (i - 1) * FP, a, Constants.fp);
  }
  constant<G1>(t0, Constants.one);
  for (let i = 63; i >= 0; i--) {
    for (let k = 0; k < 4; k++) square(t0, t0, Constants.fp);
    const digit = (load<u64>(exponent + (((<usize>i) >> 4) << 3)) >> ((i & 15) << 2)) & 15;
    multiply(t0, t0, powers + <usize>digit * FP, Constants.fp);
  }
  copy<G1>(dst, t0);
}

/** x[i] *= x[n] for n elements of Fp: for tests and the benchmark. */
export function multiplyElements(x: usize, n: i32): void {
  const last = x + <usize>n * FP;
  for (let i = x; i < last; i += FP) multiply(i, i, last, Constants.fp);
}
