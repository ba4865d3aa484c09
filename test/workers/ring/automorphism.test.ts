import { describe, expect, it } from 'vitest';
import { intt, multiply, ntt } from '../../../workers/ring/arithmetic.ts';
import { automorphism } from '../../../workers/ring/automorphism.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { mod } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { basesOf, sampleVectors } from './support.ts';

const N = 32;
const bases = [...basesOf(N, [30, 43, 44]), ...basesOf(N, [44, 55, 60])];
const elements = Array.from({ length: N }, (_, place) => 2 * place + 1);

/** X^i → X^(g·i) with X^N = -1, coefficient by coefficient. */
function naive(primes: readonly bigint[], x: RnsVector, element: number): RnsVector {
  const out: RnsVector = new BigUint64Array(x.length);
  primes.forEach((prime, limb) => {
    for (let i = 0; i < N; i++) {
      const exponent = (i * element) % (2 * N);
      const sign = exponent < N ? 1n : -1n;
      out[limb * N + (exponent % N)] = mod(sign * x[limb * N + i], prime);
    }
  });
  return out;
}

describe.each(bases)('automorphisms on %s', (_, basis) => {
  const samples = sampleVectors('automorphism', basis.primes, N);

  it('permute evaluations as they substitute in coefficients', () => {
    for (const x of samples) {
      for (const element of elements) {
        const image = automorphism(basis, ntt(basis, x), element);
        expect(intt(basis, image)).toEqual(naive(basis.primes, x, element));
      }
    }
  });

  it('compose, and commute with products', () => {
    const [a, b] = samples.map((x) => ntt(basis, x));
    const twice = automorphism(basis, automorphism(basis, a, 3), 5);
    expect(twice).toEqual(automorphism(basis, a, 15));
    const image = automorphism(basis, multiply(basis, a, b), 2 * N - 1);
    const [left, right] = [a, b].map((x) => automorphism(basis, x, 2 * N - 1));
    expect(image).toEqual(multiply(basis, left, right));
  });

  it('leave their argument alone, at any offset in its memory', () => {
    const [x] = samples;
    const padded: RnsVector = new BigUint64Array(x.length + 3);
    padded.set(x, 3);
    const before = padded.slice();
    expect(automorphism(basis, padded.subarray(3), 5)).toEqual(automorphism(basis, x, 5));
    expect(padded).toEqual(before);
  });
});

describe('automorphism', () => {
  const [[, basis]] = bases;
  const x: RnsVector = new BigUint64Array(3 * N);

  it.each([0, 2, -1, 2 * N + 1, 2 * N, 1.5, Number.NaN, 2 ** 53 + 2])(
    'refuses the element %d',
    (element) => {
      expect(() => automorphism(basis, x, element)).toThrow(
        withCode(RingErrorCode.ELEMENT_INVALID),
      );
    },
  );

  it('refuses vectors of another shape', () => {
    expect(() => automorphism(basis, x.subarray(1), 3)).toThrow(
      withCode(RingErrorCode.LENGTH_MISMATCH),
    );
  });
});
