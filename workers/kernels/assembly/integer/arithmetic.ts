// Modular arithmetic on u64 residues, primes below 2^61. See docs/arithmetic.md.
//
// A modulus record `m` holds four u64: p, -p^-1 mod 2^64, 2^128 mod p, floor(2^64 / p).
// A constant `c` is a pair of u64: w in [0, p) and floor(w·2^64 / p).

// Static methods, because only those can be marked for inlining in a file that is also valid TypeScript.

export abstract class U64 {
  /** High half of the 128-bit product: WebAssembly multiplies 64 by 64 bits only modulo 2^64. */
  @inline static mulHigh(a: u64, b: u64): u64 {
    const a0 = a & 0xffffffff;
    const a1 = a >> 32;
    const b0 = b & 0xffffffff;
    const b1 = b >> 32;
    const middle = a1 * b0 + ((a0 * b0) >> 32);
    const carry = a0 * b1 + (middle & 0xffffffff);
    return a1 * b1 + (middle >> 32) + (carry >> 32);
  }

  /** x - bound if x >= bound, else x, without a branch; x and bound below 2^63. */
  @inline static subtractIfAtLeast(x: u64, bound: u64): u64 {
    const difference = x - bound;
    return difference + (bound & (((<i64>difference) >> 63) as u64));
  }

  /** x·w mod p in [0, 2p) for any u64 x (Shoup); `ratio` = floor(w·2^64 / p). */
  @inline static mulConstant(x: u64, w: u64, ratio: u64, p: u64): u64 {
    return x * w - U64.mulHigh(x, ratio) * p;
  }

  /** a·b·2^-64 mod p in [0, p) for a·b < p·2^64 (Montgomery). */
  @inline static mulMontgomery(a: u64, b: u64, p: u64, negatedInverse: u64): u64 {
    const low = a * b;
    // The low halves cancel modulo 2^64; they carry exactly when `low` is not zero.
    const carry = (low | (0 - low)) >> 63;
    return U64.subtractIfAtLeast(
      U64.mulHigh(a, b) + U64.mulHigh(low * negatedInverse, p) + carry,
      p,
    );
  }
}
