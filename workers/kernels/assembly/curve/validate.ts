// Which points are elements of their group, in canonical form.

import * as Constants from './constants';
import { isBelow, readElement } from './convert';
import {
  add,
  constant,
  copy,
  degree,
  FP,
  G2,
  mul,
  reduce,
  scale,
  size,
  sqr,
  sub,
  zeroLanesOf,
} from './field';
import { addBatch, doubleBatch, pairSize, prepareBatch, psi } from './group';
import { allocate, mark, release } from './memory';
import { isInfinity } from './single';

/** Lanes that satisfy y² = x³ + b. */
function onCurve<G>(point: usize, b: usize, temporary: usize): i32 {
  const square = temporary;
  const cube = temporary + size<G>();
  sqr<G>(cube, point);
  mul<G>(cube, cube, point);
  add<G>(cube, cube, b);
  sqr<G>(square, point + size<G>());
  sub<G>(square, square, cube);
  return zeroLanesOf<G>(square);
}

/**
 * Sets flags (bit 0 and 1 of a byte per pair) for points on the twist that are outside the group:
 * those for which (x+1)P + ψ(xP) + ψ²(xP) = ψ³(2xP) does not hold (El Housni, Guillevic, Piellard,
 * eprint 2022/352). A step without an affine result is flagged, too: in the group, where every step
 * has a fixed multiple of P, no step is.
 */
function checkSubgroup(points: usize, flags: usize, n: i32): void {
  const since = mark();
  const pair = pairSize<G2>();
  const block = <usize>n * pair;
  const opposite = allocate(block);
  const multiple = allocate(block);
  const sum = allocate(block);
  prepareBatch<G2>(n, flags);
  memory.copy(opposite, points, block);
  for (let i: usize = 0; i < <usize>n; i++) {
    const y = opposite + i * pair + size<G2>();
    for (let k: usize = 0; k < size<G2>(); k += 16) {
      v128.store(y + k, f64x2.neg(v128.load(y + k)));
    }
  }
  memory.copy(multiple, points, block);
  for (let k: usize = 1; k < <usize>Constants.xLength; k++) {
    doubleBatch<G2>(multiple, n);
    const bit = load<u64>(Constants.xBits + (k << 3));
    if (bit != 0) addBatch<G2>(multiple, bit == 1 ? points : opposite, pair, n);
  }
  memory.copy(sum, multiple, block);
  addBatch<G2>(sum, points, pair, n);
  const image = opposite;
  for (let i: usize = 0; i < <usize>n; i++) psi(image + i * pair, multiple + i * pair);
  addBatch<G2>(sum, image, pair, n);
  for (let i: usize = 0; i < <usize>n; i++) psi(image + i * pair, image + i * pair);
  addBatch<G2>(sum, image, pair, n);
  doubleBatch<G2>(multiple, n);
  for (let i: usize = 0; i < <usize>n; i++) {
    const right = multiple + i * pair;
    for (let k = 0; k < 3; k++) psi(right, right);
    sub<G2>(right, right, sum + i * pair);
    sub<G2>(right + size<G2>(), right + size<G2>(), sum + i * pair + size<G2>());
    const equal = zeroLanesOf<G2>(right) & zeroLanesOf<G2>(right + size<G2>());
    store<u8>(flags + i, load<u8>(flags + i) | (equal ^ 3));
  }
  release(since);
}

/** The position of the first of n points of a file that is invalid, or -1; n is even. */
export function firstInvalid<G>(src: usize, n: i32): i32 {
  const since = mark();
  const bytes: usize = sizeof<G>() << 6;
  const pairs = n >> 1;
  const points = allocate(<usize>pairs * pairSize<G>());
  const flags = allocate(<usize>pairs);
  const b = allocate(3 * size<G>());
  constant<G>(b, degree<G>() == 1 ? Constants.g1B : Constants.g2B);
  for (let k = 0; k < n; k++) {
    const point = src + <usize>k * bytes;
    let valid = !isInfinity<G>(point);
    for (let i: usize = 0; i < bytes; i += 32) valid = valid && isBelow(point + i, Constants.fp);
    if (valid) continue;
    const at = flags + <usize>(k >> 1);
    const lane = <u8>(k & 1);
    store<u8>(at, load<u8>(at) | (1 << lane));
  }
  for (let i: usize = 0; i < <usize>pairs; i++) {
    const from = src + 2 * i * bytes;
    const to = points + i * pairSize<G>();
    readElement<G>(to, from, from + bytes);
    readElement<G>(to + size<G>(), from + (bytes >> 1), from + bytes + (bytes >> 1));
    const valid = onCurve<G>(to, b, b + size<G>());
    store<u8>(flags + i, load<u8>(flags + i) | (valid ^ 3));
  }
  if (degree<G>() == 2) checkSubgroup(points, flags, pairs);
  let first = -1;
  for (let k = n - 1; k >= 0; k--) {
    if ((load<u8>(flags + <usize>(k >> 1)) >> (<u8>(k & 1))) & 1) first = k;
  }
  release(since);
  return first;
}
