import { randomFillSync } from 'node:crypto';
import { hexToBytes } from 'viem';
import { type CurveKernel, defaultCurveKernel } from '../kernels/curve.ts';
import { CurveError, CurveErrorCode } from './errors.ts';

// Scalars: 32 bytes, little-endian, below the group order r. They may be secret: arithmetic happens
// in the kernel's memory, which is wiped, and takes the same steps for all values.

export const SCALAR_BYTES = 32;
/** The group order, big-endian. */
const order = hexToBytes('0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001');

/** Overwrites bytes with zeros. Copies that the engine made elsewhere are out of reach. */
export function wipe(bytes: Uint8Array): void {
  bytes.fill(0);
}

/** The scalar 1. */
export function one(): Uint8Array {
  const scalar = new Uint8Array(SCALAR_BYTES);
  scalar[0] = 1;
  return scalar;
}

/** r - 1: what negates a scalar or a point by multiplication. */
function minusOne(): Uint8Array {
  const scalar = Uint8Array.from(order).reverse();
  scalar[0]--;
  return scalar;
}

/**
 * A uniform scalar, never 0 or 1: 64 random bytes modulo r (its distance from uniform is below
 * 2^-256).
 */
export function randomScalar(): Uint8Array {
  const bytes = new Uint8Array(2 * SCALAR_BYTES);
  for (;;) {
    randomFillSync(bytes);
    const scalar = reduceScalar(bytes);
    wipe(bytes);
    if (!isZero(scalar) && !isOne(scalar)) return scalar;
  }
}

/** The number that up to 64 little-endian bytes stand for, modulo r. Throws CurveError LENGTH. */
export function reduceScalar(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 2 * SCALAR_BYTES) {
    throw new CurveError(CurveErrorCode.LENGTH, 'a scalar is reduced from at most 64 bytes');
  }
  return compute((kernel, dst) => {
    const low = kernel.copyIn(bytes, 2 * SCALAR_BYTES);
    kernel.module.reduceScalar(dst, low, low + SCALAR_BYTES);
  });
}

/** a·b mod r. Throws CurveError LENGTH, SCALAR_OUT_OF_RANGE. */
export function multiplyScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  checkScalar(a);
  checkScalar(b);
  return compute((kernel, dst) => {
    kernel.module.multiplyScalars(dst, kernel.copyIn(a), kernel.copyIn(b));
  });
}

/** a + b mod r. Throws CurveError LENGTH, SCALAR_OUT_OF_RANGE. */
export function addScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  checkScalar(a);
  checkScalar(b);
  const sum = new Uint8Array(2 * SCALAR_BYTES);
  let carry = 0;
  for (let i = 0; i < SCALAR_BYTES; i++) {
    carry += a[i] + b[i];
    sum[i] = carry & 255;
    carry >>= 8;
  }
  const result = reduceScalar(sum);
  wipe(sum);
  return result;
}

/** -a mod r. Throws CurveError LENGTH, SCALAR_OUT_OF_RANGE. */
export function negateScalar(a: Uint8Array): Uint8Array {
  return multiplyScalars(a, minusOne());
}

export function isZero(scalar: Uint8Array): boolean {
  return scalar.reduce((all, byte) => all | byte, 0) === 0;
}

export function isOne(scalar: Uint8Array): boolean {
  return scalar.reduce((all, byte, i) => all | (i === 0 ? byte ^ 1 : byte), 0) === 0;
}

/** Throws CurveError LENGTH, SCALAR_OUT_OF_RANGE. */
export function checkScalar(scalar: Uint8Array): void {
  if (scalar.length !== SCALAR_BYTES) {
    throw new CurveError(CurveErrorCode.LENGTH, 'a scalar has 32 bytes', {
      metadata: { bytes: scalar.length },
    });
  }
  // The borrow of scalar - r.
  let borrow = 0;
  for (let i = 0; i < SCALAR_BYTES; i++) {
    borrow = (scalar[i] - order[SCALAR_BYTES - 1 - i] + borrow) >> 8;
  }
  if (borrow === 0) {
    throw new CurveError(CurveErrorCode.SCALAR_OUT_OF_RANGE, 'a scalar is below the group order');
  }
}

function compute(work: (kernel: CurveKernel, dst: number) => void): Uint8Array {
  const kernel = defaultCurveKernel();
  return kernel.run((module) => {
    const dst = module.allocate(SCALAR_BYTES);
    work(kernel, dst);
    return kernel.copyOut(dst, SCALAR_BYTES);
  });
}
