// Affine additions and doublings of many pairs of points at once, which share one inversion
// (Montgomery's trick). See docs/curve.md, "Batched affine arithmetic".
//
// A pair of points is two reduced elements, x and y, of two lanes each. Where the affine formula has
// a zero denominator (a point at infinity, equal or opposite points), the lane's flag is set and
// its result means nothing; it stays harmless to the other lanes.

import * as Constants from './constants';
import {
  add,
  assign,
  conjugate,
  constant,
  copy,
  degree,
  FP,
  G1,
  invert,
  mul,
  reduce,
  scale,
  size,
  sqr,
  sub,
  zeroLanesOf,
} from './field';
import { allocate, scratch } from './memory';
import { multiply, multiplyAdd } from './products';

const one = scratch + 21 * FP;
const running = scratch + 22 * FP;
const inverse = scratch + 23 * FP;
const slope = scratch + 25 * FP;
const u = scratch + 27 * FP;
const v = scratch + 29 * FP;

let denominators: usize = 0;
let norms: usize = 0;
let prefixes: usize = 0;
let flags: usize = 0;

/** Bytes of a pair of points. */
export function pairSize<G>(): usize {
  return 2 * size<G>();
}

/** Room for batches of up to n pairs; `lanes` gets a byte of flags per pair. */
export function prepareBatch<G>(n: i32, lanes: usize): void {
  denominators = allocate(<usize>n * size<G>());
  norms = degree<G>() == 1 ? denominators : allocate(<usize>n * FP);
  prefixes = allocate(<usize>n * FP);
  flags = lanes;
}

/** The norm of the denominator to Fp: in g1 the denominator itself. */
function storeNorm<G>(i: usize): void {
  if (degree<G>() == 1) return;
  const d = denominators + i * size<G>();
  multiplyAdd(norms + i * FP, d, d, d + FP, d + FP, Constants.fp);
}

function multiplyUp(n: i32): void {
  constant<G1>(running, Constants.one);
  for (let i: usize = 0; i < <usize>n; i++) {
    copy<G1>(prefixes + i * FP, running);
    multiply(running, running, norms + i * FP, Constants.fp);
  }
}

/** Prepares `takeInverse` for the n denominators, in falling order. */
function invertAll<G>(n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) storeNorm<G>(i);
  multiplyUp(n);
  if (zeroLanesOf<G1>(running) != 0) {
    constant<G1>(one, Constants.one);
    for (let i: usize = 0; i < <usize>n; i++) {
      const zero = zeroLanesOf<G1>(norms + i * FP);
      if (zero == 0) continue;
      store<u8>(flags + i, load<u8>(flags + i) | zero);
      assign<G1>(norms + i * FP, one, zero);
    }
    multiplyUp(n);
  }
  invert(running, running);
}

/** `inverse` = 1/denominator i. */
function takeInverse<G>(i: usize): void {
  multiply(prefixes + i * FP, prefixes + i * FP, running, Constants.fp);
  multiply(running, running, norms + i * FP, Constants.fp);
  if (degree<G>() == 1) copy<G1>(inverse, prefixes + i * FP);
  else {
    conjugate(inverse, denominators + i * size<G>());
    scale<G>(inverse, inverse, prefixes + i * FP);
  }
}

/** (x, y) = the third intersection of the line through (x, y) and (x2, ·), mirrored. */
function finish<G>(x: usize, y: usize, x2: usize): void {
  sqr<G>(u, slope);
  sub<G>(u, u, x);
  sub<G>(u, u, x2);
  reduce<G>(u, u);
  sub<G>(v, x, u);
  copy<G>(x, u);
  mul<G>(u, slope, v);
  sub<G>(u, u, y);
  reduce<G>(y, u);
}

/** Each of n pairs += the pair `stride` bytes further per step in `other`. */
export function addBatch<G>(points: usize, other: usize, stride: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    sub<G>(denominators + i * size<G>(), other + i * stride, points + i * pairSize<G>());
  }
  invertAll<G>(n);
  for (let i: usize = <usize>n; i-- > 0;) {
    const x = points + i * pairSize<G>();
    const y = x + size<G>();
    takeInverse<G>(i);
    sub<G>(u, other + i * stride + size<G>(), y);
    mul<G>(slope, u, inverse);
    finish<G>(x, y, other + i * stride);
  }
}

/** Doubles n pairs. */
export function doubleBatch<G>(points: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const y = points + i * pairSize<G>() + size<G>();
    add<G>(denominators + i * size<G>(), y, y);
  }
  invertAll<G>(n);
  for (let i: usize = <usize>n; i-- > 0;) {
    const x = points + i * pairSize<G>();
    takeInverse<G>(i);
    sqr<G>(u, x);
    add<G>(v, u, u);
    add<G>(u, u, v);
    // In Fp2 three squares are too much for what follows.
    if (degree<G>() == 2) reduce<G>(u, u);
    mul<G>(slope, u, inverse);
    finish<G>(x, x + size<G>(), x);
  }
}

/** dst = ψ(point) of pairs of g2: the Frobenius endomorphism, through the twist. */
export function psi(dst: usize, point: usize): void {
  const table = scratch + 31 * FP;
  for (let i: usize = 0; i < 2; i++) {
    constant<u16>(table, i == 0 ? Constants.psiX : Constants.psiY);
    conjugate(u, point + i * 2 * FP);
    mul<u16>(dst + i * 2 * FP, u, table);
    reduce<u16>(dst + i * 2 * FP, dst + i * 2 * FP);
  }
}
