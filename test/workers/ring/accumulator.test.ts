import { describe, expect, it } from 'vitest';
import { Accumulator, uniformBytes } from '../../../workers/ring/accumulator.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import {
  distributions,
  mod,
  paths,
  seededBytes,
  seededPrime,
  seededResidues,
} from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { vectorOf } from './support.ts';

const primes = [30, 44, 50, 51, 60].map((bits) => seededPrime('accumulator', bits, 16));

/** Streams of a length: random, and all bits equal. */
function streams(seed: string, length: number): Uint8Array[] {
  return [
    seededBytes(seed, length),
    new Uint8Array(length),
    new Uint8Array(length).fill(0xff),
    new Uint8Array(length).map((_, i) => (i % 2 === 0 ? 0xff : 0)),
  ];
}

function scalarSets(): bigint[][] {
  return [
    primes.map((prime) => seededResidues('scalars', 1, prime)[0]),
    primes.map((prime) => prime - 1n),
    primes.map((prime) => (prime - 1n) / 2n),
    primes.map((prime) => (prime + 1n) / 2n),
    // Centred and odd: no lost bit of a sum goes unnoticed.
    primes.map((prime) => (prime - 3n) / 2n),
    primes.map(() => 0n),
  ];
}

describe.each(Object.entries(paths))('Accumulator on %s kernels', (_, kernels) => {
  function expectSum(accumulator: Accumulator, value: (i: number, limb: number) => bigint): void {
    expect(accumulator.value()).toEqual(
      vectorOf(primes, accumulator.width, (limb, i, prime) => mod(value(i, limb), prime)),
    );
  }

  it.each([1, 2, 7, 32])('reads the small distributions byte for byte at width %i', (width) => {
    for (const scalars of scalarSets()) {
      for (const bytes of streams('ternary', 8 * width)) {
        const accumulator = new Accumulator(primes, width, kernels);
        accumulator.addTernary(bytes, scalars);
        expectSum(accumulator, (i, l) => distributions.ternary(bytes, i) * scalars[l]);
      }
      for (const bytes of streams('binomial', 6 * width)) {
        const accumulator = new Accumulator(primes, width, kernels);
        accumulator.addBinomial(bytes, scalars);
        expectSum(accumulator, (i, l) => distributions.binomial(bytes, i) * scalars[l]);
      }
    }
  });

  it.each([0, 1, 30, 31, 32, 63, 95, 106, 127, 128, 200, 383])(
    'reads the uniform distribution byte for byte at B = %i',
    (bits) => {
      for (const scalars of scalarSets()) {
        for (const bytes of streams('uniform', 5 * uniformBytes(bits))) {
          const accumulator = new Accumulator(primes, 5, kernels);
          accumulator.addUniform(bytes, bits, scalars);
          expectSum(accumulator, (i, l) => distributions.uniform(bytes, i, bits) * scalars[l]);
        }
      }
    },
  );

  it('separates the thirds of the ternary distribution exactly', () => {
    const third = (1n << 64n) / 3n;
    const values = [0n, third, third + 1n, 2n * third, 2n * third + 1n, (1n << 64n) - 1n];
    const bytes = new Uint8Array(BigUint64Array.from(values).buffer);
    const accumulator = new Accumulator(primes, values.length, kernels);
    accumulator.addTernary(
      bytes,
      primes.map(() => 1n),
    );
    expectSum(accumulator, (i) => [-1n, -1n, 0n, 0n, 1n, 1n][i]);
  });

  it('stays exact over the sets of the largest committee, extremes throughout', () => {
    const width = 4;
    for (const scalars of scalarSets().slice(1, 5)) {
      for (const fill of [0x00, 0xff]) {
        const bytes = (count: number) => new Uint8Array(count * width).fill(fill);
        const accumulator = new Accumulator(primes, width, kernels);
        // 21 or -21 in every coefficient.
        const errors = new Uint8Array(6 * width).map((_, i) =>
          fill === 0 ? [0xff, 0xff, 0x1f, 0, 0, 0][i % 6] : [0, 0, 0xe0, 0xff, 0xff, 0x03][i % 6],
        );
        const one = [bytes(8), errors, bytes(uniformBytes(383)), bytes(16)] as const;
        for (let set = 0; set < 495; set++) {
          accumulator.addTernary(one[0], scalars);
          accumulator.addBinomial(one[1], scalars);
          accumulator.addUniform(one[2], 383, scalars);
          accumulator.addWide(one[3], scalars);
        }
        const each =
          distributions.ternary(one[0], 0) +
          distributions.binomial(one[1], 0) +
          distributions.uniform(one[2], 0, 383) +
          (fill === 0 ? 0n : (1n << 128n) - 1n);
        expectSum(accumulator, (_, limb) => 495n * each * scalars[limb]);
      }
    }
  });

  it('keeps accumulators apart and gives their memory back', () => {
    const bytes = seededBytes('apart', 8 * 6);
    const ones = primes.map(() => 1n);
    const memory = () => kernels.arena.memory.buffer.byteLength;
    const before = memory();
    for (let round = 0; round < 200; round++) {
      const first = new Accumulator(primes, 6, kernels);
      const second = new Accumulator(primes, 6, kernels);
      first.addTernary(bytes, ones);
      expect(second.value()).toEqual(new BigUint64Array(6 * primes.length));
      expectSum(first, (i) => distributions.ternary(bytes, i));
    }
    expect(memory()).toBe(before);
  });

  it('refuses other shapes, scalars out of range and use after the end', () => {
    const accumulator = new Accumulator(primes, 2, kernels);
    const ones = primes.map(() => 1n);
    const mismatch = withCode(RingErrorCode.LENGTH_MISMATCH);
    const range = withCode(RingErrorCode.SCALAR_OUT_OF_RANGE);
    expect(() => accumulator.addTernary(new Uint8Array(15), ones)).toThrow(mismatch);
    expect(() => accumulator.addBinomial(new Uint8Array(13), ones)).toThrow(mismatch);
    expect(() => accumulator.addUniform(new Uint8Array(16), 32, ones.slice(1))).toThrow(mismatch);
    expect(() => accumulator.addUniform(new Uint8Array(8), 32, ones)).toThrow(mismatch);
    for (const bits of [-1, 384, 1.5, Number.NaN]) {
      expect(() => accumulator.addUniform(new Uint8Array(8), bits, ones)).toThrow(range);
    }
    for (const scalar of [-1n, primes[0]]) {
      const scalars = [scalar, ...ones.slice(1)];
      expect(() => accumulator.addTernary(new Uint8Array(16), scalars)).toThrow(range);
    }
    for (const width of [0, -2, 1.5]) {
      expect(() => new Accumulator(primes, width, kernels)).toThrow(mismatch);
    }
    expectSum(accumulator, () => 0n);
    expect(() => accumulator.value()).toThrow(withCode(RingErrorCode.ACCUMULATOR_ENDED));
    expect(() => accumulator.addTernary(new Uint8Array(16), ones)).toThrow(
      withCode(RingErrorCode.ACCUMULATOR_ENDED),
    );
  });
});
