/** base^exponent mod modulus; public inputs only (not constant time). */
export function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n % modulus;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Inverse modulo a prime, of a value that the prime does not divide; public inputs only. */
export function modInverse(value: bigint, prime: bigint): bigint {
  return modPow(((value % prime) + prime) % prime, prime - 2n, prime);
}

/** The `bits` lowest bits of `value` in reversed order. */
export function reverseBits(value: number, bits: number): number {
  let reversed = 0;
  for (let i = 0; i < bits; i++) reversed |= ((value >> i) & 1) << (bits - 1 - i);
  return reversed;
}

/**
 * The smallest primitive root of unity of order `order` modulo a prime.
 *
 * @param order a power of two, at least 2
 * @returns undefined if there is none: `order` does not divide prime - 1
 */
export function smallestPrimitiveRoot(order: number, prime: bigint): bigint | undefined {
  if ((prime - 1n) % BigInt(order) !== 0n) return undefined;
  const cofactor = (prime - 1n) / BigInt(order);
  // Half of all candidates are non-residues, whose power has full order.
  let root: bigint | undefined;
  for (let candidate = 2n; root === undefined && candidate < 1000n; candidate++) {
    const power = modPow(candidate, cofactor, prime);
    if (modPow(power, BigInt(order / 2), prime) === prime - 1n) root = power;
  }
  if (root === undefined) return undefined;
  // The primitive roots are the odd powers of any one of them.
  const square = (root * root) % prime;
  let smallest = root;
  for (let i = 1; i < order / 2; i++) {
    root = (root * square) % prime;
    if (root < smallest) smallest = root;
  }
  return smallest;
}
