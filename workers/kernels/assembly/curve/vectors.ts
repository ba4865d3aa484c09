// Vectors over the scalar field: what polynomials need. See docs/curve.md, "Scalar vectors".
//
// A vector of n elements, n even, is n/2 pairs of 80 bytes: pair i has element i in lane 0 and element
// n/2 + i in lane 1. Elements are numbers times 2^255 modulo r, within 0.9·r, digits up to 2^50. A
// constant is a pair with the same element in both lanes.

import * as Constants from './constants';
import { readPair, writePair } from './convert';
import { add, copy, FP, G1, reduceBy, sub } from './field';
import { allocate, mark, release } from './memory';
import { multiply, square } from './products';

const fr = Constants.fr;
/** The digits of the number 1. */
const plainOne: usize = memory.data<f64>([1, 0, 0, 0, 0]);
/** r - 2, from the lowest word. */
const exponent: usize = memory.data<u64>([
  0x43e1f593efffffff, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029,
]);

function at(x: usize, i: i32): usize {
  return x + <usize>i * FP;
}

/** dst = n numbers of 32 bytes below 2^256. */
export function loadScalars(dst: usize, bytes: usize, n: i32): void {
  const half = n >> 1;
  const second = bytes + ((<usize>half) << 5);
  for (let i = 0; i < half; i++) {
    const offset = (<usize>i) << 5;
    readPair(at(dst, i), bytes + offset, second + offset, Constants.scalarSquare, fr);
  }
}

/** n numbers of 32 bytes in [0, r) = src. */
export function storeScalars(bytes: usize, src: usize, n: i32): void {
  const half = n >> 1;
  const second = bytes + ((<usize>half) << 5);
  for (let i = 0; i < half; i++) {
    const offset = (<usize>i) << 5;
    writePair(bytes + offset, second + offset, at(src, i), plainOne, fr);
  }
}

/** dst = n integers, as doubles, of up to 2^51 in absolute value. */
export function loadIntegers(dst: usize, src: usize, n: i32): void {
  const since = mark();
  const factor = allocate(FP);
  for (let k: usize = 0; k < 5; k++) {
    v128.store(factor + (k << 4), v128.load64_splat(Constants.scalarSquare + (k << 3)));
  }
  const half = n >> 1;
  const second = src + ((<usize>half) << 3);
  for (let i = 0; i < half; i++) {
    const to = at(dst, i);
    memory.fill(to, 0, FP);
    store<f64>(to, load<f64>(src + ((<usize>i) << 3)));
    store<f64>(to, load<f64>(second + ((<usize>i) << 3)), 8);
    multiply(to, to, factor, fr);
  }
  release(since);
}

/** The number of 32 bytes as a constant. */
export function loadConstant(dst: usize, bytes: usize): void {
  readPair(dst, bytes, bytes, Constants.scalarSquare, fr);
}

/** x = x·y */
export function multiplyVectors(x: usize, y: usize, n: i32): void {
  for (let i = 0; i < n >> 1; i++) multiply(at(x, i), at(x, i), at(y, i), fr);
}

/** x = x + y */
export function addVectors(x: usize, y: usize, n: i32): void {
  for (let i = 0; i < n >> 1; i++) {
    add<G1>(at(x, i), at(x, i), at(y, i));
    reduceBy(at(x, i), at(x, i), fr);
  }
}

/** x = x + c·y with a constant c. */
export function addScaledVector(x: usize, y: usize, c: usize, n: i32): void {
  const since = mark();
  const product = allocate(FP);
  for (let i = 0; i < n >> 1; i++) {
    multiply(product, at(y, i), c, fr);
    add<G1>(at(x, i), at(x, i), product);
    reduceBy(at(x, i), at(x, i), fr);
  }
  release(since);
}

/** x = x + c·y for n integers y, as in `loadIntegers`, with a constant c. */
export function addScaledIntegers(x: usize, y: usize, c: usize, n: i32): void {
  const since = mark();
  const factor = allocate(2 * FP);
  const product = factor + FP;
  for (let k: usize = 0; k < 5; k++) {
    v128.store(factor + (k << 4), v128.load64_splat(Constants.scalarSquare + (k << 3)));
  }
  multiply(factor, factor, c, fr);
  reduceBy(factor, factor, fr);
  const half = n >> 1;
  const second = y + ((<usize>half) << 3);
  for (let i = 0; i < half; i++) {
    memory.fill(product, 0, FP);
    store<f64>(product, load<f64>(y + ((<usize>i) << 3)));
    store<f64>(product, load<f64>(second + ((<usize>i) << 3)), 8);
    multiply(product, product, factor, fr);
    add<G1>(at(x, i), at(x, i), product);
    reduceBy(at(x, i), at(x, i), fr);
  }
  release(since);
}

/**
 * x[0] = start, x[i+1] = ratio·x[i] + g[i], written over g. Returns nothing, but `start` becomes x[n], in
 * lane 1.
 */
