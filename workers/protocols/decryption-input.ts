import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { parseCiphertext, serializeCiphertext } from '../fhe/ciphertext.ts';
import { decryptionPlan } from '../fhe/noise.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { switchModulus } from '../ring/switching.ts';
import type { Committee } from '../sharing/committee.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';

/** A ciphertext at the decryption level of a committee. Public. */
export interface DecryptionInput {
  readonly set: ParameterSet;
  readonly committee: Committee;
  /** The decryption level. */
  readonly limbs: number;
  /** B of the flooding noise there. */
  readonly floodBits: number;
  /** Coefficient form over `limbs` primes. */
  readonly c0: RnsVector;
  readonly c1: RnsVector;
  /** SHA-256 of the canonical bytes at this level. */
  readonly digest: Hex;
}

/**
 * Parses a ciphertext and switches it to the decryption level.
 *
 * All work that depends on the ciphertext alone, so that several requests for it share it. Level
 * switching is deterministic: all operators get the same bytes, hence the same ids and noise.
 *
 * @param bytes from outside; canonical or rejected
 * @throws FheError the format codes of `parseCiphertext`, NOISE_NEVER_FITS; ProtocolError
 * CIPHERTEXT_LEVEL_TOO_LOW
 */
export function prepare(
  committee: Committee,
  set: ParameterSet,
  bytes: Uint8Array,
): DecryptionInput {
  const { limbs, floodBits } = decryptionPlan(set, committee);
  const ciphertext = parseCiphertext(set, bytes);
  if (ciphertext.limbs < limbs) {
    throw new ProtocolError(
      ProtocolErrorCode.CIPHERTEXT_LEVEL_TOO_LOW,
      'a ciphertext below the decryption level leaves no room for flooding noise',
      { metadata: { limbs: ciphertext.limbs, decryptionLimbs: limbs } },
    );
  }
  const from = basisOf(set, ciphertext.limbs);
  const to = basisOf(set, limbs);
  const c0 = switchModulus(from, to, ciphertext.c0);
  const c1 = switchModulus(from, to, ciphertext.c1);
  const canonical = serializeCiphertext(set, { limbs, c0, c1 });
  const digest = createHash('sha256').update(canonical).digest('hex');
  return { set, committee, limbs, floodBits, c0, c1, digest: `0x${digest}` };
}
