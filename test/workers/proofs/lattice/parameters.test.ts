import { describe, expect, it } from 'vitest';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { proofLength } from '../../../../workers/proofs/lattice/format.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { parameterSet, parameterSets } from '../../../../workers/ring/parameters.ts';
import { withCode } from '../../kernels/support.ts';
import { referenceParameters } from '../reference.ts';

describe('latticeParameters', () => {
  const provable = parameterSets.filter((set) => set.plainModulus % 2n === 1n);

  it.each(provable)('of $name are those of the definition', (set) => {
    const expected = referenceParameters(set);
    const parameters = latticeParameters(set);
    expect(parameters.primes).toEqual(expected.data);
    expect(parameters).toMatchObject({
      repetitions: Number(expected.repetitions),
      exponentBits: Number(expected.challengeBits),
      maskBits: Number(expected.maskBits),
      normBound: Number(expected.normBound),
    });
    for (const [at, { limb, bits, bound }] of expected.cuts.entries()) {
      const rounding = [parameters.narrow, parameters.wide][at];
      expect(rounding).toEqual({ limb, bits: Number(bits), errorBound: Number(bound) });
    }
    expect(parameters.repetitions * parameters.exponentBits).toBeGreaterThanOrEqual(128);
    expect(parameters.repetitions * parameters.exponentBits).toBeLessThanOrEqual(256);
    expect(parameters.expectedTries).toBeLessThan(Math.exp(1 / 3 + 1 / 4 + 1 / 2));
  });

  it('are those of the design at N = 8192 and 16384', () => {
    const of = (name: string) => {
      const parameters = latticeParameters(parameterSet(name));
      const { repetitions, maskBits, narrow, wide, expectedTries } = parameters;
      const tries = expectedTries.toFixed(2);
      return [repetitions, maskBits, narrow.bits, wide.bits, tries, proofLength(parameters)];
    };
    expect(of('bfv-8192-b20')).toEqual([10, 18, 24, 43, '2.54', 194_592]);
    expect(of('bfv-16384-b20')).toEqual([9, 19, 25, 44, '2.12', 368_672]);
  });

  it.each(parameterSets.filter((set) => !provable.includes(set)))('refuse $name', (set) => {
    expect(() => latticeParameters(set)).toThrow(
      expect.objectContaining({
        code: ProofErrorCode.PLAIN_MODULUS_EVEN,
        metadata: { set: set.name, plainModulus: set.plainModulus },
      }),
    );
  });

  it('take large plain moduli as long as tries succeed, then refuse with the numbers', () => {
    const set = parameterSet('bfv-8192-b20');
    // Batching primes of 22 and 24 bits.
    const tries = latticeParameters({ ...set, plainModulus: 4079617n }).expectedTries;
    expect(tries).toBeGreaterThan(8);
    expect(tries).toBeLessThan(10);
    const tooLarge = { ...set, plainModulus: 16760833n };
    expect(() => latticeParameters(tooLarge)).toThrow(
      expect.objectContaining({
        code: ProofErrorCode.PLAIN_MODULUS_TOO_LARGE,
        metadata: expect.objectContaining({ wantedBits: 47, primeBits: 43 }) as object,
      }),
    );
    const hopeless = { ...set, plainModulus: (1n << 40n) + 1n };
    expect(() => latticeParameters(hopeless)).toThrow(
      withCode(ProofErrorCode.PLAIN_MODULUS_TOO_LARGE),
    );
  });

  it('refuse primes that doubles do not hold', () => {
    const set = parameterSet('bfv-8192-b20');
    const primes = [...set.primes.slice(0, 3), (1n << 53n) + 1n, set.primes[4]];
    expect(() => latticeParameters({ ...set, primes })).toThrow(
      withCode(ProofErrorCode.PRIME_TOO_LARGE),
    );
  });
});
