import { perform } from './engine.ts';
import type { Group } from './points.ts';
import { one, SCALAR_BYTES } from './scalars.ts';
import { scalarBytes, writeScalar } from './vectors.ts';

const HALF_BYTES = SCALAR_BYTES / 2;

/** 2^128: what the high halves of scalars count for. */
export const highFactor: Uint8Array = scalarBytes(1n << 128n);

/** The lower and the upper 128 bits of scalars. */
export function halvesOf(scalars: Uint8Array): {
  low: Uint8Array<ArrayBuffer>;
  high: Uint8Array<ArrayBuffer>;
} {
  const low = new Uint8Array(scalars.length / 2);
  const high = new Uint8Array(scalars.length / 2);
  for (let from = 0, to = 0; to < low.length; from += SCALAR_BYTES, to += HALF_BYTES) {
    low.set(scalars.subarray(from, from + HALF_BYTES), to);
    high.set(scalars.subarray(from + HALF_BYTES, from + SCALAR_BYTES), to);
  }
  return { low, high };
}

/**
 * The sum of a few points, each times its scalar modulo r, on the calling thread.
 *
 * @param points valid ones or infinity, as in a file
 * @param scalars public, one per point
 */
export function combine(
  group: Group,
  points: Uint8Array,
  scalars: readonly bigint[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SCALAR_BYTES * scalars.length);
  scalars.forEach((scalar, i) => writeScalar(bytes, i, scalar));
  const { low, high } = halvesOf(bytes);
  // Every point times 2^128, for the upper halves: one sum of twice as many points is the fastest.
  const factors = joined(highFactor, one());
  const task = { kind: 'scale', group, points: points.slice(), scalars: factors, skip: 0 } as const;
  return sum(group, joined(points, perform(task) as Uint8Array), joined(low, high));
}

/** The sum of two points. */
export function addTwo(group: Group, a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const ones = new Uint8Array(2 * HALF_BYTES);
  ones[0] = 1;
  ones[HALF_BYTES] = 1;
  return sum(group, joined(a, b), ones);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function sum(
  group: Group,
  points: Uint8Array<ArrayBuffer>,
  coefficients: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return perform({ kind: 'sum', group, points, coefficients }) as Uint8Array<ArrayBuffer>;
}
