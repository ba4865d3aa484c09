import { hexToBytes } from 'viem';
import { defaultCurveKernel } from '../kernels/curve.ts';
import { CurveError, CurveErrorCode } from './errors.ts';

/** The groups of BN254: g1 over Fp, g2 over Fp2. */
export type Group = 'g1' | 'g2';

/** Bytes of a point: two coordinates of one or two numbers of 32 bytes. */
export const pointBytes = { g1: 64, g2: 128 } as const;

const NUMBER = 32;
/** Points that pass through the kernel's memory at a time. */
const CHUNK = 4_096;
/** (p - 1)/2, big-endian. */
const half = hexToBytes('0x183227397098d014dc2822db40c0ac2ecbc0b548b438e5469e10460b6c3e7ea3');

/**
 * Points as the EVM takes them (EIP-196, EIP-197): big-endian plain coordinates, in g2 imaginary
 * parts first. It is also snarkjs' uncompressed form. Infinity is all zero in both forms.
 *
 * About 0.1 µs per number, on the calling thread: cut very long inputs.
 *
 * @throws CurveError LENGTH
 */
export function toEvm(group: Group, points: Uint8Array): Uint8Array {
  return inChunks(group, points, (chunk) => {
    const kernel = defaultCurveKernel();
    return kernel.run((module) => {
      const src = kernel.copyIn(chunk);
      const dst = module.allocate(chunk.length);
      module.toEvm(dst, src, chunk.length / NUMBER, group === 'g2' ? 1 : 0);
      return kernel.copyOut(dst, chunk.length);
    });
  });
}

/**
 * Inverse of toEvm. Nothing is checked but the range of the coordinates (see Curve.firstInvalid).
 *
 * @throws CurveError LENGTH; NOT_A_POINT for a coordinate that is not below p
 */
export function fromEvm(group: Group, bytes: Uint8Array): Uint8Array {
  return inChunks(group, bytes, (chunk) => {
    const kernel = defaultCurveKernel();
    return kernel.run((module) => {
      const src = kernel.copyIn(chunk);
      const dst = module.allocate(chunk.length);
      const wrong = module.fromEvm(dst, src, chunk.length / NUMBER, group === 'g2' ? 1 : 0);
      if (wrong >= 0) {
        throw new CurveError(CurveErrorCode.NOT_A_POINT, 'a coordinate is not below p');
      }
      return kernel.copyOut(dst, chunk.length);
    });
  });
}

/**
 * snarkjs' compressed form: x as in toEvm, with 0x80 in the first byte where y is greater than -y
 * (in g2 the imaginary parts decide, the real ones if those are zero). Infinity is 0x40, then zeros.
 *
 * @throws CurveError LENGTH
 */
export function compress(group: Group, points: Uint8Array): Uint8Array {
  const size = pointBytes[group];
  const plain = toEvm(group, points);
  const result = new Uint8Array(points.length / 2);
  for (let at = 0; at < plain.length; at += size) {
    const point = plain.subarray(at, at + size);
    result.set(point.subarray(0, size / 2), at / 2);
    if (isInfinity(point)) result[at / 2] = 0x40;
    else if (isGreater(point.subarray(size / 2))) result[at / 2] |= 0x80;
  }
  return result;
}

/** True if a point, in any form but the compressed one, is infinity. */
export function isInfinity(point: Uint8Array): boolean {
  return point.every((byte) => byte === 0);
}

/** True if the first number of y that is not zero is above (p - 1)/2. */
function isGreater(y: Uint8Array): boolean {
  let at = 0;
  while (at + NUMBER < y.length && isInfinity(y.subarray(at, at + NUMBER))) at += NUMBER;
  for (let i = 0; i < NUMBER; i++) {
    if (y[at + i] !== half[i]) return y[at + i] > half[i];
  }
  return false;
}

/** How many points the bytes are. Throws CurveError LENGTH. */
export function countPoints(group: Group, points: Uint8Array): number {
  const size = pointBytes[group];
  if (points.length % size !== 0) {
    throw new CurveError(CurveErrorCode.LENGTH, 'the bytes are not a whole number of points', {
      metadata: { group, bytes: points.length },
    });
  }
  return points.length / size;
}

function inChunks(
  group: Group,
  points: Uint8Array,
  convert: (chunk: Uint8Array) => Uint8Array,
): Uint8Array {
  countPoints(group, points);
  const result = new Uint8Array(points.length);
  const step = CHUNK * pointBytes[group];
  for (let at = 0; at < points.length; at += step) {
    result.set(convert(points.subarray(at, at + step)), at);
  }
  return result;
}

/** The generator of g1, (1, 2) (EIP-196). */
export const g1Generator: Uint8Array = fromEvm(
  'g1',
  hexToBytes(`0x${'1'.padStart(64, '0')}${'2'.padStart(64, '0')}`),
);

/** The generator of g2 (EIP-197). */
export const g2Generator: Uint8Array = fromEvm(
  'g2',
  hexToBytes(
    `0x${[
      '198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2',
      '1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed',
      '090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b',
      '12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa',
    ].join('')}`,
  ),
);
