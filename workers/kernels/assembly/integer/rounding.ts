// Scaling by t/q with rounding. Input: y_l = x_l·(q/p_l)^-1 mod p_l, then
// t·x/q = Σ_l t·y_l/p_l modulo t. See docs/arithmetic.md, "Scale and round".

import { U64 } from './arithmetic';

/**
 * Adds one limb: whole[j] += floor(t·y/p), fraction[j] += (t·y mod p)/p, y = x·c.
 * c: the constant (q/p)^-1; ratio = floor(t·2^64 / p).
 */
export function addFraction(
  whole: usize,
  fraction: usize,
  x: usize,
  n: i32,
  c: usize,
  t: u64,
  ratio: u64,
  p: u64,
): void {
  const w = load<u64>(c);
  const wRatio = load<u64>(c, 8);
  const reciprocal = 1.0 / <f64>p;
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 8) {
    const y = U64.subtractIfAtLeast(U64.mulConstant(load<u64>(x + i), w, wRatio, p), p);
    // The quotient is exact or one too small: the remainder is in [0, 2p).
    const quotient = U64.mulHigh(y, ratio);
    const remainder = t * y - quotient * p;
    store<u64>(whole + i, load<u64>(whole + i) + quotient);
    store<f64>(fraction + i, load<f64>(fraction + i) + <f64>remainder * reciprocal);
  }
}

/**
 * whole[j] = whole[j] + round(fraction[j]) mod t. Returns how many coefficients lie too close to a
 * half to be rounded with certainty; their numbers go to `uncertain` (u32 each).
 */
export function round(
  whole: usize,
  fraction: usize,
  n: i32,
  t: u64,
  margin: f64,
  uncertain: usize,
): i32 {
  let count = 0;
  for (let j = 0; j < n; j++) {
    const sum = load<f64>(fraction);
    const nearest_ = nearest(sum);
    if (abs(sum - nearest_) > 0.5 - margin) {
      store<u32>(uncertain + ((<usize>count) << 2), j);
      count++;
    }
    store<u64>(whole, (load<u64>(whole) + <u64>nearest_) % t);
    whole += 8;
    fraction += 8;
  }
  return count;
}
