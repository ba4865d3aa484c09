// The integer module: exact 64-bit arithmetic for primes below 2^61, and the fallback for all.

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
export { isCanonical, add, subtract } from './canonical';
export { addFraction, round } from './rounding';
export { pack, unpack } from './packing';
