import { isCanonical } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
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

/** Two polynomials with the same limbs, in the form SEAL stores ciphertexts and public keys in. */
export interface Pair {
  /** Number of primes, the first ones of the set. */
  readonly limbs: number;
  readonly c0: RnsVector;
  readonly c1: RnsVector;
}

/** What tells the kinds of pair apart. */
export interface PairKind {
  /** True for keys, false for ciphertexts. */
  readonly nttForm: boolean;
  /** Allowed numbers of limbs, inclusive. */
  readonly fewestLimbs: number;
  readonly mostLimbs: number;
}

// Byte offsets of SEAL's Ciphertext object.
const parmsIdAt = headerLength;
const nttFormAt = parmsIdAt + 32;
const sizeAt = nttFormAt + 1;
const degreeAt = sizeAt + 8;
const limbsAt = degreeAt + 8;
const scaleAt = limbsAt + 8;
const correctionFactorAt = scaleAt + 8;
const arrayAt = correctionFactorAt + 8;
const countAt = arrayAt + headerLength;
const residuesAt = countAt + 8;

const polynomials = 2;

/** Bytes of a pair of the given number of limbs. */
export function pairLength(set: ParameterSet, limbs: number): number {
  return residuesAt + 8 * polynomials * limbs * set.degree;
}

/** SEAL's uncompressed bytes of a pair, in the one form that `parsePair` accepts. */
export function serializePair(
  set: ParameterSet,
  parmsIds: readonly Uint8Array[],
  nttForm: boolean,
  pair: Pair,
): Uint8Array {
  const bytes = new Uint8Array(pairLength(set, pair.limbs));
  let at = 0;
  for (const part of pairParts(set, parmsIds, nttForm, pair)) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The same in pieces, of which all but the first are the pair's own memory: to be hashed. */
export function pairParts(
  set: ParameterSet,
  parmsIds: readonly Uint8Array[],
  nttForm: boolean,
  pair: Pair,
): Uint8Array[] {
  const start = new Uint8Array(residuesAt);
  const view = new DataView(start.buffer);
  const length = pairLength(set, pair.limbs);
  writeHeader(view, 0, length);
  start.set(parmsIds[pair.limbs - 1], parmsIdAt);
  view.setUint8(nttFormAt, nttForm ? 1 : 0);
  view.setBigUint64(sizeAt, BigInt(polynomials), true);
  view.setBigUint64(degreeAt, BigInt(set.degree), true);
  view.setBigUint64(limbsAt, BigInt(pair.limbs), true);
  view.setFloat64(scaleAt, 1, true);
  view.setBigUint64(correctionFactorAt, 1n, true);
  writeHeader(view, arrayAt, length - arrayAt);
  view.setBigUint64(countAt, BigInt(polynomials * pair.limbs * set.degree), true);
  return [start, bytesOf(pair.c0), bytesOf(pair.c1)];
}

/**
 * Reads a pair from bytes that anybody may have chosen.
 *
 * A total parser: every input either has the one canonical form of its kind or is rejected with a
 * code. It never calls SEAL, and it allocates only once the length has been checked, which follows
 * from the parms_id alone.
 *
 * @param memory for the polynomials, of which there may be too little: then they get their own
 * @returns polynomials in this memory, or in their own if there is none
 * @throws FheError any of the format codes
 */
export function parsePair(
  set: ParameterSet,
  parmsIds: readonly Uint8Array[],
  kind: PairKind,
  bytes: Uint8Array,
  memory?: RnsVector,
): Pair {
  if (bytes.length < residuesAt) {
    throw rejection(FheErrorCode.TRUNCATED, { length: bytes.length, expected: residuesAt });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkHeader(view, 0);
  const parmsId = bytes.subarray(parmsIdAt, nttFormAt);
  const limbs = 1 + parmsIds.findIndex((known) => known.every((byte, i) => byte === parmsId[i]));
  if (limbs === 0) throw rejection(FheErrorCode.PARMS_ID_UNKNOWN, {});
  if (limbs < kind.fewestLimbs || limbs > kind.mostLimbs) {
    throw rejection(FheErrorCode.LEVEL_INVALID, { limbs });
  }
  if (view.getUint8(nttFormAt) !== (kind.nttForm ? 1 : 0)) {
    throw rejection(FheErrorCode.NTT_FORM_INVALID, { value: view.getUint8(nttFormAt) });
  }
  checkField(view, sizeAt, polynomials, FheErrorCode.SIZE_INVALID);
  checkField(view, degreeAt, set.degree, FheErrorCode.DEGREE_MISMATCH);
  checkField(view, limbsAt, limbs, FheErrorCode.LIMBS_MISMATCH);
  if (view.getFloat64(scaleAt, true) !== 1) throw rejection(FheErrorCode.SCALE_INVALID, {});
  checkField(view, correctionFactorAt, 1, FheErrorCode.CORRECTION_FACTOR_INVALID);
  const length = pairLength(set, limbs);
  const count = polynomials * limbs * set.degree;
  checkTotalLength(view, 0, length);
  checkHeader(view, arrayAt);
  checkTotalLength(view, arrayAt, length - arrayAt);
  checkField(view, countAt, count, FheErrorCode.LENGTH_FIELD_INVALID);
  checkByteLength(bytes, length);

  const residues =
    memory !== undefined && memory.length >= count
      ? memory.subarray(0, count)
      : new BigUint64Array(count);
  bytesOf(residues).set(bytes.subarray(residuesAt));
  const c0 = residues.subarray(0, count / 2);
  const c1 = residues.subarray(count / 2);
  const primes = set.primes.slice(0, limbs);
  if (!isCanonical(primes, set.degree, c0) || !isCanonical(primes, set.degree, c1)) {
    throw rejection(FheErrorCode.NOT_CANONICAL, { limbs });
  }
  if (isZero(c1)) throw rejection(FheErrorCode.TRANSPARENT, { limbs });
  return { limbs, c0, c1 };
}

function isZero(vector: RnsVector): boolean {
  return new Uint32Array(vector.buffer, vector.byteOffset, 2 * vector.length).every((w) => w === 0);
}

function bytesOf(vector: RnsVector): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
