import { describe, expect, it } from 'vitest';
import { Basis } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { scaleAndRound } from '../../../workers/ring/rounding.ts';
import { basesOf, composed, sampleVectors, vectorOf } from './support.ts';
import { seededPrime } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';

const N = 32;
const cases = [
  ...basesOf(N, [43]),
  ...basesOf(N, [43, 43, 44]),
  ...basesOf(N, [50, 60, 36, 55, 30, 44]),
  // The most limbs, with the largest plain modulus: sums of 16 integer parts.
  ...basesOf(N, Array<number>(16).fill(49)),
];

describe.each(cases)('scaleAndRound on %s', (_, basis) => {
  const { primes } = basis;
  const q = primes.reduce((product, prime) => product * prime, 1n);

  const moduli = [2n, 1n << 16n, 65537n, 1032193n, (1n << 29n) - 3n, (1n << 32n) - 5n, 1n << 32n];
  it.each(moduli.filter((t) => primes.every((prime) => prime > t)))(
    'equals the definition at t = %i',
    (t) => {
      // Values right beside the boundary between two results, where doubles cannot decide.
      const edges = Array.from({ length: N }, (_, i) => {
        const k = (BigInt(i) * 7919n) % t;
        return ((2n * k + 1n) * q) / (2n * t) + BigInt(i % 2);
      });
      const samples = [
        ...sampleVectors('rounding', primes, N),
        vectorOf(primes, N, (_, i, prime) => edges[i] % prime),
      ];
      for (const x of samples) {
        const expected = Array.from({ length: N }, (_, i) => {
          const scaled = 2n * t * composed(primes, x, i) + q;
          return (scaled / (2n * q)) % t;
        });
        expect([...scaleAndRound(basis, t, x)]).toEqual(expected);
      }
    },
  );

  it('gives each coefficient alone what it has among all', () => {
    for (const x of sampleVectors('rounding', primes, N)) {
      const whole = scaleAndRound(basis, 2n, x);
      for (const width of [1, 3, N - 1]) {
        const some = vectorOf(primes, width, (limb, i) => x[limb * N + i]);
        expect([...scaleAndRound(basis, 2n, some, width)]).toEqual([...whole.slice(0, width)]);
      }
    }
  });

  it('refuses more limbs than its error bound covers', () => {
    const wide = new Basis(
      16,
      Array.from({ length: 17 }, (_, i) => seededPrime(`wide/${i}`, 44, 16)),
    );
    expect(() => scaleAndRound(wide, 17n, new BigUint64Array(17 * 16))).toThrow(
      withCode(RingErrorCode.LIMBS_OUT_OF_RANGE),
    );
  });

  it('refuses plain moduli out of range and other lengths', () => {
    const x = new BigUint64Array(N * primes.length);
    for (const t of [0n, 1n, (1n << 32n) + 1n, primes[0]]) {
      expect(() => scaleAndRound(basis, t, x)).toThrow(withCode(RingErrorCode.SCALAR_OUT_OF_RANGE));
    }
    expect(() => scaleAndRound(basis, 17n, x.slice(1))).toThrow(
      withCode(RingErrorCode.LENGTH_MISMATCH),
    );
  });
});