export function recur(g: usize, start: usize, ratio: usize, n: i32): void {
  const since = mark();
  const state = allocate(3 * FP);
  const next = state + FP;
  const half = n >> 1;
  // Each lane by itself, lane 1 from zero.
  for (let i: usize = 0; i < FP; i += 16) store<f64>(state + i, load<f64>(start + i));
  for (let i = 0; i < half; i++) {
    multiply(next, state, ratio, fr);
    add<G1>(next, next, at(g, i));
    copy<G1>(at(g, i), state);
    reduceBy(state, next, fr);
  }
  // Lane 1 begins where lane 0 ended.
  const carry = next;
  memory.fill(carry, 0, FP);
  for (let i: usize = 0; i < FP; i += 16) store<f64>(carry + i, load<f64>(state + i), 8);
  for (let i = 0; i < half; i++) {
    add<G1>(at(g, i), at(g, i), carry);
    reduceBy(at(g, i), at(g, i), fr);
    multiply(carry, carry, ratio, fr);
  }
  add<G1>(start, state, carry);
  reduceBy(start, start, fr);
  release(since);
}

/** x[i] = 1/x[i]; if one is zero, all of its lane become zero. */
export function invertVector(x: usize, n: i32): void {
  const since = mark();
  const half = n >> 1;
  const prefixes = allocate(<usize>half * FP);
  const running = allocate(2 * FP);
  const next = running + FP;
  copy<G1>(prefixes, x);
  for (let i = 1; i < half; i++) multiply(at(prefixes, i), at(prefixes, i - 1), at(x, i), fr);
  const product = at(prefixes, half - 1);
  // Fermat; the highest bit of r - 2 is bit 253.
  copy<G1>(running, product);
  for (let bit = 252; bit >= 0; bit--) {
    square(running, running, fr);
    if ((load<u64>(exponent + (((<usize>bit) >> 6) << 3)) >> (<u64>(bit & 63))) & 1) {
      multiply(running, running, product, fr);
    }
  }
  for (let i = half - 1; i > 0; i--) {
    multiply(next, running, at(x, i), fr);
    multiply(at(x, i), running, at(prefixes, i - 1), fr);
    copy<G1>(running, next);
  }
  copy<G1>(x, running);
  release(since);
}

/** dst[i] = root^i as constants, 0 <= i < n. */
export function rootPowers(dst: usize, root: usize, n: i32): void {
  for (let k: usize = 0; k < 5; k++) {
    v128.store(dst + (k << 4), v128.load64_splat(Constants.scalarOne + (k << 3)));
  }
  for (let i = 1; i < n; i++) multiply(at(dst, i), at(dst, i - 1), root, fr);
}

/** dst = (x0 + x1, x0 - x1) for the lanes of x, not reduced. */
function cross(dst: usize, x: usize): void {
  const signs = f64x2.replace_lane(f64x2.splat(1), 1, -1);
  for (let i: usize = 0; i < FP; i += 16) {
    const v = v128.load(x + i);
    const swapped = v128.shuffle<f64>(v, v, 1, 0);
    v128.store(dst + i, f64x2.add(swapped, f64x2.mul(v, signs)));
  }
}

/** Lane 1 of dst = that of x. */
function setSecond(dst: usize, x: usize): void {
  for (let i: usize = 8; i < FP; i += 16) store<f64>(dst + i, load<f64>(x + i));
}

/**
 * In place: coefficients in natural order to values at the powers of the root in bit-reversed order.
 *
 * @param powers of the root of order n, n/2 constants
 */
export function forwardScalars(x: usize, powers: usize, n: i32): void {
  const since = mark();
  const factor = allocate(2 * FP);
  const difference = factor + FP;
  const half = n >> 1;
  copy<G1>(factor, powers);
  for (let i = 0; i < half; i++) {
    setSecond(factor, at(powers, i));
    cross(difference, at(x, i));
    multiply(at(x, i), difference, factor, fr);
  }
  let stride = 2;
  for (let gap = half >> 1; gap > 0; gap >>= 1) {
    for (let block = 0; block < half; block += 2 * gap) {
      for (let j = 0; j < gap; j++) {
        const u = at(x, block + j);
        const v = at(x, block + j + gap);
        sub<G1>(difference, u, v);
        add<G1>(u, u, v);
        reduceBy(u, u, fr);
        multiply(v, difference, at(powers, j * stride), fr);
      }
    }
    stride <<= 1;
  }
  release(since);
}

/**
 * In place, the inverse of `forwardScalars`.
 *
 * @param powers of the inverse root, n/2 constants
 * @param scale 1/n, a constant
 */
export function inverseScalars(x: usize, powers: usize, scale: usize, n: i32): void {
  const since = mark();
  const factor = allocate(2 * FP);
  const product = factor + FP;
  const half = n >> 1;
  let stride = half;
  for (let gap = 1; gap < half; gap <<= 1) {
    for (let block = 0; block < half; block += 2 * gap) {
      for (let j = 0; j < gap; j++) {
        const u = at(x, block + j);
        const v = at(x, block + j + gap);
        multiply(product, v, at(powers, j * stride), fr);
        sub<G1>(v, u, product);
        reduceBy(v, v, fr);
        add<G1>(u, u, product);
        reduceBy(u, u, fr);
      }
    }
    stride >>= 1;
  }
  copy<G1>(factor, powers);
  for (let i = 0; i < half; i++) {
    setSecond(factor, at(powers, i));
    multiply(at(x, i), at(x, i), factor, fr);
    cross(product, at(x, i));
    multiply(at(x, i), product, scale, fr);
  }
  release(since);
}
