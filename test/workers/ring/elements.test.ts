import { describe, expect, it } from 'vitest';
import { KernelErrorCode } from '../../../workers/kernels/errors.ts';
import {
  add,
  intt,
  multiply,
  negacyclicMultiplyAdd,
  negate,
  ntt,
  subtract,
} from '../../../workers/ring/arithmetic.ts';
import type { Basis, RnsVector } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { mod, naiveCoefficient, naiveNtt } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { basesOf, limbOf, sampleVectors, vectorOf } from './support.ts';

const N = 32;
const bases = [
  ...basesOf(N, [30, 43, 44]),
  ...basesOf(N, [49, 50, 50]),
  ...basesOf(N, [44, 55, 60]),
];

function expected(
  basis: Basis,
  residue: (limb: number, i: number, prime: bigint) => bigint,
): RnsVector {
  return vectorOf(basis.primes, N, (limb, i, prime) => mod(residue(limb, i, prime), prime));
}

describe.each(bases)('ring elements on %s', (_, basis) => {
  const samples = sampleVectors('elements', basis.primes, N);

  it('transforms as defined, and back', () => {
    for (const x of samples) {
      const limbs = basis.primes.map((prime, l) => naiveNtt(limbOf(x, l, N), prime));
      const transformed = expected(basis, (limb, i) => limbs[limb][i]);
      expect(ntt(basis, x)).toEqual(transformed);
      expect(intt(basis, transformed)).toEqual(x);
    }
  });

  it('adds, subtracts, negates and multiplies pointwise', () => {
    for (const a of samples) {
      const at = (v: RnsVector, limb: number, i: number) => v[limb * N + i];
      expect(negate(basis, a)).toEqual(expected(basis, (l, i) => -at(a, l, i)));
      for (const b of samples) {
        expect(add(basis, a, b)).toEqual(expected(basis, (l, i) => at(a, l, i) + at(b, l, i)));
        expect(subtract(basis, a, b)).toEqual(expected(basis, (l, i) => at(a, l, i) - at(b, l, i)));
        expect(multiply(basis, a, b)).toEqual(expected(basis, (l, i) => at(a, l, i) * at(b, l, i)));
      }
    }
  });

  it('multiplies in the ring and adds', () => {
    for (const a of samples) {
      for (const s of samples) {
        for (const c of samples) {
          const product = basis.primes.map((prime, l) => {
            const [left, right] = [limbOf(a, l, N), limbOf(s, l, N)];
            return left.map((_, i) => naiveCoefficient(left, right, i, prime));
          });
          expect(negacyclicMultiplyAdd(basis, a, ntt(basis, s), c)).toEqual(
            expected(basis, (limb, i) => product[limb][i] + c[limb * N + i]),
          );
        }
      }
    }
  });

  it('leaves its inputs alone', () => {
    const [a, , , b] = samples as [RnsVector, RnsVector, RnsVector, RnsVector];
    const copies = [a.slice(), b.slice()];
    negacyclicMultiplyAdd(basis, a, b, a);
    subtract(basis, a, b);
    expect([a, b]).toEqual(copies);
  });

  it('refuses other lengths and residues that are not canonical', () => {
    const a = samples[0];
    for (const wrong of [a.slice(1), new BigUint64Array(0), new BigUint64Array(a.length + 1)]) {
      const error = withCode(RingErrorCode.LENGTH_MISMATCH);
      expect(() => ntt(basis, wrong)).toThrow(error);
      expect(() => intt(basis, wrong)).toThrow(error);
      expect(() => multiply(basis, a, wrong)).toThrow(error);
      expect(() => add(basis, wrong, a)).toThrow(error);
      expect(() => negate(basis, wrong)).toThrow(error);
      expect(() => negacyclicMultiplyAdd(basis, a, wrong, a)).toThrow(error);
    }
    basis.primes.forEach((prime, limb) => {
      const wrong = a.slice();
      wrong[limb * N + 5] = prime;
      const error = withCode(KernelErrorCode.RESIDUE_OUT_OF_RANGE);
      expect(() => ntt(basis, wrong)).toThrow(error);
      expect(() => intt(basis, wrong)).toThrow(error);
      expect(() => multiply(basis, a, wrong)).toThrow(error);
      expect(() => subtract(basis, wrong, a)).toThrow(error);
      expect(() => negacyclicMultiplyAdd(basis, a, wrong, a)).toThrow(error);
      expect(() => negacyclicMultiplyAdd(basis, a, a, wrong)).toThrow(error);
    });
    // A refused input leaves the memory of later operations in order.
    expect(intt(basis, ntt(basis, a))).toEqual(a);
  });
});
