import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { sealContext } from './context.ts';
import { pairLength, parsePair, serializePair } from './pair.ts';
import type { Pair } from './pair.ts';

/**
 * A BFV ciphertext of two polynomials in coefficient form over the first `limbs` primes:
 * c0 + c1·s = (q/t)·m + noise.
 */
export type Ciphertext = Pair;

/** Bytes of a ciphertext: what a reader may ask for before it has seen the object. */
export function ciphertextLength(set: ParameterSet, limbs: number): number {
  return pairLength(set, limbs);
}

/** Number of limbs of a fresh ciphertext: all primes but the special one. */
export function firstLimbs(set: ParameterSet): number {
  return set.primes.length - 1;
}

/**
 * Reads a ciphertext from outside: canonical or rejected. See docs/formats.md, SEAL objects.
 *
 * @param memory for the polynomials, if it is enough for them; they get their own if there is none
 * @returns polynomials that nothing else refers to but this memory
 * @throws FheError TRUNCATED, TRAILING_BYTES, HEADER_INVALID, VERSION_UNSUPPORTED, COMPRESSED,
 * LENGTH_FIELD_INVALID, PARMS_ID_UNKNOWN, LEVEL_INVALID (the key level), NTT_FORM_INVALID,
 * SIZE_INVALID, DEGREE_MISMATCH, LIMBS_MISMATCH, SCALE_INVALID, CORRECTION_FACTOR_INVALID,
 * NOT_CANONICAL, TRANSPARENT
 */
export function parseCiphertext(
  set: ParameterSet,
  bytes: Uint8Array,
  memory?: RnsVector,
): Ciphertext {
  const kind = { nttForm: false, fewestLimbs: 1, mostLimbs: firstLimbs(set) };
  return parsePair(set, sealContext(set).parmsIds, kind, bytes, memory);
}

/** The canonical bytes of a ciphertext: what SEAL itself saves without compression. */
export function serializeCiphertext(set: ParameterSet, ciphertext: Ciphertext): Uint8Array {
  return serializePair(set, sealContext(set).parmsIds, false, ciphertext);
}
