// Pairs of doubles that hold digits of 51 bits, and the multiply-add on which products rest.
// See docs/curve.md, "Field multiplication".

import * as Constants from './constants';

export abstract class Lanes {
  /** Entry k of a table of u64 or f64, in both lanes. */
  @inline static constant(table: usize, k: usize): v128 {
    return v128.load64_splat(table + (k << 3));
  }

  /** a·b to the nearest multiple of 2^51, plus shift = 1.5·2^103; |a·b| <= 2^102. */
  @inline static high(a: v128, b: v128, shift: v128): v128 {
    if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, shift);
    return f64x2.add(f64x2.mul(a, b), shift);
  }

  /** a·b + rest, exactly; rest takes the high part off, so that 2^52 <= result < 2^53. */
  @inline static low(a: v128, b: v128, rest: v128): v128 {
    if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, rest);
    return Lanes.exactSum(a, b, rest);
  }

  /** As `high`, of -a·b. */
  @inline static highNegated(a: v128, b: v128, shift: v128): v128 {
    if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_nmadd(a, b, shift);
    return f64x2.sub(shift, f64x2.mul(a, b));
  }

  /** As `low`, of -a·b. */
  @inline static lowNegated(a: v128, b: v128, rest: v128): v128 {
    if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_nmadd(a, b, rest);
    return Lanes.exactSum(f64x2.neg(a), b, rest);
  }

  /** The low 51 bits of an integer, less 2^50, as a double. */
  @inline static digit(t: v128): v128 {
    const bits = v128.and(t, Lanes.constant(Constants.magic, 3));
    return f64x2.sub(
      v128.or(bits, Lanes.constant(Constants.magic, 4)),
      Lanes.constant(Constants.magic, 5),
    );
  }

  /**
   * a·b + rest without a fused multiply-add: the product's rounding error comes from halves of its
   * factors (Dekker 1971). Both sums are exact: integers below 2^53.
   */
  static exactSum(a: v128, b: v128, rest: v128): v128 {
    const splitter = f64x2.splat(134217729);
    const product = f64x2.mul(a, b);
    let scaled = f64x2.mul(a, splitter);
    const aHigh = f64x2.sub(scaled, f64x2.sub(scaled, a));
    const aLow = f64x2.sub(a, aHigh);
    scaled = f64x2.mul(b, splitter);
    const bHigh = f64x2.sub(scaled, f64x2.sub(scaled, b));
    const bLow = f64x2.sub(b, bHigh);
    let error = f64x2.sub(f64x2.mul(aHigh, bHigh), product);
    error = f64x2.add(error, f64x2.mul(aHigh, bLow));
    error = f64x2.add(error, f64x2.mul(aLow, bHigh));
    error = f64x2.add(error, f64x2.mul(aLow, bLow));
    return f64x2.add(f64x2.add(product, rest), error);
  }
}
