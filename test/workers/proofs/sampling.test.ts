import { describe, expect, it } from 'vitest';
import { secureRandomBytes } from '../../../workers/proofs/randomness.ts';
import { binomial, binomialBound, ternary, uniform } from '../../../workers/proofs/sampling.ts';
import { distributions, littleEndian, seededBytes } from '../kernels/reference.ts';

/** Odd, so that pairs of coefficients do not come out even. */
const length = 4097;
const bytes = (bytesEach: number): Uint8Array => seededBytes('sampling', bytesEach * length);
const source = (wanted: number): Uint8Array => seededBytes('sampling', wanted);
const each = (value: (i: number) => bigint): number[] =>
  Array.from({ length }, (_, i) => Number(value(i)));

describe('sampling', () => {
  it('follows the byte definitions', () => {
    const [eights, sixes, words] = [bytes(8), bytes(6), bytes(4)];
    expect([...ternary(length, source)]).toEqual(each((i) => distributions.ternary(eights, i)));
    expect([...binomial(length, source)]).toEqual(each((i) => distributions.binomial(sixes, i)));
    for (const bits of [1, 12, 18, 30]) {
      const bound = 1n << BigInt(bits);
      const expected = each((i) => (littleEndian(words, 4 * i, 4) % (2n * bound)) - bound);
      expect([...uniform(length, bits, source)]).toEqual(expected);
    }
  });

  it('reaches the bound of the binomial distribution, and no further', () => {
    const ends = Uint8Array.of(0xff, 0xff, 0x1f, 0, 0, 0, 0, 0, 0xe0, 0xff, 0xff, 0x03);
    expect([...binomial(2, () => ends)]).toEqual([binomialBound, -binomialBound]);
  });
});

it('secure random bytes come in any number, and never twice', () => {
  const large = secureRandomBytes(200_001);
  expect(large.length).toBe(200_001);
  // A block of 64 zeros at a place where one call ends has probability 2^-512.
  for (const end of [65_536, 131_072, 200_001]) {
    expect(large.subarray(end - 64, end).some((byte) => byte !== 0)).toBe(true);
  }
  expect(secureRandomBytes(32)).not.toEqual(secureRandomBytes(32));
  expect(secureRandomBytes(0).length).toBe(0);
});
