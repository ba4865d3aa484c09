import { concatBytes } from 'viem';
import { afterAll, describe, expect, it } from 'vitest';
import { Curve } from '../../../workers/curve/curve.ts';
import { CurveErrorCode } from '../../../workers/curve/errors.ts';
import { base, bytesOf, little, r, seeded, seededPoints, type Point } from './support.ts';

const curve = await Curve.start({ threads: 1 });
const three = await Curve.start({ threads: 3 });
afterAll(() => Promise.all([curve.close(), three.close()]));

const coefficientsOf = (values: bigint[]) => concatBytes(values.map((value) => little(value, 16)));
const mask = (1n << 128n) - 1n;

function sum(points: Point[], coefficients: bigint[]): Uint8Array {
  return bytesOf(
    points
      .map((point, i) => point.multiplyUnsafe(coefficients[i]))
      .reduce((left, right) => left.add(right as never)),
  );
}

describe.each(['g1', 'g2'] as const)('sums in %s', (group) => {
  const zero = base(group).subtract(base(group) as never);

  it('of few points agree with the reference', async () => {
    for (const count of [1, 2, 3, 40]) {
      const points = seededPoints(group, 'few', count);
      const values = points.map((_, i) => seeded(`few ${i}`) & mask);
      const bytes = concatBytes(points.map(bytesOf));
      const expected = sum(points, values);
      expect(await curve.sums(group, bytes, coefficientsOf(values))).toEqual(expected);
      expect(await three.sums(group, bytes, coefficientsOf(values))).toEqual(expected);
    }
  });

  it('of equal and opposite points, of infinity and with extreme coefficients', async () => {
    const [a, b] = seededPoints(group, 'cases', 2);
    const cases: [Point[], bigint[]][] = [
      [
        [a, a],
        [1n, 1n],
      ],
      [
        [a, a.negate()],
        [1n, 1n],
      ],
      [
        [a, a.negate(), b],
        [7n, 7n, 1n],
      ],
      [
        [a, a, a, a, a, a.negate(), b],
        [5n, 5n, 5n, 5n, 5n, 25n, 3n],
      ],
      [
        [zero, a, zero],
        [mask, mask, 1n],
      ],
      [
        [a, b],
        [0n, 0n],
      ],
      [
        [a, b, a],
        [0n, mask, 1n << 127n],
      ],
      [[zero], [1n]],
      [Array.from({ length: 33 }, () => a), Array.from({ length: 33 }, () => mask)],
    ];
    for (const [points, values] of cases) {
      const bytes = concatBytes(points.map(bytesOf));
      expect(await curve.sums(group, bytes, coefficientsOf(values))).toEqual(sum(points, values));
    }
  });

  it('of nothing are infinity', async () => {
    expect(await curve.sums(group, new Uint8Array(), new Uint8Array())).toEqual(bytesOf(zero));
  });

  it('of many points agree with one multiplication', async () => {
    const count = group === 'g1' ? 5_001 : 1_501;
    const point = bytesOf(base(group));
    const points = new Uint8Array(count * point.length);
    for (let i = 0; i < count; i++) points.set(point, i * point.length);
    const ratio = seeded('ratio') % r;
    const powers = await three.scaleByPowers(group, points, little(1n), little(ratio));
    const values = Array.from({ length: count }, (_, i) => seeded(`many ${i}`) & mask);
    let power = 1n;
    let total = 0n;
    for (const value of values) {
      total = (total + value * power) % r;
      power = (power * ratio) % r;
    }
    const expected = bytesOf(base(group).multiply(total));
    expect(await curve.sums(group, powers, coefficientsOf(values))).toEqual(expected);
    expect(await three.sums(group, powers, coefficientsOf(values))).toEqual(expected);
  });

  it('need one coefficient per point', async () => {
    await expect(curve.sums(group, bytesOf(base(group)), new Uint8Array(15))).rejects.toMatchObject(
      { code: CurveErrorCode.LENGTH },
    );
  });
});
