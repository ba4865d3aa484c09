import { randomBytes } from 'node:crypto';
import type { Curve } from '../curve/curve.ts';
import { pairingProductIsOne } from '../curve/pairing.ts';
import { negateScalar } from '../curve/scalars.ts';

/** Bytes of a random coefficient: a false relation passes with probability 2^-128. */
const coefficientBytes = 16;

/** That a point of G1 and one of G2 are the same multiple of two others. Points as in a file. */
export interface Ratio {
  readonly g1: readonly [base: Uint8Array, multiple: Uint8Array];
  readonly g2: readonly [base: Uint8Array, multiple: Uint8Array];
}

/**
 * True if, with overwhelming probability, all of the ratios are equal ones.
 *
 * With fresh random c_i of 128 bits the product of e(c_i·base1_i, multiple2_i)·e(-c_i·multiple1_i, base2_i)
 * is one. What is paired with the same point of G2 is added first: a pairing costs as much as
 * hundreds of additions.
 *
 * @param ratios of valid points, none of them infinity
 */
export async function ratiosHold(curve: Curve, ratios: readonly Ratio[]): Promise<boolean> {
  const terms = new Map<string, { g2: Uint8Array; g1: Promise<Uint8Array>[] }>();
  const add = (g1: Promise<Uint8Array>, g2: Uint8Array): void => {
    const key = Buffer.from(g2).toString('hex');
    const term = terms.get(key) ?? { g2, g1: [] };
    term.g1.push(g1);
    terms.set(key, term);
  };
  for (const { g1, g2 } of ratios) {
    const coefficient = new Uint8Array(32);
    coefficient.set(randomBytes(coefficientBytes));
    add(curve.multiply('g1', g1[0], coefficient), g2[1]);
    add(curve.multiply('g1', g1[1], negateScalar(coefficient)), g2[0]);
  }
  const pairs = [...terms.values()].map(async ({ g2, g1 }) => ({
    g1: await addAll(curve, await Promise.all(g1)),
    g2,
  }));
  return pairingProductIsOne(await Promise.all(pairs));
}

function addAll(curve: Curve, points: readonly Uint8Array[]): Promise<Uint8Array> {
  const ones = Buffer.alloc(points.length * coefficientBytes);
  points.forEach((_, at) => ones.writeUInt8(1, at * coefficientBytes));
  return curve.sums('g1', Buffer.concat(points), ones);
}
