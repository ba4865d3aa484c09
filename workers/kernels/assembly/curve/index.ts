// The curve module: BN254 on pairs of doubles. See docs/curve.md.

import { G1, G2 } from './field';
import { Lanes } from './lanes';
import { scalePoints } from './scale';
import { sumPoints } from './sums';
import { firstInvalid } from './validate';

export { allocate, mark, release } from './memory';
export { multiplyScalars, reduceScalar, powers } from './scalars';
export { toEvm, fromEvm } from './convert';
export {
  loadScalars,
  storeScalars,
  loadIntegers,
  loadConstant,
  multiplyVectors,
  addVectors,
  addScaledVector,
  addScaledIntegers,
  recur,
  invertVector,
  rootPowers,
  forwardScalars,
  inverseScalars,
} from './vectors';

export function scaleG1(dst: usize, src: usize, scalars: usize, n: i32): void {
  scalePoints<G1>(dst, src, scalars, n);
}

export function scaleG2(dst: usize, src: usize, scalars: usize, n: i32): void {
  scalePoints<G2>(dst, src, scalars, n);
}

export function sumG1(dst: usize, src: usize, coefficients: usize, n: i32): void {
  sumPoints<G1>(dst, src, coefficients, n);
}

export function sumG2(dst: usize, src: usize, coefficients: usize, n: i32): void {
  sumPoints<G2>(dst, src, coefficients, n);
}

export function firstInvalidG1(src: usize, n: i32): i32 {
  return firstInvalid<G1>(src, n);
}

export function firstInvalidG2(src: usize, n: i32): i32 {
  return firstInvalid<G2>(src, n);
}

export { multiplyElements } from './field';

/** 1 if the multiply-add of this build rounds once: (2^27+1)² has 55 bits, the lowest set. */
export function fuses(): i32 {
  const x = f64x2.splat(134217729);
  const low = Lanes.low(x, x, f64x2.neg(f64x2.mul(x, x)));
  return f64x2.extract_lane(low, 0) == 1 ? 1 : 0;
}
