import { describe, expect, it } from 'vitest';
import { committeeOf, subsets } from '../../../workers/sharing/committee.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { lagrangeCoefficients, setPolynomialAt } from '../../../workers/sharing/shamir.ts';
import { interpolate, seededBytes, littleEndian } from './reference.ts';

const primes = [65537n, 8796092858369n, 1152921504606830593n];
const sizes = [4, 7, 10, 13];

/** A random polynomial of degree t and its values at 0..n. */
function randomPolynomial(t: number, n: number, prime: bigint, seed: string): bigint[] {
  const bytes = seededBytes(seed);
  const coefficients = Array.from({ length: t + 1 }, () => littleEndian(bytes(16)) % prime);
  return Array.from({ length: n + 1 }, (_, x) =>
    coefficients.reduceRight((value, c) => (value * BigInt(x) + c) % prime, 0n),
  );
}

describe('lagrangeCoefficients', () => {
  it.each(sizes)('predicts 0 and every share from any t+1 of %i', (n) => {
    const committee = committeeOf(n);
    const { t } = committee;
    for (const prime of primes) {
      const values = randomPolynomial(t, n, prime, `shamir ${n} ${prime}`);
      const bases = subsets([...Array(n).keys()], t + 1).filter((_, at) => at % 37 === 0);
      for (const basis of bases.map((zeroBased) => zeroBased.map((x) => x + 1))) {
        for (let at = 0; at <= n; at++) {
          const coefficients = lagrangeCoefficients(committee, basis, at, prime);
          const sum = basis.reduce((total, x, k) => total + coefficients[k] * values[x], 0n);
          expect(sum % prime).toBe(values[at]);
          expect(coefficients.every((c) => c >= 0n && c < prime)).toBe(true);
        }
      }
    }
  });

  it.each([
    [SharingErrorCode.INDEX_OUT_OF_RANGE, [0, 1], 3],
    [SharingErrorCode.INDEX_OUT_OF_RANGE, [1, 5], 3],
    [SharingErrorCode.INDEX_OUT_OF_RANGE, [1, 2], 5],
    [SharingErrorCode.INDEX_OUT_OF_RANGE, [1, 2], -1],
    [SharingErrorCode.INDEX_OUT_OF_RANGE, [1.5, 2], 0],
    [SharingErrorCode.POINTS_INVALID, [2, 2], 0],
    [SharingErrorCode.POINTS_INVALID, [], 0],
  ])('refuses with %s points %j at %d', (code, points, at) => {
    expect(() => lagrangeCoefficients(committeeOf(4), points, at, 65537n)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('setPolynomialAt', () => {
  it.each(sizes)('is 1 at 0, vanishes outside the set and has degree t, n = %i', (n) => {
    const committee = committeeOf(n);
    const all = Array.from({ length: n }, (_, at) => at + 1);
    committee.sets.forEach((members, number) => {
      if (number % 17 !== 0) return;
      for (const prime of primes) {
        const values = all.map((index) => setPolynomialAt(committee, number, index, prime));
        const outside = all.filter((index) => values[index - 1] === 0n);
        expect(outside).toEqual(all.filter((index) => !members.includes(index)));
        // t+1 values fix it; at 0 it is 1 and at all other operators it is what was computed.
        const basis = all.slice(n - committee.t - 1).map((x) => [x, values[x - 1]] as const);
        expect(interpolate(basis, 0, prime)).toBe(1n);
        for (const x of all) expect(interpolate(basis, x, prime)).toBe(values[x - 1]);
      }
    });
  });

  it('refuses a set or an operator that does not exist', () => {
    const committee = committeeOf(4);
    for (const [number, index] of [
      [4, 1],
      [-1, 1],
      [0, 0],
      [0, 5],
    ]) {
      expect(() => setPolynomialAt(committee, number, index, 65537n)).toThrow(
        expect.objectContaining({ code: SharingErrorCode.INDEX_OUT_OF_RANGE }),
      );
    }
  });
});
