import { expect, test } from 'vitest';

import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { noiseAtOwnLevel, noiseBitsAtFirstLevel } from '../../../workers/fhe/first-level.ts';
import { firstLimbs } from '../../../workers/fhe/ciphertext.ts';
import { decryptionPlan } from '../../../workers/fhe/noise.ts';
import { noiseAfterSwitching } from '../../../workers/fhe/noise-growth.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';

const four = committeeOf(4);
const set = parameterSet('bfv-8192-b20');

test('a bound at the first level stays as it is', () => {
  expect(noiseBitsAtFirstLevel(set, four, { limbs: 4, noiseBits: 73 })).toBe(73);
  expect(noiseBitsAtFirstLevel(set, four, { limbs: 4, noiseBits: 20 })).toBe(20);
});

test('a bound at a lower level is multiplied with the dropped primes', () => {
  const prime = set.primes[3].toString(2).length;
  expect(noiseBitsAtFirstLevel(set, four, { limbs: 3, noiseBits: 20 })).toBe(20 + prime);
});

test('the first level would allow what the level of the ciphertext does not', () => {
  const limit = 30;
  for (const noiseBits of [limit + 1, 73])
    expect(() => noiseBitsAtFirstLevel(set, four, { limbs: 3, noiseBits })).toThrow(
      expect.objectContaining({
        code: FheErrorCode.NOISE_TOO_LARGE,
        metadata: { limbs: 3, noiseBits, maxNoiseBits: limit },
      }),
    );
  expect(() => noiseBitsAtFirstLevel(set, four, { limbs: 2, noiseBits: 1 })).toThrow(
    expect.objectContaining({ code: FheErrorCode.NOISE_TOO_LARGE }),
  );
});

test.each([4, 7, 10, 13])('what a level of %i operators allows, the chain takes', (n) => {
  for (const name of ['bfv-8192-b20', 'bfv-16384-w32', 'insecure-bfv-1024-b17']) {
    const other = parameterSet(name);
    const { limits, maxNoiseBits } = decryptionPlan(other, committeeOf(n));
    for (const { limbs, maxNoiseBits: noiseBits } of limits) {
      const told = noiseBitsAtFirstLevel(other, committeeOf(n), { limbs, noiseBits });
      expect(told).toBeLessThanOrEqual(maxNoiseBits);
      if (limbs === firstLimbs(other)) expect(told).toBe(noiseBits);
    }
  }
});

test.each([4, 7, 10, 13])('what %i operators are told is bounded at its own level', (n) => {
  for (const name of ['bfv-8192-b20', 'bfv-16384-w32', 'insecure-bfv-1024-b17']) {
    const [other, committee] = [parameterSet(name), committeeOf(n)];
    const first = firstLimbs(other);
    const { limits } = decryptionPlan(other, committee);
    for (const { limbs, maxNoise, maxNoiseBits } of limits)
      for (const bits of [1, 20, maxNoiseBits - 1, maxNoiseBits]) {
        // Said of what was computed at this level, and of what was switched down to it.
        const told = noiseBitsAtFirstLevel(other, committee, { limbs, noiseBits: bits });
        const own = noiseAtOwnLevel(other, committee, { limbs, noiseBits: told });
        expect(own).toBeGreaterThanOrEqual((1n << BigInt(bits)) - 1n);
        const switched = noiseAfterSwitching(other, committee, 1n << BigInt(bits), first, limbs);
        const low = noiseAtOwnLevel(other, committee, { limbs, noiseBits: bits });
        expect(low).toBeGreaterThanOrEqual(switched);
        expect(own).toBeLessThanOrEqual(maxNoise + 1n);
      }
  }
});
