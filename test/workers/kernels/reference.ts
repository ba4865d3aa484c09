import { createHash } from 'node:crypto';
import { defaultKernels, instantiateKernels, readModule } from '../../../workers/kernels/loader.ts';

// Slow and straightforward: what the kernels are compared with.

/** Deterministic bytes of a named stream. */
export function seededBytes(seed: string, length: number): Uint8Array {
  return createHash('shake128', { outputLength: length }).update(seed).digest();
}

/** Little-endian integer of `width` bytes. */
export function littleEndian(bytes: Uint8Array, offset: number, width: number): bigint {
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i]);
  return value;
}

/** `length` residues modulo a prime from a named stream. */
export function seededResidues(seed: string, length: number, prime: bigint): bigint[] {
  const bytes = seededBytes(seed, 16 * length);
  return Array.from({ length }, (_, i) => littleEndian(bytes, 16 * i, 16) % prime);
}

export function mod(value: bigint, prime: bigint): bigint {
  const rest = value % prime;
  return rest < 0n ? rest + prime : rest;
}

export function power(base: bigint, exponent: bigint, prime: bigint): bigint {
  let result = 1n;
  for (let bit = BigInt(exponent.toString(2).length); bit >= 0n; bit--) {
    result = (result * result) % prime;
    if ((exponent >> bit) & 1n) result = (result * base) % prime;
  }
  return result;
}

function isPrime(candidate: bigint): boolean {
  let odd = candidate - 1n;
  let twos = 0;
  for (; (odd & 1n) === 0n; odd >>= 1n) twos++;
  // Deterministic below 3.3·10^24 (Sorenson and Webster, 2015).
  return [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n].every((base) => {
    let x = power(base % candidate, odd, candidate);
    if (base % candidate === 0n || x === 1n) return true;
    for (let i = 0; i < twos; i++) {
      if (x === candidate - 1n) return true;
      x = (x * x) % candidate;
    }
    return false;
  });
}

/** The largest prime p <= limit with 2·degree | p - 1. */
export function transformPrime(limit: bigint, degree: number): bigint {
  const step = 2n * BigInt(degree);
  let candidate = limit - ((limit - 1n) % step);
  while (!isPrime(candidate)) candidate -= step;
  return candidate;
}

/** A prime of exactly `bits` bits for transforms of length `degree`, from a named stream. */
export function seededPrime(seed: string, bits: number, degree: number): bigint {
  const floor = 1n << BigInt(bits - 1);
  const offset = littleEndian(seededBytes(`${seed}/${bits}/${degree}`, 16), 0, 16) % (floor / 2n);
  return transformPrime(floor + floor / 2n + offset, degree);
}

export function reversed(value: number, bits: number): number {
  return Number.parseInt(value.toString(2).padStart(bits, '0').split('').reverse().join(''), 2);
}

/** out[i] = Σ_j x[j]·ψ^(j·(2·rev(i)+1)): the definition in docs/formats.md, in N² steps. */
export function naiveNtt(x: readonly bigint[], prime: bigint): bigint[] {
  const n = x.length;
  const bits = Math.log2(n);
  const psi = naiveSmallestRoot(2 * n, prime);
  return x.map((_, i) => {
    const point = power(psi, BigInt(2 * reversed(i, bits) + 1), prime);
    return x.reduceRight((sum, coefficient) => (sum * point + coefficient) % prime, 0n);
  });
}

/** The smallest element of multiplicative order `order`, a power of two. */
export function naiveSmallestRoot(order: number, prime: bigint): bigint {
  let root = 0n;
  for (let base = 2n; root === 0n; base++) {
    const candidate = power(base, (prime - 1n) / BigInt(order), prime);
    if (power(candidate, BigInt(order / 2), prime) === prime - 1n) root = candidate;
  }
  const roots = Array.from({ length: order / 2 }, (_, i) => power(root, BigInt(2 * i + 1), prime));
  return roots.reduce((smallest, other) => (other < smallest ? other : smallest));
}

/** One coefficient of the product in Z_p[X]/(X^N + 1). */
export function naiveCoefficient(
  a: readonly bigint[],
  s: readonly bigint[],
  position: number,
  prime: bigint,
): bigint {
  const n = a.length;
  const sum = a.reduce((partial, left, i) => {
    const j = position - i;
    return partial + (j >= 0 ? left * s[j] : -left * s[j + n]);
  }, 0n);
  return mod(sum, prime);
}

function popcount(value: bigint): number {
  return value.toString(2).replaceAll('0', '').length;
}

/** The byte definitions of docs/formats.md ("Expander"). */
export const distributions = {
  ternary: (bytes: Uint8Array, j: number) => ((3n * littleEndian(bytes, 8 * j, 8)) >> 64n) - 1n,
  binomial: (bytes: Uint8Array, j: number) => {
    const x = littleEndian(bytes, 6 * j, 6);
    const low = (1n << 21n) - 1n;
    return BigInt(popcount(x & low) - popcount((x >> 21n) & low));
  },
  uniform: (bytes: Uint8Array, j: number, bits: number) => {
    const width = 4 * Math.ceil((bits + 1) / 32);
    const span = 1n << BigInt(bits + 1);
    return (littleEndian(bytes, width * j, width) % span) - span / 2n;
  },
};

/** Kernels as they are in production, and with the fast module withheld. */
export const paths = {
  default: defaultKernels(),
  integer: instantiateKernels(readModule('integer'), new Uint8Array(0)),
};
