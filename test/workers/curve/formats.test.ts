import { bn254 } from '@noble/curves/bn254.js';
import { bytesToBigInt, concatBytes } from 'viem';
import { describe, expect, it } from 'vitest';
import { CurveErrorCode } from '../../../workers/curve/errors.ts';
import { pairingEquals, pairingProductIsOne } from '../../../workers/curve/pairing.ts';
import {
  compress,
  fromEvm,
  g1Generator,
  g2Generator,
  pointBytes,
  toEvm,
} from '../../../workers/curve/points.ts';
import {
  addScalars,
  isOne,
  isZero,
  multiplyScalars,
  negateScalar,
  one,
  randomScalar,
  reduceScalar,
  wipe,
} from '../../../workers/curve/scalars.ts';
import { base, bytesOf, little, p, r, seeded, seededPoints, valueOf } from './support.ts';

describe('forms of points', () => {
  it('are times 2^256 in files', () => {
    const [x, y] = [0, 32].map((at) => valueOf(g1Generator.slice(at, at + 32)));
    expect([x, y]).toEqual([(1n << 256n) % p, (2n << 256n) % p]);
    const { re, im } = bn254.fields.Fp2.reim(bn254.G2.Point.BASE.toAffine().x);
    expect(valueOf(g2Generator.slice(0, 32))).toBe((re << 256n) % p);
    expect(valueOf(g2Generator.slice(32, 64))).toBe((im << 256n) % p);
  });

  it.each(['g1', 'g2'] as const)('are converted forth and back in %s', (group) => {
    const points = concatBytes([
      ...seededPoints(group, 'forms', 6).map(bytesOf),
      new Uint8Array(pointBytes[group]),
    ]);
    // Longer than what passes through the kernel at a time.
    const many = concatBytes(Array.from({ length: 600 }, () => points));
    const evm = toEvm(group, many);
    expect(fromEvm(group, evm)).toEqual(many);
    const at = 4_095 * pointBytes[group];
    const last = bytesToBigInt(evm.subarray(at, at + 32));
    const place = at + (group === 'g1' ? 0 : 32);
    expect((last << 256n) % p).toBe(valueOf(many.slice(place, place + 32)));
  });

  it.each(['g1', 'g2'] as const)('have coordinates below p in %s', (group) => {
    const bytes = toEvm(group, group === 'g1' ? g1Generator : g2Generator);
    for (let at = 0; at < bytes.length; at += 32) {
      const changed = bytes.slice();
      changed.set(little(p).reverse(), at);
      expect(() => fromEvm(group, changed)).toThrow(
        expect.objectContaining({ code: CurveErrorCode.NOT_A_POINT }),
      );
      changed.set(little(p - 1n).reverse(), at);
      expect(toEvm(group, fromEvm(group, changed))).toEqual(changed);
    }
  });

  it.each(['g1', 'g2'] as const)('are compressed to x and a sign in %s', (group) => {
    const size = pointBytes[group];
    const points = seededPoints(group, 'signs', 5).flatMap((point) => [point, point.negate()]);
    const bytes = concatBytes([...points.map(bytesOf), new Uint8Array(size)]);
    const compressed = compress(group, bytes);
    points.forEach((_, i) => {
      const plain = toEvm(group, bytes.slice(i * size, i * size + size));
      const expected = plain.slice(0, size / 2);
      if (bytesToBigInt(plain.subarray(size / 2, size / 2 + 32)) > p / 2n) expected[0] |= 0x80;
      expect(compressed.slice((i * size) / 2, ((i + 1) * size) / 2)).toEqual(expected);
    });
    const infinity = new Uint8Array(size / 2);
    infinity[0] = 0x40;
    expect(compressed.slice(-size / 2)).toEqual(infinity);
  });

  it('let the real part decide where the imaginary part of y is zero', () => {
    const point = (real: bigint) =>
      fromEvm('g2', concatBytes([1n, 2n, 0n, real].map((value) => little(value).reverse())));
    expect(compress('g2', point((p - 1n) / 2n))[0]).toBe(0);
    expect(compress('g2', point((p + 1n) / 2n))[0]).toBe(0x80);
  });

  it('come in whole points', () => {
    expect(() => toEvm('g2', new Uint8Array(64))).toThrow(
      expect.objectContaining({ code: CurveErrorCode.LENGTH }),
    );
  });
});

describe('scalars', () => {
  const values = [0n, 1n, 2n, r - 1n, r - 2n, ...[1, 2, 3].map((i) => seeded(`scalar ${i}`) % r)];

  it('are added, multiplied and negated modulo r', () => {
    for (const a of values) {
      expect(valueOf(negateScalar(little(a)))).toBe((r - a) % r);
      for (const b of values) {
        expect(valueOf(multiplyScalars(little(a), little(b)))).toBe((a * b) % r);
        expect(valueOf(addScalars(little(a), little(b)))).toBe((a + b) % r);
      }
    }
  });

  it('are reduced from up to 64 bytes', () => {
    for (const value of [0n, r, r + 1n, 3n * r - 1n, (1n << 256n) - 1n, (1n << 512n) - 1n]) {
      expect(valueOf(reduceScalar(little(value, 64)))).toBe(value % r);
    }
    expect(reduceScalar(Uint8Array.of(7))).toEqual(little(7n));
    expect(() => reduceScalar(new Uint8Array(65))).toThrow(
      expect.objectContaining({ code: CurveErrorCode.LENGTH }),
    );
  });

  it('at random are in range, and differ', () => {
    const [a, b] = [randomScalar(), randomScalar()];
    expect(a).not.toEqual(b);
    expect(multiplyScalars(a, one())).toEqual(a);
    expect(isZero(a) || isOne(a)).toBe(false);
  });

  it('are told from zero and one, and wiped', () => {
    expect(values.map((value) => isZero(little(value))).indexOf(false)).toBe(1);
    expect(values.filter((value) => isOne(little(value)))).toEqual([1n]);
    const scalar = little(r - 1n);
    wipe(scalar);
    expect(isZero(scalar)).toBe(true);
  });
});

describe('pairings', () => {
  it('are bilinear', () => {
    const g1 = (n: bigint) => bytesOf(base('g1').multiply(n));
    const g2 = (n: bigint) => bytesOf(base('g2').multiply(n));
    expect(pairingEquals({ g1: g1(6n), g2: g2(5n) }, { g1: g1(10n), g2: g2(3n) })).toBe(true);
    expect(pairingEquals({ g1: g1(6n), g2: g2(5n) }, { g1: g1(10n), g2: g2(4n) })).toBe(false);
    const inputs = [
      { g1: g1(2n), g2: g2(3n) },
      { g1: g1(r - 6n), g2: g2(1n) },
    ];
    expect(pairingProductIsOne(inputs)).toBe(true);
    expect(pairingProductIsOne(inputs.slice(1))).toBe(false);
    expect(pairingProductIsOne([{ g1: new Uint8Array(64), g2: g2(1n) }])).toBe(true);
  });
});
