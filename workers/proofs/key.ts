import { firstLimbs } from '../fhe/ciphertext.ts';
import { parsePublicKey } from '../fhe/keys.ts';
import type { RnsVector } from '../ring/basis.ts';
import { linearCombination } from '../ring/combination.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { sha256 } from './digest.ts';

/** What encrypting, proving and verifying need of a public key, at the first level; in NTT form. */
export interface EncryptionKey {
  readonly set: ParameterSet;
  /** SHA-256 of SEAL's uncompressed PublicKey object. */
  readonly digest: Uint8Array;
  readonly a: RnsVector;
  /** t·b */
  readonly tb: RnsVector;
}

/**
 * Prepares a public key, once for all that is encrypted to it.
 *
 * SEAL's Encryptor encrypts over all primes and divides by the special one. The limbs of the other
 * primes are a public key at the first level by themselves: b + a·s = e modulo each.
 *
 * @param publicKey SEAL's uncompressed PublicKey object
 * @throws FheError the format codes
 */
export async function encryptionKey(
  set: ParameterSet,
  publicKey: Uint8Array,
): Promise<EncryptionKey> {
  const { a, b } = parsePublicKey(set, publicKey);
  const limbs = firstLimbs(set);
  const primes = set.primes.slice(0, limbs);
  const length = limbs * set.degree;
  const scalars = primes.map((prime) => [set.plainModulus % prime]);
  return {
    set,
    digest: await sha256(publicKey),
    a: a.slice(0, length),
    tb: linearCombination(primes, [b.slice(0, length)], scalars),
  };
}
