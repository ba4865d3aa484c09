import { describe, expect, it } from 'vitest';
import { combine } from '../../../workers/curve/combination.ts';
import { Curve } from '../../../workers/curve/curve.ts';
import { CurveErrorCode } from '../../../workers/curve/errors.ts';
import {
  groupOrder,
  rootOfUnity,
  scalarAt,
  Vectors,
  withVectors,
  writeScalar,
  type Vector,
} from '../../../workers/curve/vectors.ts';
import { CurveKernel } from '../../../workers/kernels/curve.ts';
import { readModule } from '../../../workers/kernels/loader.ts';
import { mod, power, reversed } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { bytesOf, r, seeded, seededPoints } from './support.ts';

const builds = { 'the default build': undefined, 'the portable build': readModule('curve') };

const packed = (values: readonly bigint[]): Uint8Array => {
  const bytes = new Uint8Array(32 * values.length);
  values.forEach((value, i) => writeScalar(bytes, i, value));
  return bytes;
};
const unpacked = (bytes: Uint8Array): bigint[] =>
  Array.from({ length: bytes.length / 32 }, (_, i) => scalarAt(bytes, i));
/** Random numbers, and the extreme ones every few. */
const valuesOf = (text: string, length: number): bigint[] =>
  Array.from({ length }, (_, i) => {
    if (i % 5 === 3) return [0n, 1n, r - 1n, r - 2n, (r - 1n) / 2n][((i / 5) % 5) | 0];
    return seeded(`${text} ${i}`) % r;
  });

