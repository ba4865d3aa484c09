// Modular arithmetic on residues as doubles, two lanes at a time, primes below 2^50.
// Bounds and exactness are derived in docs/arithmetic.md; relaxed multiply-adds must fuse.
//
// A modulus record `m` holds four f64: p, the double nearest to 1/p, 1.5·2^52 (`rounder`) and 2^52
// (`unit`). The last two come from memory because the compiler would copy a constant into every
// place of use, where the engine builds it anew each time.
// A constant `c` is a pair of f64: the representative w of least magnitude and the double nearest
// to w/p.

export abstract class F64x2 {
  /** u64 below 2^52 to double: as the mantissa of a number from 2^52 on. */
  @inline static fromU64(x: v128, unit: v128): v128 {
    return f64x2.sub(v128.or(x, unit), unit);
  }

  /** Integers in [0, 2^52) to u64. */
  @inline static toU64(x: v128, unit: v128): v128 {
    return v128.xor(f64x2.add(x, unit), unit);
  }

  /**
   * x·w mod p for |x| <= 2^52: |result| <= 3p/4.
   *
   * Adding `rounder` to a double below 2^51 drops its fraction; subtracting it again leaves the
   * nearest integer.
   */
  @inline static mulConstant(x: v128, w: v128, ratio: v128, p: v128, rounder: v128): v128 {
    const high = f64x2.mul(x, w);
    const negatedLow = f64x2.relaxed_nmadd(x, w, high);
    const quotient = f64x2.sub(f64x2.relaxed_madd(x, ratio, rounder), rounder);
    return f64x2.sub(f64x2.relaxed_nmadd(quotient, p, high), negatedLow);
  }

  /** a·b mod p for |a|, |b| <= p: |result| <= 3p/4 + 1. */
  @inline static mul(a: v128, b: v128, p: v128, reciprocal: v128, rounder: v128): v128 {
    const high = f64x2.mul(a, b);
    const negatedLow = f64x2.relaxed_nmadd(a, b, high);
    const quotient = f64x2.sub(f64x2.relaxed_madd(high, reciprocal, rounder), rounder);
    return f64x2.sub(f64x2.relaxed_nmadd(quotient, p, high), negatedLow);
  }

  /** x mod p for |x| <= 2^53: |result| <= p/2 + 1; for |x| <= 2^52: |result| <= (p + 1)/2. */
  @inline static reduce(x: v128, p: v128, reciprocal: v128, rounder: v128): v128 {
    const quotient = f64x2.sub(f64x2.relaxed_madd(x, reciprocal, rounder), rounder);
    return f64x2.relaxed_nmadd(quotient, p, x);
  }

  /** The representative in [0, p) of x in (-p, p). */
  @inline static canonical(x: v128, p: v128): v128 {
    return f64x2.add(x, v128.and(p, f64x2.lt(x, f64x2.splat(0))));
  }
}
