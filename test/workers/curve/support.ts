import { createHash } from 'node:crypto';
import { bn254 } from '@noble/curves/bn254.js';
import { bytesToBigInt, concatBytes, hexToBytes, toHex } from 'viem';
import { fromEvm, isInfinity, toEvm, type Group } from '../../../workers/curve/points.ts';

// The reference: @noble/curves on bigints, in the bytes of workers/curve.

export const { p, r } = { p: bn254.fields.Fp.ORDER, r: bn254.fields.Fr.ORDER };
const { Fp2 } = bn254.fields;

export type Point1 = typeof bn254.G1.Point.BASE;
export type Point2 = typeof bn254.G2.Point.BASE;
export type Point = Point1 | Point2;

/** 256 bits that follow from the text. */
export function seeded(text: string): bigint {
  return bytesToBigInt(createHash('sha256').update(text).digest());
}

export function little(value: bigint, size = 32): Uint8Array {
  return hexToBytes(toHex(value, { size })).reverse();
}

export const valueOf = (bytes: Uint8Array) => bytesToBigInt(Uint8Array.from(bytes).reverse());

const word = (value: bigint) => hexToBytes(toHex(value, { size: 32 }));

export function bytesOf(point: Point): Uint8Array {
  const group: Group = point instanceof bn254.G1.Point ? 'g1' : 'g2';
  if (point.is0()) return new Uint8Array(group === 'g1' ? 64 : 128);
  const { x, y } = point.toAffine();
  const words = [x, y].flatMap((coordinate) => {
    if (typeof coordinate === 'bigint') return [word(coordinate)];
    const { re, im } = Fp2.reim(coordinate);
    return [word(im), word(re)];
  });
  return fromEvm(group, concatBytes(words));
}

export function pointOf(group: Group, bytes: Uint8Array): Point {
  const curve = group === 'g1' ? bn254.G1 : bn254.G2;
  if (isInfinity(bytes)) return curve.Point.ZERO;
  const plain = toEvm(group, bytes);
  const [a, b, c, d] = Array.from({ length: plain.length / 32 }, (_, i) =>
    bytesToBigInt(plain.subarray(32 * i, 32 * i + 32)),
  );
  if (group === 'g1') return bn254.G1.Point.fromAffine({ x: a, y: b });
  return bn254.G2.Point.fromAffine({
    x: Fp2.fromBigTuple([b, a]),
    y: Fp2.fromBigTuple([d, c]),
  });
}

export function base(group: Group): Point {
  return group === 'g1' ? bn254.G1.Point.BASE : bn254.G2.Point.BASE;
}

/** n·point for any n, on the whole curve. */
export function times(point: Point, n: bigint): Point {
  let result = point.subtract(point as never);
  for (const bit of n.toString(2)) {
    result = result.double();
    if (bit === '1') result = result.add(point as never);
  }
  return result;
}

/** Points of the group that follow from the text. */
export function seededPoints(group: Group, text: string, count: number): Point[] {
  const step = base(group).multiply((seeded(`${text} step`) % (r - 1n)) + 1n);
  let point: Point = base(group).multiply((seeded(text) % (r - 1n)) + 1n);
  return Array.from({ length: count }, () => {
    point = point.add(step as never);
    return point;
  });
}
