// The scalar field: numbers of 32 little-endian bytes below r. Inside, a plain number in two lanes.

import * as Constants from './constants';
import { add, assign, copy, FP, G1, reduceBy } from './field';
import { readPair, writePair } from './convert';
import { allocate, mark, release } from './memory';
import { multiply } from './products';

const fr = Constants.fr;

/** dst = a·b mod r */
export function multiplyScalars(dst: usize, a: usize, b: usize): void {
  const since = mark();
  const x = allocate(2 * FP);
  const y = x + FP;
  readPair(x, a, a, Constants.scalarOne, fr);
  readPair(y, b, b, Constants.scalarSquare, fr);
  multiply(x, x, y, fr);
  writePair(dst, dst, x, Constants.scalarOne, fr);
  release(since);
}

/** dst = a + b·2^256 mod r, for any a and b below 2^256. */
export function reduceScalar(dst: usize, a: usize, b: usize): void {
  const since = mark();
  const x = allocate(2 * FP);
  const y = x + FP;
  readPair(x, a, a, Constants.scalarOne, fr);
  readPair(y, b, b, Constants.scalarHigh, fr);
  add<G1>(x, x, y);
  reduceBy(x, x, fr);
  writePair(dst, dst, x, Constants.scalarOne, fr);
  release(since);
}

/** dst[k] = first·ratio^(skip+k) mod r, 0 <= k < n; n is even. */
export function powers(dst: usize, first: usize, ratio: usize, skip: u32, n: i32): void {
  const since = mark();
  const state = allocate(3 * FP);
  const step = state + FP;
  const next = state + 2 * FP;
  readPair(state, first, first, Constants.scalarOne, fr);
  readPair(step, ratio, ratio, Constants.scalarSquare, fr);
  for (let rest = skip, power = next; rest > 0; rest >>= 1) {
    if (rest == skip) copy<G1>(power, step);
    if (rest & 1) multiply(state, state, power, fr);
    multiply(power, power, power, fr);
  }
  // Lane 1 is one step ahead of lane 0, and both go on by two steps.
  multiply(next, state, step, fr);
  assign<G1>(state, next, 2);
  multiply(step, step, step, fr);
  for (let i: usize = 0; i < <usize>n; i += 2) {
    writePair(dst + (i << 5), dst + (i << 5) + 32, state, Constants.scalarOne, fr);
    multiply(state, state, step, fr);
  }
  release(since);
}
