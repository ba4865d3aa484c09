import { describe, expect, it } from 'vitest';
import { basisOf, isCanonical } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { vectorOf } from './support.ts';
import { withCode } from '../kernels/support.ts';

const set = parameterSet('insecure-bfv-1024');

describe('basisOf', () => {
  it('takes the first primes, all by default, and makes each basis once', () => {
    expect(basisOf(set).primes).toEqual(set.primes);
    expect(basisOf(set, 2).primes).toEqual(set.primes.slice(0, 2));
    expect(basisOf(set, 2)).toBe(basisOf(set, 2));
  });

  it('refuses levels that do not exist', () => {
    for (const limbs of [0, -1, 5, 1.5, Number.NaN]) {
      expect(() => basisOf(set, limbs)).toThrow(withCode(RingErrorCode.LIMBS_OUT_OF_RANGE));
    }
  });
});

describe('isCanonical', () => {
  it('accepts exactly vectors of the right length with residues below their primes', () => {
    for (const width of [1, 2, 7, 64]) {
      const largest = vectorOf(set.primes, width, (_, __, prime) => prime - 1n);
      expect(isCanonical(set.primes, width, largest)).toBe(true);
      expect(isCanonical(set.primes, width, largest.slice(1))).toBe(false);
      expect(isCanonical(set.primes, width, new BigUint64Array(largest.length + 1))).toBe(false);
      for (let i = 0; i < largest.length; i++) {
        for (const value of [set.primes[Math.floor(i / width)], 2n ** 63n, 2n ** 64n - 1n]) {
          const wrong = largest.slice();
          wrong[i] = value;
          expect(isCanonical(set.primes, width, wrong)).toBe(false);
        }
      }
    }
  });
});
