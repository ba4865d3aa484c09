import { describe, expect, it } from 'vitest';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { packResidues, packedLength, unpackResidues } from '../../../workers/ring/packing.ts';
import { parameterSets } from '../../../workers/ring/parameters.ts';
import { seededPrime } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { sampleVectors, seededVector, vectorOf } from './support.ts';

/** The definition: one integer per limb, residue i from bit i·b on, little-endian. */
function reference(primes: readonly bigint[], width: number, residues: RnsVector): Uint8Array {
  const limbs = Array.from({ length: residues.length / width }, (_, limb) => {
    const bits = primes[limb % primes.length].toString(2).length;
    const stream = residues
      .subarray(limb * width, (limb + 1) * width)
      .reduce((sum, residue, i) => sum | (residue << BigInt(i * bits)), 0n);
    const digits = 2 * Math.ceil((width * bits) / 8);
    return Buffer.from(stream.toString(16).padStart(digits, '0'), 'hex').reverse();
  });
  return Uint8Array.from(Buffer.concat(limbs));
}

// Every position of a residue within a word of 64 bits, and every number of pad bits.
const sizes = [11, 31, 32, 33, 43, 44, 48, 49, 50, 57, 60, 61];
const primes = sizes.map((bits) => seededPrime(`packing/${bits}`, bits, 16));

describe('packed residues', () => {
  it.each([1, 2, 3, 7, 8, 63, 64, 65, 129])('equal the definition for width %i', (width) => {
    for (const residues of sampleVectors(`packing/${width}`, primes, width)) {
      const packed = packResidues(primes, width, 1, residues);
      expect(packed).toEqual(reference(primes, width, residues));
      expect(packed.length).toBe(packedLength(primes, width, 1));
      expect(unpackResidues(primes, width, 1, packed)).toEqual(residues);
    }
  });

  it('equal the example in docs/formats.md', () => {
    const residues = BigUint64Array.of(1n, 2n, 2052n, 3n, 1030n, 5n);
    const packed = packResidues([2053n, 1031n], 3, 1, residues);
    expect(Buffer.from(packed).toString('hex')).toBe('01200004080330600100');
  });

  it('are the same whatever was in kernel memory before', () => {
    const width = 5;
    const residues = seededVector('dirty', primes, width);
    const expected = reference(primes, width, residues);
    for (const fill of [(prime: bigint) => prime - 1n, () => 0n]) {
      const before = vectorOf(primes, 64, (_, __, prime) => fill(prime));
      packResidues(primes, 64, 1, before);
      expect(packResidues(primes, width, 1, residues)).toEqual(expected);
      packResidues(primes, 64, 1, before);
      expect(unpackResidues(primes, width, 1, expected)).toEqual(residues);
    }
  });

  it('hold several polynomials one after the other', () => {
    const parts = ['first', 'second'].map((seed) => seededVector(seed, primes, 9));
    const both = BigUint64Array.from(parts.flatMap((part) => [...part]));
    const packed = packResidues(primes, 9, 2, both);
    const each = parts.map((part) => packResidues(primes, 9, 1, part));
    expect(packed).toEqual(Uint8Array.from(Buffer.concat(each)));
    expect(packed.length).toBe(packedLength(primes, 9, 2));
    expect(unpackResidues(primes, 9, 2, packed)).toEqual(both);
  });

  it.each(parameterSets)('save what $name leaves of 64 bits', ({ primes: real, degree }) => {
    const residues = seededVector('real', real, degree);
    const packed = packResidues(real, degree, 1, residues);
    expect(8 * packed.length).toBe(
      degree * real.reduce((sum, prime) => sum + prime.toString(2).length, 0),
    );
    const back = unpackResidues(real, degree, 1, packed);
    expect(back.every((residue, at) => residue === residues[at])).toBe(true);
  });

  it('carry residues that are not below their prime, for the opening to refuse', () => {
    const widest = vectorOf(primes, 3, (limb) => (1n << BigInt(sizes[limb])) - 1n);
    const packed = packResidues(primes, 3, 1, widest);
    expect(packed).toEqual(reference(primes, 3, widest));
    expect(unpackResidues(primes, 3, 1, packed)).toEqual(widest);
  });

  it('refuse residues with more bits than their prime, and vectors of another shape', () => {
    primes.forEach((_, limb) => {
      for (const residue of [1n << BigInt(sizes[limb]), 1n << 63n]) {
        const residues = seededVector('wide', primes, 3);
        residues[3 * limb + 1] = residue;
        expect(() => packResidues(primes, 3, 1, residues)).toThrow(
          withCode(RingErrorCode.RESIDUE_TOO_WIDE),
        );
      }
    });
    for (const length of [0, 3 * primes.length - 1, 6 * primes.length]) {
      expect(() => packResidues(primes, 3, 1, new BigUint64Array(length))).toThrow(
        withCode(RingErrorCode.LENGTH_MISMATCH),
      );
    }
  });

  it('have one byte form: other lengths and pad bits are rejected', () => {
    const invalid = withCode(RingErrorCode.PACKED_FORM_INVALID);
    const width = 3;
    const packed = packResidues(primes, width, 1, seededVector('form', primes, width));
    for (const bytes of [
      new Uint8Array(0),
      packed.subarray(1),
      Uint8Array.from([...packed, 0]),
      Uint8Array.from([...packed, ...packed]),
    ]) {
      expect(() => unpackResidues(primes, width, 1, bytes)).toThrow(invalid);
    }
    let end = 0;
    let padBits = 0;
    for (const prime of primes) {
      end += packedLength([prime], width, 1);
      const used = (width * prime.toString(2).length) % 8;
      for (let bit = used; used !== 0 && bit < 8; bit++, padBits++) {
        const bytes = packed.slice();
        bytes[end - 1] |= 1 << bit;
        expect(() => unpackResidues(primes, width, 1, bytes)).toThrow(invalid);
      }
    }
    expect(padBits).toBeGreaterThan(20);
  });
});
