import type { ParameterSet } from '../ring/parameters.ts';
import { FheErrorCode } from './errors.ts';
import {
  checkByteLength,
  checkField,
  checkHeader,
  checkTotalLength,
  headerLength,
  rejection,
  writeHeader,
} from './header.ts';

// Byte offsets of SEAL's Plaintext object.
const parmsIdAt = headerLength;
const countAt = parmsIdAt + 32;
const scaleAt = countAt + 8;
const arrayAt = scaleAt + 8;
const arrayCountAt = arrayAt + headerLength;
const coefficientsAt = arrayCountAt + 8;

/** Bytes of a plaintext with all its coefficients. */
export function plaintextLength(set: ParameterSet): number {
  return coefficientsAt + 8 * set.degree;
}

/**
 * SEAL's uncompressed Plaintext object with N coefficients, leading zeros included, in coefficient
 * form (the parms_id is zero).
 *
 * @param coefficients N values below the plain modulus
 * @throws FheError DEGREE_MISMATCH, NOT_CANONICAL
 */
export function serializePlaintext(set: ParameterSet, coefficients: BigUint64Array): Uint8Array {
  checkCoefficients(set, coefficients);
  const bytes = new Uint8Array(plaintextLength(set));
  const view = new DataView(bytes.buffer);
  writeHeader(view, 0, bytes.length);
  view.setBigUint64(countAt, BigInt(set.degree), true);
  view.setFloat64(scaleAt, 1, true);
  writeHeader(view, arrayAt, bytes.length - arrayAt);
  view.setBigUint64(arrayCountAt, BigInt(set.degree), true);
  bytes.set(bytesOf(coefficients), coefficientsAt);
  return bytes;
}

/**
 * Reads a plaintext from outside: canonical, as `serializePlaintext` writes it, or rejected.
 *
 * @returns N coefficients below the plain modulus
 * @throws FheError TRUNCATED, TRAILING_BYTES, HEADER_INVALID, VERSION_UNSUPPORTED, COMPRESSED,
 * LENGTH_FIELD_INVALID, NTT_FORM_INVALID, DEGREE_MISMATCH, SCALE_INVALID, NOT_CANONICAL
 */
export function parsePlaintext(set: ParameterSet, bytes: Uint8Array): BigUint64Array {
  if (bytes.length < coefficientsAt) {
    throw rejection(FheErrorCode.TRUNCATED, { length: bytes.length, expected: coefficientsAt });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkHeader(view, 0);
  // A BFV plaintext has a parms_id only in NTT form.
  if (bytes.subarray(parmsIdAt, countAt).some((byte) => byte !== 0)) {
    throw rejection(FheErrorCode.NTT_FORM_INVALID, {});
  }
  checkField(view, countAt, set.degree, FheErrorCode.DEGREE_MISMATCH);
  if (view.getFloat64(scaleAt, true) !== 1) throw rejection(FheErrorCode.SCALE_INVALID, {});
  const length = plaintextLength(set);
  checkTotalLength(view, 0, length);
  checkHeader(view, arrayAt);
  checkTotalLength(view, arrayAt, length - arrayAt);
  checkField(view, arrayCountAt, set.degree, FheErrorCode.LENGTH_FIELD_INVALID);
  checkByteLength(bytes, length);
  const coefficients = new BigUint64Array(set.degree);
  bytesOf(coefficients).set(bytes.subarray(coefficientsAt));
  checkCoefficients(set, coefficients);
  return coefficients;
}

function checkCoefficients(set: ParameterSet, coefficients: BigUint64Array): void {
  if (coefficients.length !== set.degree) {
    throw rejection(FheErrorCode.DEGREE_MISMATCH, { coefficients: coefficients.length });
  }
  if (coefficients.some((coefficient) => coefficient >= set.plainModulus)) {
    throw rejection(FheErrorCode.NOT_CANONICAL, {});
  }
}

function bytesOf(vector: BigUint64Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
