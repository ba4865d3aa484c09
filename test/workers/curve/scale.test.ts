import { concatBytes } from 'viem';
import { afterAll, describe, expect, it } from 'vitest';
import { Curve } from '../../../workers/curve/curve.ts';
import { CurveErrorCode } from '../../../workers/curve/errors.ts';
import { pointBytes } from '../../../workers/curve/points.ts';
import { one } from '../../../workers/curve/scalars.ts';
import { base, bytesOf, little, r, seeded, seededPoints, times } from './support.ts';

const x = 4965661367192848881n;
const lambda = 36n * x ** 3n + 18n * x ** 2n + 6n * x + 1n;
/** Around the ends of the group, of the windows, and of the lattices' short vectors. */
const edges = [
  ...[0n, 1n, 2n, 3n, 14n, 15n, 16n, 17n, r - 1n, r - 2n, r >> 1n, (r >> 1n) + 1n],
  ...[lambda, lambda - 1n, lambda + 1n, r - lambda, 6n * x * x, 6n * x * x + 1n, r - 6n * x * x],
  ...[x, x + 1n, 2n * x, 2n * x + 1n, 6n * x * x + 2n * x, 1n << 64n, 1n << 127n, 1n << 253n],
];

const curve = await Curve.start({ threads: 1 });
const three = await Curve.start({ threads: 3 });
afterAll(() => Promise.all([curve.close(), three.close()]));

describe.each(['g1', 'g2'] as const)('scaling in %s', (group) => {
  it('agrees with the reference at the edges', async () => {
    const [point] = seededPoints(group, 'edges', 1);
    for (const scalar of edges) {
      const result = await curve.multiply(group, bytesOf(point), little(scalar));
      expect(result, `${scalar}`).toEqual(bytesOf(point.multiplyUnsafe(scalar)));
    }
  });

  it('multiplies by powers, infinity and repeated points among the points', async () => {
    const points = seededPoints(group, 'powers', 21);
    points[3] = base(group).subtract(base(group) as never);
    points[8] = points[7];
    points[9] = points[7].negate();
    const first = seeded('first') % r;
    const ratio = seeded('ratio') % r;
    const bytes = concatBytes(points.map(bytesOf));
    const result = await three.scaleByPowers(group, bytes, little(first), little(ratio));
    let scalar = first;
    const expected = points.map((point) => {
      const product = point.multiplyUnsafe(scalar);
      scalar = (scalar * ratio) % r;
      return bytesOf(product);
    });
    expect(result).toEqual(concatBytes(expected));
    expect(await curve.scaleByPowers(group, bytes, little(first), little(ratio))).toEqual(result);
  });

  it('gives infinity for zero, and each point or its opposite for ±1', async () => {
    const points = seededPoints(group, 'signs', 3);
    const bytes = concatBytes(points.map(bytesOf));
    expect(await curve.scaleByPowers(group, bytes, little(0n), little(5n))).toEqual(
      new Uint8Array(bytes.length),
    );
    expect(await curve.scaleByPowers(group, bytes, one(), little(r - 1n))).toEqual(
      concatBytes([points[0], points[1].negate(), points[2]].map(bytesOf)),
    );
  });

  it('takes no points at all', async () => {
    expect(await curve.scaleByPowers(group, new Uint8Array(), one(), one())).toEqual(
      new Uint8Array(),
    );
  });

  it('refuses what is no scalar and no point', async () => {
    const point = bytesOf(base(group));
    await expect(curve.multiply(group, point, little(r))).rejects.toMatchObject({
      code: CurveErrorCode.SCALAR_OUT_OF_RANGE,
    });
    await expect(curve.multiply(group, point, new Uint8Array(31))).rejects.toMatchObject({
      code: CurveErrorCode.LENGTH,
    });
    await expect(curve.multiply(group, point.subarray(1), one())).rejects.toMatchObject({
      code: CurveErrorCode.LENGTH,
    });
  });
});

it('goes on with the powers across chunks', async () => {
  const count = 2 * 4096 + 3;
  const points = new Uint8Array(count * pointBytes.g1);
  const point = bytesOf(base('g1'));
  for (let i = 0; i < count; i++) points.set(point, i * point.length);
  const first = seeded('long') % r;
  const ratio = seeded('longer') % r;
  const progress: number[] = [];
  const result = await curve.scaleByPowers('g1', points, little(first), little(ratio), {
    onProgress: (done) => progress.push(done),
  });
  expect(progress).toEqual([4096, 8192, count]);
  for (const k of [0, 1, 4095, 4096, 4097, 8191, 8192, count - 1]) {
    let scalar = first;
    for (let i = 0; i < k; i++) scalar = (scalar * ratio) % r;
    const at = k * point.length;
    expect(result.subarray(at, at + point.length), `${k}`).toEqual(
      bytesOf(times(base('g1'), scalar)),
    );
  }
});
