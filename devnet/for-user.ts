import type { Hex } from 'viem';

import { createUserKeys, type UserKeys } from '../sdk/index.ts';
import { signPermit } from '../tasks/support/permits.ts';
import {
  requestUserDecryption,
  waitForUserDecryption,
  type UserDecryption,
} from '../tasks/support/user-decryptions.ts';
import { user } from './accounts.ts';
import { DECRYPTION_TIMEOUT_MS, type Outcome, type RoundTrip } from './round-trip.ts';

export interface ForUserOptions {
  /** The user's own SEAL keys; new ones if absent. */
  keys?: UserKeys;
  /** One answer with coefficient 0 of each ciphertext, which is the default, or one for each. */
  packed?: boolean;
  onProgress?: (text: string) => void;
}

/** Has ciphertexts decrypted for the user alone: a permit, a request, answers under the user's key. */
export async function decryptForUser(
  { devnet, set }: RoundTrip,
  handles: readonly Hex[],
  options: ForUserOptions = {},
): Promise<UserDecryption> {
  const { onProgress, keys = createUserKeys(set), packed = true } = options;
  const gateway = await devnet.as(user);
  const signed = await signPermit(gateway, {
    handles,
    publicKeyDigest: keys.digest,
    validSeconds: 3_600,
  });
  const requestId = await requestUserDecryption(gateway, {
    ...signed,
    ...{ keys, handles, packed },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return waitForUserDecryption(gateway, requestId, keys, {
    timeoutMs: DECRYPTION_TIMEOUT_MS,
    pollMs: 50,
    onProgress: ({ text }) => onProgress?.(text),
  });
}

/** Encrypts numbers one by one and has them decrypted for the user in one answer. */
export async function runForUser(
  roundTrip: RoundTrip,
  numbers: readonly bigint[],
  options: ForUserOptions = {},
): Promise<Outcome> {
  const handles: Hex[] = [];
  for (const scalar of numbers) handles.push((await roundTrip.register({ scalar })).handle);
  const started = performance.now();
  const { requestId, plaintexts, signers } = await decryptForUser(roundTrip, handles, options);
  return {
    requestId,
    expected: numbers,
    decrypted: plaintexts.map(({ coefficients }) => coefficients[0]),
    signers,
    decryptMs: Math.round(performance.now() - started),
  };
}
