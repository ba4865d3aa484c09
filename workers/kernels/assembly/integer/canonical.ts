// Operations on canonical residues that need no multiplication: both paths use these, two lanes at
// a time. Vectors have even length here (the wrapper pads).

/** 1 if all n residues are below p, else 0. Reads everything before it answers. */
export function isCanonical(x: usize, n: i32, p: u64): i32 {
  const largest = i64x2.splat(p - 1);
  let signs = i64x2.splat(0);
  for (const end = x + ((<usize>n) << 3); x < end; x += 16) {
    const value = v128.load(x);
    // largest - value is negative for values up to 2^63, beyond that the value itself is.
    signs = v128.or(signs, v128.or(i64x2.sub(largest, value), value));
  }
  return i64x2.bitmask(signs) === 0 ? 1 : 0;
}

/** dst = a + b mod p. */
export function add(dst: usize, a: usize, b: usize, n: i32, p: u64): void {
  const modulus = i64x2.splat(p);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    const sum = i64x2.sub(i64x2.add(v128.load(a + i), v128.load(b + i)), modulus);
    v128.store(dst + i, i64x2.add(sum, v128.and(modulus, i64x2.shr_s(sum, 63))));
  }
}

/** dst = a - b mod p. */
export function subtract(dst: usize, a: usize, b: usize, n: i32, p: u64): void {
  const modulus = i64x2.splat(p);
  const bytes = (<usize>n) << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    const difference = i64x2.sub(v128.load(a + i), v128.load(b + i));
    v128.store(dst + i, i64x2.add(difference, v128.and(modulus, i64x2.shr_s(difference, 63))));
  }
}
