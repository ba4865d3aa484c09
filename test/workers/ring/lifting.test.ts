import { expect, it } from 'vitest';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { lift } from '../../../workers/ring/lifting.ts';
import { mod, seededPrime } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';

const primes = [20, 33, 44, 50, 54, 60].map((bits) => seededPrime('lifting', bits, 16));

it('gives the residues of small integers modulo primes of any size', () => {
  const most = Number(primes[0]) - 1;
  const values = [0, 1, -1, 21, -21, most, -most];
  const expected = primes.flatMap((prime) => values.map((x) => mod(BigInt(x), prime)));
  expect([...lift(primes, Int32Array.from(values))]).toEqual(expected);
  expect([...lift(primes, Float64Array.from(values))]).toEqual(expected);
});

it('and of large ones modulo larger primes', () => {
  const wide = primes.slice(4);
  const values = [2 ** 32, -(2 ** 32), 2 ** 32 - 1, 1 - 2 ** 32, 2 ** 53 - 1, 1 - 2 ** 53];
  const expected = wide.flatMap((prime) => values.map((x) => mod(BigInt(x), prime)));
  expect([...lift(wide, Float64Array.from(values))]).toEqual(expected);
});

it('has nothing to lift in an empty vector', () => {
  expect(() => lift(primes, new Int8Array(0))).toThrow(withCode(RingErrorCode.LENGTH_MISMATCH));
});
