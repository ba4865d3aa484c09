import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { FheErrorCode } from '../fhe/errors.ts';
import { rejection } from '../fhe/header.ts';
import { parsePublicKey } from '../fhe/keys.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';

/** Who gets a user decryption: the SEAL public key (b, a) of a user's own. Public. */
export interface Recipient {
  readonly set: ParameterSet;
  /** SHA-256 of the key's canonical bytes. */
  readonly digest: Hex;
  /** NTT form over all primes. */
  readonly b: RnsVector;
  readonly a: RnsVector;
}

/**
 * Reads a user's public key: canonical or rejected.
 *
 * That it is an honest key cannot be seen, and need not: whatever b and a are, the committee's
 * secret is hidden by flooding alone. A key with a limb of zeros is refused all the same, because
 * at a level of such limbs the answer would be readable by anybody.
 *
 * @param bytes from outside
 * @throws FheError the format codes; LEVEL_INVALID if it is not over all primes; TRANSPARENT
 */
export function parseRecipient(set: ParameterSet, bytes: Uint8Array): Recipient {
  const { b, a } = parsePublicKey(set, bytes);
  for (let at = 0; at < a.length; at += set.degree) {
    const isZero = (x: RnsVector): boolean =>
      x.subarray(at, at + set.degree).every((residue) => residue === 0n);
    if (isZero(b) || isZero(a))
      throw rejection(FheErrorCode.TRANSPARENT, { limb: at / set.degree });
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { set, digest: `0x${digest}`, b, a };
}
