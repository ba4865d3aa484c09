import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import {
  combinationShape,
  combinationsOf,
  combinationsPerPrime,
  valueDigest,
} from '../../../workers/sharing/combinations.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { openRobustly, shareLength } from '../../../workers/sharing/opening.ts';
import type { OpeningShape } from '../../../workers/sharing/opening.ts';
import { littleEndian, seededBytes, seededVector } from './reference.ts';

type Vector = BigUint64Array<ArrayBuffer>;

const shape: OpeningShape = {
  primes: [8796092858369n, 17592186028033n, 1152921504606830593n],
  width: 5,
  polynomials: 2,
};
const openingId: Hex = `0x${'a7'.repeat(32)}`;
const allPrimes = [...shape.primes, ...shape.primes];
const vector = (seed: string): Vector => seededVector(allPrimes, shape.width, seededBytes(seed));

/** The definition of docs/formats.md, with big integers. */
function reference(digest: Hex, x: Vector): Vector {
  const { primes, width } = shape;
  const out = new BigUint64Array(allPrimes.length * combinationsPerPrime);
  allPrimes.forEach((prime, block) => {
    for (let k = 0; k < combinationsPerPrime; k++) {
      const place = Buffer.alloc(8);
      place.writeUInt32LE(k, 0);
      place.writeUInt32LE(block % primes.length, 4);
      const stream = createHash('shake128', { outputLength: 16 * width })
        .update('keyloom/check/1')
        .update(Buffer.from(openingId.slice(2), 'hex'))
        .update(Buffer.from(digest.slice(2), 'hex'))
        .update(place)
        .digest();
      let sum = 0n;
      for (let i = 0; i < width; i++) {
        const coefficient = littleEndian(stream.subarray(16 * i, 16 * i + 16));
        sum += coefficient * x[block * width + i];
      }
      out[block * combinationsPerPrime + k] = sum % prime;
    }
  });
  return out;
}

describe('combinations', () => {
  it('are those of the definition', () => {
    const value = vector('value');
    const bytes = Buffer.alloc(8 * value.length);
    value.forEach((residue, at) => bytes.writeBigUInt64LE(residue, 8 * at));
    const digest = valueDigest(value);
    expect(digest).toBe(`0x${createHash('sha256').update(bytes).digest('hex')}`);
    const [mine, other] = combinationsOf(openingId, digest, shape, [value, vector('other')]);
    expect(mine).toEqual(reference(digest, value));
    expect(other).toEqual(reference(digest, vector('other')));
    expect(mine).toHaveLength(shareLength(combinationShape(shape)));
  });

  it.each([4, 7, 10, 13])('of the shares of %i open to that of the value', (n) => {
    const committee = committeeOf(n);
    const coefficients = Array.from({ length: committee.t + 1 }, (_, k) => vector(`f${k}`));
    const at = (x: number): Vector =>
      BigUint64Array.from({ length: shareLength(shape) }, (_, place) => {
        const prime = allPrimes[Math.floor(place / shape.width)];
        return coefficients.reduceRight((sum, c) => (sum * BigInt(x) + c[place]) % prime, 0n);
      });
    const value = at(0);
    const digest = valueDigest(value);
    const combine = (x: Vector): Vector => combinationsOf(openingId, digest, shape, [x])[0];
    const shares = new Map(Array.from({ length: n }, (_, i) => [i + 1, combine(at(i + 1))]));
    // t of them lie.
    for (let index = 1; index <= committee.t; index++) {
      const share = shares.get(index)!;
      shares.set(index, share.with(0, (share[0] + 1n) % shape.primes[0]));
    }
    const opened = openRobustly(committee, combinationShape(shape), shares);
    expect(opened.value).toEqual(combine(value));
    expect(opened.faulty).toHaveLength(committee.t);
  });

  it('differ for a value that differs in one residue, in every combination of its limb', () => {
    const value = vector('value');
    for (let place = 0; place < value.length; place++) {
      const prime = allPrimes[Math.floor(place / shape.width)];
      const wrong = value.with(place, (value[place] + 1n) % prime);
      const [a, b] = combinationsOf(openingId, valueDigest(wrong), shape, [value, wrong]);
      const differing = a.map((residue, at) => (residue === b[at] ? 0n : 1n));
      const block = Math.floor(place / shape.width) * combinationsPerPrime;
      expect([...differing.keys()].filter((at) => differing[at] === 1n)).toEqual(
        Array.from({ length: combinationsPerPrime }, (_, k) => block + k),
      );
    }
  });

  it('have other coefficients for another value and in another opening', () => {
    const value = vector('value');
    const digest = valueDigest(value);
    const other: Hex = `0x${'a8'.repeat(32)}`;
    const [mine] = combinationsOf(openingId, digest, shape, [value]);
    expect(combinationsOf(other, digest, shape, [value])[0]).not.toEqual(mine);
    expect(combinationsOf(openingId, other, shape, [value])[0]).not.toEqual(mine);
  });
});
