// The fast module: doubles and fused multiply-add of relaxed SIMD, for primes below 2^50.

export { forward, inverse } from './transform';
export {
  toResident,
  toCanonical,
  storeSum,
  multiply,
  addScaled,
  reduce,
  divide,
  innerProduct,
} from './vector';
export { ternary, binomial, addSmall, addWords } from './sampling';

/** The part of a·b that rounding loses, if the engine fuses its multiply-add; else 0. */
export function productLow(a: f64, b: f64): f64 {
  const x = f64x2.splat(a);
  const y = f64x2.splat(b);
  return -f64x2.extract_lane(f64x2.relaxed_nmadd(x, y, f64x2.mul(x, y)), 0);
}
