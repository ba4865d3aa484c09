import { describe, expect, it } from 'vitest';
import { KernelErrorCode } from '../../../workers/kernels/errors.ts';
import { fieldOf } from '../../../workers/kernels/field.ts';
import {
  forwardLayers,
  inverseLayers,
  Transform,
  transformOf,
} from '../../../workers/kernels/transform.ts';
import type { Kernels } from '../../../workers/kernels/loader.ts';
import {
  naiveNtt,
  naiveSmallestRoot,
  paths,
  power,
  reversed,
  seededPrime,
  seededResidues,
  transformPrime,
} from './reference.ts';
import { withCode } from './support.ts';

function run(
  kernels: Kernels,
  direction: 'forward' | 'inverse',
  prime: bigint,
  x: readonly bigint[],
): bigint[] {
  const field = fieldOf(prime, kernels);
  const transform = transformOf(field, x.length);
  const mark = kernels.arena.mark();
  const address = field.copyInResident(BigUint64Array.from(x), 0, x.length);
  transform[direction](address);
  field.path.toCanonical(address, address, x.length, field.record);
  const out = new BigUint64Array(x.length);
  field.copyOut(address, out, 0, x.length);
  kernels.arena.release(mark);
  return [...out];
}

/** Much faster than a deep comparison of two arrays of bigints. */
function same(left: readonly bigint[], right: readonly bigint[]): boolean {
  return left.length === right.length && left.every((value, i) => value === right[i]);
}

/** Inputs that drive the sums of unreduced layers to their extremes, and random ones. */
function inputs(n: number, prime: bigint): bigint[][] {
  const patterns = [
    () => 0n,
    () => 1n,
    () => prime - 1n,
    () => (prime - 1n) / 2n,
    () => (prime + 1n) / 2n,
    (i: number) => (i % 2 === 0 ? prime - 1n : 0n),
    (i: number) => (i < n / 2 ? prime - 1n : 1n),
    (i: number) => (i === n - 1 ? prime - 1n : 0n),
  ];
  // Blocks of p - 1 beside blocks of 0: differences as large as the sums of unreduced layers get.
  for (let gap = 1; gap < n / 2; gap *= 2) {
    patterns.push((i: number) => (i & gap ? 0n : prime - 1n));
  }
  const fixed = patterns.map((pattern) => Array.from({ length: n }, (_, i) => pattern(i)));
  return [...fixed, seededResidues(`transform/${prime}`, n, prime)];
}

/**
 * A forward input whose value at the odd position of block `block` of the last layer is the sum of
 * p - 1 and (p - 1)/2 per earlier layer: as large as unreduced layers can make it.
 */
function growingInput(n: number, prime: bigint, block: number, psi: bigint): bigint[] {
  const x = Array<bigint>(n).fill(0n);
  const bits = Math.log2(n);
  x[1] = prime - 1n;
  for (let gap = n / 2, blocks = 1; gap > 1; gap /= 2, blocks *= 2) {
    const w = power(
      psi,
      BigInt(reversed(blocks + Math.floor((2 * block) / (2 * gap)), bits)),
      prime,
    );
    const product = (2 * block) & gap ? (prime + 1n) / 2n : (prime - 1n) / 2n;
    x[1 + gap] = (product * power(w, prime - 2n, prime)) % prime;
  }
  return x;
}

const degrees = [16, 32, 64, 128];
const sizes = [30, 36, 43, 44, 46, 48, 49, 50, 51, 55, 60];

describe('transform', () => {
  for (const [name, kernels] of Object.entries(paths)) {
    it.each(degrees)(`${name} kernels follow the definition at N = %i`, (n) => {
      for (const bits of sizes) {
        const prime = seededPrime('definition', bits, n);
        for (const x of inputs(n, prime)) {
          const expected = naiveNtt(x, prime);
          expect(same(run(kernels, 'forward', prime, x), expected)).toBe(true);
          expect(same(run(kernels, 'inverse', prime, expected), x)).toBe(true);
        }
      }
    });
  }

  it.each([512, 1024, 8192])('both paths agree at N = %i', (n) => {
    // The largest primes below each power of two leave the least room for unreduced layers.
    const limits = [44, 49, 50].map((bits) => transformPrime(1n << BigInt(bits), n));
    for (const prime of limits) {
      for (const x of inputs(n, prime)) {
        for (const direction of ['forward', 'inverse'] as const) {
          const expected = run(paths.integer, direction, prime, x);
          expect(same(run(paths.default, direction, prime, x), expected)).toBe(true);
        }
        const there = run(paths.default, 'forward', prime, x);
        expect(same(run(paths.default, 'inverse', prime, there), x)).toBe(true);
      }
    }
  });

  it.each([1024, 8192, 16384])('reduces in time at N = %i', (n) => {
    for (const bits of [49, 50]) {
      const prime = transformPrime(1n << BigInt(bits), n);
      const psi = naiveSmallestRoot(2 * n, prime);
      // Blocks whose factor is close to -p/2: the quotient of the grown value is at its largest.
      const extreme = Array.from({ length: 256 }, (_, block) => ({
        block,
        w: power(psi, BigInt(reversed(n / 2 + block, Math.log2(n))), prime),
      })).filter(({ w }) => w > prime / 2n && w < (prime * 53n) / 100n);
      expect(extreme.length).toBeGreaterThan(0);
      for (const { block } of extreme) {
        const x = growingInput(n, prime, block, psi);
        const expected = run(paths.integer, 'forward', prime, x);
        expect(same(run(paths.default, 'forward', prime, x), expected)).toBe(true);
      }
    }
  });

  it('keeps every unreduced layer within the exact range', () => {
    for (const bits of [30, 36, 43, 44, 48, 49, 50]) {
      const prime = transformPrime(1n << BigInt(bits), 8192);
      const limit = 1n << 52n;
      const inverse = inverseLayers(prime);
      expect(prime << BigInt(inverse)).toBeLessThanOrEqual(limit);
      expect(prime << BigInt(inverse + 1)).toBeGreaterThan(limit);
      // Passes of two layers must always fit.
      expect(inverse).toBeGreaterThanOrEqual(2);
      // A product is at most p/2 plus p·2^-54 times its operand (docs/arithmetic.md).
      let bound = Number(prime);
      const forward = forwardLayers(prime);
      expect(forward).toBeGreaterThanOrEqual(3);
      for (let layer = 0; layer < forward; layer++) {
        bound += Number(prime) / 2 + Number(prime) * bound * 2 ** -54;
      }
      expect(bound).toBeLessThanOrEqual(2 ** 52);
    }
  });

  it('refuses moduli and lengths without a transform', () => {
    const field = fieldOf(seededPrime('refuse', 44, 64), paths.integer);
    for (const degree of [0, 8, 48, 2 ** 20, 65_536, Number.NaN]) {
      expect(() => new Transform(field, degree)).toThrow(
        withCode(KernelErrorCode.DEGREE_UNSUPPORTED),
      );
    }
    for (const prime of [0n, -7n, 1009n, 2n ** 44n, 2n ** 61n, 2n ** 61n + 1n]) {
      expect(() => fieldOf(prime, paths.integer)).toThrow(
        withCode(KernelErrorCode.MODULUS_UNSUPPORTED),
      );
    }
  });
});
