import { bn254 } from '@noble/curves/bn254.js';
import { bytesToBigInt } from 'viem';
import { type Group, isInfinity, toEvm } from './points.ts';

/** What a pairing takes: valid points (Curve.firstInvalid) or infinity. */
export interface PairingInput {
  readonly g1: Uint8Array;
  readonly g2: Uint8Array;
}

/**
 * True if the product of the pairings is one. Infinity on either side makes a pairing one. Some 10 ms
 * per pairing, on the calling thread; the pairing is that of @noble/curves.
 */
export function pairingProductIsOne(inputs: readonly PairingInput[]): boolean {
  return isProductOne(inputs.map(({ g1, g2 }) => ({ g1, g2, negated: false })));
}

/** True if e(left) = e(right). */
export function pairingEquals(left: PairingInput, right: PairingInput): boolean {
  return isProductOne([
    { ...left, negated: false },
    { ...right, negated: true },
  ]);
}

function isProductOne(inputs: readonly (PairingInput & { negated: boolean })[]): boolean {
  const { Fp12 } = bn254.fields;
  const pairs = inputs
    .filter(({ g1, g2 }) => !isInfinity(g1) && !isInfinity(g2))
    .map(({ g1, g2, negated }) => {
      const point = pointOfG1(g1);
      return { g1: negated ? point.negate() : point, g2: pointOfG2(g2) };
    });
  return pairs.length === 0 || Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE);
}

function pointOfG1(point: Uint8Array) {
  const [x, y] = numbers('g1', point);
  return bn254.G1.Point.fromAffine({ x, y });
}

function pointOfG2(point: Uint8Array) {
  const { Fp2 } = bn254.fields;
  const [xImaginary, xReal, yImaginary, yReal] = numbers('g2', point);
  return bn254.G2.Point.fromAffine({
    x: Fp2.fromBigTuple([xReal, xImaginary]),
    y: Fp2.fromBigTuple([yReal, yImaginary]),
  });
}

function numbers(group: Group, point: Uint8Array): bigint[] {
  const bytes = toEvm(group, point);
  return Array.from({ length: bytes.length / 32 }, (_, i) =>
    bytesToBigInt(bytes.subarray(32 * i, 32 * i + 32)),
  );
}
