import type { Hex } from 'viem';

import { isKeyloomError } from '../workers/errors.ts';
import { createKeyPair, decrypt, encrypt, type KeyPair } from '../workers/fhe/client.ts';
import { parsePlaintext } from '../workers/fhe/plaintext.ts';
import type { ParameterSet } from '../workers/ring/parameters.ts';
import { blobDigest } from './blobs.ts';
import { SdkError, SdkErrorCode } from './errors.ts';

/** A user's own SEAL key pair: whoever has the secret half reads what is decrypted for the user. */
export interface UserKeys extends KeyPair {
  /** SHA-256 of the public half: what a permit names. */
  readonly digest: Hex;
}

/**
 * Makes a user's key pair with stock SEAL. One pair serves many requests; a ciphertext that is asked
 * for again with the same pair costs nothing on the key's meter, with another pair it costs again.
 *
 * @param set that of the threshold keys whose ciphertexts the user wants to read
 * @returns SEAL's uncompressed objects; the secret one is for the user's eyes only
 */
export function createUserKeys(set: ParameterSet): UserKeys {
  const pair = createKeyPair(set);
  return { ...pair, digest: blobDigest(pair.publicKey) };
}

/**
 * Checks that two files are a pair: what the public half encrypts, the secret half decrypts.
 *
 * @throws SdkError USER_KEY_INVALID
 */
export function checkUserKeys(set: ParameterSet, { publicKey, secretKey }: KeyPair): void {
  const invalid = (message: string, cause?: unknown): SdkError =>
    new SdkError(SdkErrorCode.USER_KEY_INVALID, message, {
      advice: 'Use both halves of one pair, made for the parameter set of the threshold key.',
      metadata: { set: set.name },
      cause,
    });
  const sample = BigInt(crypto.getRandomValues(new Uint32Array(1))[0]) % set.plainModulus;
  let found: bigint;
  try {
    const ciphertext = encrypt(set, publicKey, { scalar: sample });
    [found] = parsePlaintext(set, decrypt(set, secretKey, ciphertext));
  } catch (cause) {
    if (!isKeyloomError(cause)) throw cause;
    throw invalid(`not SEAL keys for ${set.name}`, cause);
  }
  if (found !== sample) throw invalid('the public and the secret key are not of one pair');
}
