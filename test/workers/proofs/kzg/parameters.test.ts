import { describe, expect, it } from 'vitest';
import { groupOrder } from '../../../../workers/curve/vectors.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { kzgParameters } from '../../../../workers/proofs/kzg/parameters.ts';
import { parameterSet, parameterSets } from '../../../../workers/ring/parameters.ts';
import { withCode } from '../../kernels/support.ts';
import { tinySet } from '../support.ts';
import { referenceKzgParameters } from './reference.ts';

describe('kzgParameters', () => {
  it.each([...parameterSets, tinySet])('of $name are those of the definition', (set) => {
    const expected = referenceKzgParameters(set);
    const { groups, ...parameters } = kzgParameters(set);
    expect(parameters).toMatchObject({
      ...{ cells: expected.n, tableBits: expected.bits, power: expected.bits },
      ...{ limbs: expected.limbs, wBound: expected.wBound, columns: expected.columns },
    });
    expect(groups.map(({ primes }) => primes)).toEqual(expected.groups);
  });

  it.each([...parameterSets, tinySet])('of $name leave no equation room to wrap', (set) => {
    const { groups, wBound, cells, limbs, tableBits } = kzgParameters(set);
    const degree = BigInt(set.degree);
    for (const { modulus } of groups) {
      // |a·u|, |c|, |w| or |e1|, and |P·k| with k in [-N, N).
      const largest = (degree * modulus) / 2n + modulus / 2n + wBound + degree * modulus;
      expect(largest).toBeLessThan(groupOrder);
    }
    // An honest quotient is at most N/2, and what is proved of w is what its limbs hold.
    expect(cells).toBe(2 * set.degree);
    expect(2n * wBound).toBe(1n << BigInt(limbs * tableBits));
    expect(21n * set.plainModulus + set.plainModulus / 2n).toBeLessThan(wBound);
  });

  it('are those of docs/input-proofs.md', () => {
    const of = (name: string) => {
      const { power, columns, limbs, groups, proofBytes } = kzgParameters(parameterSet(name));
      return [power, columns, limbs, groups.length, proofBytes];
    };
    expect(of('bfv-8192-b20')).toEqual([14, 4, 2, 1, 1152]);
    expect(of('bfv-8192-w32')).toEqual([14, 5, 3, 1, 1312]);
    expect(of('bfv-16384-b20')).toEqual([15, 5, 2, 2, 1312]);
    expect(of('bfv-16384-w32')).toEqual([15, 6, 3, 2, 1472]);
  });

  it('refuse primes that are no digits of the field', () => {
    const large = { ...tinySet, primes: [(1n << 51n) + 1n, ...tinySet.primes] };
    expect(() => kzgParameters(large)).toThrow(withCode(ProofErrorCode.PRIME_TOO_LARGE));
  });
});
