import { describe, expect, it } from 'vitest';
import { Basis } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { switchModulus } from '../../../workers/ring/switching.ts';
import { paths } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { basesOf, composed, sampleVectors, vectorOf } from './support.ts';

const N = 16;
const cases = [
  ...basesOf(N, [43, 43, 44, 44]),
  ...basesOf(N, [50, 30, 49, 36]),
  ...basesOf(N, [44, 55, 60, 43]),
];

/** The nearest integer to value/divisor; the divisor is odd. */
function nearest(value: bigint, divisor: bigint): bigint {
  return (value + (divisor - 1n) / 2n) / divisor;
}

describe.each(cases)('switchModulus on %s', (name, from) => {
  const kernels = name.startsWith('integer') ? paths.integer : paths.default;
  const q = from.primes.reduce((product, prime) => product * prime, 1n);
  const last = from.primes.at(-1)!;
  const boundary = [(last - 1n) / 2n, (last + 1n) / 2n, q - 1n, q - (last + 1n) / 2n, last, 0n];
  const samples = [
    ...sampleVectors('switching', from.primes, N),
    vectorOf(from.primes, N, (_, i, prime) => boundary[i % boundary.length] % prime),
  ];

  it.each([1, 2, 3, 4])('divides by each dropped prime with rounding, down to %i', (limbs) => {
    const to = new Basis(N, from.primes.slice(0, limbs), kernels);
    const modulus = to.primes.reduce((product, prime) => product * prime, 1n);
    for (const x of samples) {
      const dropped = from.primes.slice(limbs).reverse();
      const values = Array.from({ length: N }, (_, i) =>
        dropped.reduce(nearest, composed(from.primes, x, i)),
      );
      expect(switchModulus(from, to, x)).toEqual(
        vectorOf(to.primes, N, (_, i, prime) => (values[i] % modulus) % prime),
      );
    }
  });

  it('refuses targets that are no level below', () => {
    const targets = [
      new Basis(N, [from.primes[1]], kernels),
      new Basis(2 * N, basesOf(2 * N, [44])[0][1].primes, kernels),
      new Basis(N, [...from.primes, basesOf(N, [35])[0][1].primes[0]], kernels),
    ];
    for (const to of targets) {
      expect(() => switchModulus(from, to, samples[0])).toThrow(
        withCode(RingErrorCode.BASIS_MISMATCH),
      );
    }
    expect(() => switchModulus(from, from, samples[0].slice(1))).toThrow(
      withCode(RingErrorCode.LENGTH_MISMATCH),
    );
  });
});
