import { describe, expect, it } from 'vitest';
import { negacyclicCoefficients } from '../../../workers/ring/arithmetic.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { naiveCoefficient } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { basesOf, limbOf, sampleVectors, vectorOf } from './support.ts';

const bases = [16, 256].flatMap((degree) => [
  ...basesOf(degree, [43, 44]),
  ...basesOf(degree, [30, 50]),
  ...basesOf(degree, [36, 60]),
]);

describe.each(bases)('negacyclicCoefficients on %s', (_, basis) => {
  const { degree, primes } = basis;
  const samples = sampleVectors('coefficients', primes, degree);

  function check(positions: number[]): void {
    for (const a of samples) {
      for (const s of samples) {
        const expected = vectorOf(primes, positions.length, (limb, i, prime) => {
          const [left, right] = [limbOf(a, limb, degree), limbOf(s, limb, degree)];
          return naiveCoefficient(left, right, positions[i], prime);
        });
        expect(negacyclicCoefficients(basis, a, s, Uint32Array.from(positions))).toEqual(expected);
      }
    }
  }

  it('equals the coefficients of the product', () => {
    check([0]);
    check([degree - 1, 0, 1, degree / 2, degree / 2 - 1, 1]);
  });

  it('equals them for many positions as well', () => {
    check(Array.from({ length: 40 }, (_, i) => (i * 5) % degree));
  });

  it('allows no position and refuses those beyond the ring', () => {
    const [a, s] = samples as [(typeof samples)[0], (typeof samples)[0]];
    expect(negacyclicCoefficients(basis, a, s, new Uint32Array(0)).length).toBe(0);
    for (const position of [degree, 2 ** 32 - 1]) {
      expect(() => negacyclicCoefficients(basis, a, s, Uint32Array.of(0, position))).toThrow(
        withCode(RingErrorCode.POSITION_OUT_OF_RANGE),
      );
    }
    expect(() => negacyclicCoefficients(basis, a, s.slice(1), Uint32Array.of(0))).toThrow(
      withCode(RingErrorCode.LENGTH_MISMATCH),
    );
  });
});
