import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { sealContext } from './context.ts';
import { parsePair, serializePair } from './pair.ts';

/** A public key (b, a) with b = e - a·s, both in NTT form over all primes. */
export interface PublicKey {
  readonly b: RnsVector;
  readonly a: RnsVector;
}

/** SEAL's uncompressed PublicKey object. See docs/formats.md, Results. */
export function serializePublicKey(set: ParameterSet, b: RnsVector, a: RnsVector): Uint8Array {
  const pair = { limbs: set.primes.length, c0: b, c1: a };
  return serializePair(set, sealContext(set).parmsIds, true, pair);
}

/**
 * Reads a public key from outside: canonical or rejected.
 *
 * @returns polynomials in memory of their own
 * @throws FheError the format codes; LEVEL_INVALID if it is not over all primes
 */
export function parsePublicKey(set: ParameterSet, bytes: Uint8Array): PublicKey {
  const limbs = set.primes.length;
  const kind = { nttForm: true, fewestLimbs: limbs, mostLimbs: limbs };
  const { c0, c1 } = parsePair(set, sealContext(set).parmsIds, kind, bytes);
  return { b: c0, a: c1 };
}