describe.each(Object.entries(builds))('vectors of scalars, %s', (_, module) => {
  const kernel = module === undefined ? undefined : new CurveKernel(module);
  const compute = <T>(work: (vectors: Vectors) => T): T =>
    kernel === undefined ? withVectors(work) : kernel.run(() => work(new Vectors(kernel)));
  const result = (values: readonly bigint[], change: (v: Vectors, x: Vector) => void): bigint[] =>
    compute((v) => {
      const x = v.scalars(packed(values));
      change(v, x);
      return unpacked(v.bytes(x));
    });

  it.each([2, 4, 8, 64, 256])('transform %i values as the definition says, and back', (n) => {
    const values = valuesOf('transform', n);
    const root = rootOfUnity(n);
    expect(power(root, BigInt(n) / 2n, r)).toBe(r - 1n);
    const expected = values.map((_, at) => {
      const point = power(root, BigInt(reversed(at, Math.log2(n))), r);
      return values.reduceRight((sum, value) => (sum * point + value) % r, 0n);
    });
    expect(result(values, (v, x) => v.forward(x))).toEqual(expected);
    expect(result(expected, (v, x) => v.inverse(x))).toEqual(values);
  });

  it('transform the largest values of a long vector, and back', () => {
    const values = Array.from({ length: 4096 }, (_, i) => (i % 2 === 0 ? r - 1n : (r - 1n) / 2n));
    const back = result(values, (v, x) => {
      for (let i = 0; i < 3; i++) v.forward(x);
      for (let i = 0; i < 3; i++) v.inverse(x);
    });
    expect(back).toEqual(values);
  });

  it('add, scale, multiply and invert', () => {
    const [a, b] = [valuesOf('a', 40), valuesOf('b', 40)];
    const units = a.map((value) => (value === 0n ? 7n : value));
    const with_ = (change: (v: Vectors, x: Vector, y: Vector) => void): bigint[] =>
      result(a, (v, x) => change(v, x, v.scalars(packed(b))));
    expect(with_((v, x, y) => v.add(x, y))).toEqual(a.map((x, i) => (x + b[i]) % r));
    expect(with_((v, x, y) => v.multiply(x, y))).toEqual(a.map((x, i) => (x * b[i]) % r));
    for (const factor of [0n, 1n, -1n, seeded('factor')]) {
      const expected = a.map((x, i) => mod(x + factor * b[i], r));
      expect(with_((v, x, y) => v.addScaled(x, y, factor))).toEqual(expected);
    }
    const inverses = result(units, (v, x) => v.invert(x));
    expect(inverses.map((x, i) => (x * units[i]) % r)).toEqual(units.map(() => 1n));
  });

  it('follow a linear recurrence across both halves', () => {
    for (const n of [2, 6, 40]) {
      const values = valuesOf('recur', n);
      const [start, ratio] = [seeded('start') % r, seeded('ratio') % r];
      let end = 0n;
      const found = result(values, (v, x) => {
        end = v.recur(x, start, ratio);
      });
      let expected = start;
      found.forEach((x, i) => {
        expect(x).toBe(expected);
        expected = (expected * ratio + values[i]) % r;
      });
      expect(end).toBe(expected);
    }
    const powers = compute((v) => unpacked(v.bytes(v.powers(10, 3n, 5n))));
    expect(powers).toEqual(Array.from({ length: 10 }, (_, i) => 3n * 5n ** BigInt(i)));
    expect(compute((v) => v.sum(v.powers(10, 2n, 1n)))).toBe(20n);
  });

  it('take integers of up to 2^51', () => {
    const values = [0, 1, -1, 2 ** 51, -(2 ** 51), 2 ** 51 - 1, 12345, -(2 ** 30)];
    const bytes = compute((v) => v.bytes(v.integers(Float64Array.from(values))));
    expect(unpacked(bytes)).toEqual(values.map((value) => mod(BigInt(value), r)));
    const start = valuesOf('integers', values.length);
    for (const factor of [0n, -1n, seeded('factor')]) {
      const sums = result(start, (v, x) =>
        v.addScaledIntegers(x, Float64Array.from(values), factor),
      );
      expect(sums).toEqual(start.map((x, i) => mod(x + factor * BigInt(values[i]), r)));
    }
  });

  it('take any 32 bytes for a number modulo r', () => {
    const bytes = new Uint8Array(64).fill(255);
    const expected = ((1n << 256n) - 1n) % r;
    expect(compute((v) => unpacked(v.bytes(v.scalars(bytes))))).toEqual([expected, expected]);
  });

  it('have an even length, and one in each operation', () => {
    const wrong = withCode(CurveErrorCode.LENGTH);
    for (const length of [0, 3, 1.5]) expect(() => compute((v) => v.zeros(length))).toThrow(wrong);
    expect(() => compute((v) => v.add(v.zeros(2), v.zeros(4)))).toThrow(wrong);
    const integers = new Float64Array(4);
    expect(() => compute((v) => v.addScaledIntegers(v.zeros(2), integers, 1n))).toThrow(wrong);
  });

  it('give back the memory of a scope, tables included', () => {
    const values = valuesOf('scope', 8);
    const found = result(values, (v, x) => {
      v.scope(() => v.forward(v.zeros(8)));
      v.scope(() => v.powers(64, 1n, 3n));
      v.forward(x);
    });
    expect(found).toEqual(result(values, (v, x) => v.forward(x)));
  });
});

it('r is the order of the groups', () => {
  expect(groupOrder).toBe(r);
});

it.each(['g1', 'g2'] as const)('combinations in %s agree with the reference', async (group) => {
  const curve = await Curve.start({ threads: 2 });
  try {
    const points = seededPoints(group, 'combination', 12);
    const scalars = valuesOf('combination', 12);
    const expected = bytesOf(
      points
        .map((point, i) => point.multiplyUnsafe(scalars[i]))
        .reduce((left, right) => left.add(right as never)),
    );
    const bytes = new Uint8Array(Buffer.concat(points.map(bytesOf)));
    expect(combine(group, bytes, scalars)).toEqual(expected);
    expect(await curve.combination(group, bytes, packed(scalars))).toEqual(expected);
  } finally {
    await curve.close();
  }
});
