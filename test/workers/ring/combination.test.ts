import { describe, expect, it } from 'vitest';
import { KernelErrorCode } from '../../../workers/kernels/errors.ts';
import { linearCombination } from '../../../workers/ring/arithmetic.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { paths, seededPrime, seededResidues } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { seededVector, vectorOf } from './support.ts';

const primes = [30, 44, 50, 51, 60].map((bits) => seededPrime('combination', bits, 16));

describe.each(Object.entries(paths))('linearCombination on %s kernels', (_, kernels) => {
  function check(rows: RnsVector[], coefficients: bigint[][]): void {
    const width = rows[0].length / primes.length;
    const expected = vectorOf(primes, width, (limb, i, prime) => {
      const terms = rows.map((row, r) => row[limb * width + i] * coefficients[limb][r]);
      return terms.reduce((sum, term) => sum + term, 0n) % prime;
    });
    expect(linearCombination(primes, rows, coefficients, kernels)).toEqual(expected);
  }

  it.each([1, 2, 3, 64, 101])('equals the sum for width %i', (width) => {
    const rows = Array.from({ length: 5 }, (_, r) => seededVector(`row/${r}`, primes, width));
    check(
      rows,
      primes.map((prime) => seededResidues('coefficients', rows.length, prime)),
    );
  });

  it('stays exact over many extreme rows', () => {
    const row = vectorOf(primes, 3, (_, __, prime) => prime - 1n);
    const rows = Array<RnsVector>(300).fill(row);
    for (const scalar of [
      (prime: bigint) => prime - 1n,
      (prime: bigint) => (prime - 1n) / 2n,
      (prime: bigint) => (prime + 1n) / 2n,
      // Centred products of nearly p/2 that are odd: no lost bit goes unnoticed.
      (prime: bigint) => (prime - 3n) / 2n,
      () => 1n,
      () => 0n,
    ]) {
      check(
        rows,
        primes.map((prime) => Array<bigint>(rows.length).fill(scalar(prime))),
      );
    }
  });

  it('refuses shapes that do not match and values out of range', () => {
    const row = seededVector('row', primes, 4);
    const ones = primes.map(() => [1n]);
    const mismatch = withCode(RingErrorCode.LENGTH_MISMATCH);
    expect(() => linearCombination(primes, [], ones, kernels)).toThrow(mismatch);
    expect(() => linearCombination(primes, [row, row], ones, kernels)).toThrow(mismatch);
    expect(() => linearCombination(primes, [row.slice(1)], ones, kernels)).toThrow(mismatch);
    expect(() => linearCombination(primes, [row], ones.slice(1), kernels)).toThrow(mismatch);
    for (const scalar of [-1n, primes[0]]) {
      const coefficients = [[scalar], ...ones.slice(1)];
      expect(() => linearCombination(primes, [row], coefficients, kernels)).toThrow(
        withCode(RingErrorCode.SCALAR_OUT_OF_RANGE),
      );
    }
    const wrong = row.slice();
    wrong[2] = 2n ** 64n - 1n;
    expect(() => linearCombination(primes, [wrong], ones, kernels)).toThrow(
      withCode(KernelErrorCode.RESIDUE_OUT_OF_RANGE),
    );
  });
});
