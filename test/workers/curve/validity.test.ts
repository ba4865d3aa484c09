import { bn254 } from '@noble/curves/bn254.js';
import { concatBytes } from 'viem';
import { afterAll, describe, expect, it } from 'vitest';
import { Curve } from '../../../workers/curve/curve.ts';
import { isInfinity, pointBytes } from '../../../workers/curve/points.ts';
import {
  base,
  bytesOf,
  little,
  p,
  r,
  seeded,
  seededPoints,
  times,
  valueOf,
  type Point,
} from './support.ts';

const curve = await Curve.start({ threads: 3 });
afterAll(() => curve.close());
const { Fp2 } = bn254.fields;

/** The primes of 2p - r, the cofactor of g2. */
const cofactorPrimes = [
  10069n,
  5864401n,
  1875725156269n,
  197620364512881247228717050342013327560683201906968909n,
];

/** A point of the twist that follows from the text; hardly ever in g2. */
function twistPoint(text: string): Point {
  const b = Fp2.mul(Fp2.inv(Fp2.fromBigTuple([9n, 1n])), 3n);
  for (let attempt = 0; ; attempt++) {
    const x = Fp2.fromBigTuple([
      seeded(`${text} ${attempt}`) % p,
      seeded(`${text} ${attempt} imaginary`) % p,
    ]);
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
      return bn254.G2.Point.fromAffine({ x, y });
    } catch {
      // No square: the next x.
    }
  }
}

describe.each(['g1', 'g2'] as const)('validity in %s', (group) => {
  const size = pointBytes[group];
  const points = concatBytes(seededPoints(group, 'valid', 10).map(bytesOf));

  it('accepts points of the group', async () => {
    expect(await curve.firstInvalid(group, points)).toBeUndefined();
    expect(await curve.firstInvalid(group, new Uint8Array())).toBeUndefined();
    const ends = [base(group), base(group).negate(), base(group).multiply(r - 2n)];
    expect(await curve.firstInvalid(group, concatBytes(ends.map(bytesOf)))).toBeUndefined();
  });

  it.each(Array.from({ length: 10 }, (_, i) => i))('names infinity at %i', async (position) => {
    const changed = points.slice();
    changed.fill(0, position * size, position * size + size);
    changed.fill(0, 9 * size);
    expect(await curve.firstInvalid(group, changed)).toBe(position);
  });

  it('names what is off the curve or not canonical, in every coordinate', async () => {
    for (let at = 0; at < size; at += 32) {
      const place = 6 * size + at;
      const value = valueOf(points.slice(place, place + 32));
      for (const wrong of [value ^ 1n, value + p, (1n << 256n) - 1n]) {
        const changed = points.slice();
        changed.set(little(wrong), place);
        expect(await curve.firstInvalid(group, changed), `${at}`).toBe(6);
      }
    }
  });
});

describe('the subgroup of g2', () => {
  it('has the expected cofactor', () => {
    expect(cofactorPrimes.reduce((product, prime) => product * prime)).toBe(2n * p - r);
  });

  it('excludes points of the twist', async () => {
    for (const text of ['a', 'b', 'c']) {
      const point = twistPoint(text);
      expect(await curve.firstInvalid('g2', bytesOf(point))).toBe(0);
      const cleared = times(point, 2n * p - r);
      expect(await curve.firstInvalid('g2', bytesOf(cleared))).toBeUndefined();
    }
  });

  it.each(cofactorPrimes)('excludes points with a component of order %i', async (prime) => {
    const component = times(twistPoint('component'), ((2n * p - r) / prime) * r);
    expect(isInfinity(bytesOf(component))).toBe(false);
    expect(times(component, prime).is0()).toBe(true);
    const mixed = component.add(base('g2') as never);
    const doubled = component.double();
    for (const point of [component, mixed, doubled, component.negate()]) {
      const bytes = concatBytes([bytesOf(base('g2')), bytesOf(point), bytesOf(base('g2'))]);
      expect(await curve.firstInvalid('g2', bytes)).toBe(1);
    }
  });
});
