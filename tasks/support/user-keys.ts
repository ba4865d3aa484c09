import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import {
  blobDigest,
  checkUserKeys,
  SdkError,
  SdkErrorCode,
  type UserKeys,
} from '../../sdk/index.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { parseRecipient } from '../../workers/protocols/recipient.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';

const PUBLIC_NAME = 'public.key';
const SECRET_NAME = 'secret.key';

/** Where the halves of a user's key pair are. */
export interface UserKeyFiles {
  readonly publicFile: string;
  readonly secretFile: string;
}

/**
 * Writes a key pair into a folder; the secret half readable by its owner only. Never overwrites: with
 * the old secret half all answers to it would be lost.
 */
export async function writeUserKeys(folder: string, keys: UserKeys): Promise<UserKeyFiles> {
  const files = { publicFile: join(folder, PUBLIC_NAME), secretFile: join(folder, SECRET_NAME) };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(files.secretFile, keys.secretKey, { mode: 0o600, flag: 'wx' });
  await writeFile(files.publicFile, keys.publicKey, { flag: 'wx' });
  return files;
}

/**
 * Reads a key pair and checks it as operators check the public half.
 * @param publicFile `public.key` beside the secret one if absent
 * @throws SdkError `USER_KEY_INVALID`
 */
export async function readUserKeys(
  set: ParameterSet,
  secretFile: string,
  publicFile = join(dirname(secretFile), PUBLIC_NAME),
): Promise<UserKeys> {
  const [publicKey, secretKey] = await Promise.all([readKey(publicFile), readKey(secretFile)]);
  requireCanonical(set, publicKey);
  checkUserKeys(set, { publicKey, secretKey });
  return { publicKey, secretKey, digest: blobDigest(publicKey) };
}

/**
 * Reads the public half alone, as whoever sends a request for somebody else has it.
 * @throws SdkError `USER_KEY_INVALID`
 */
export async function readPublicUserKey(
  set: ParameterSet,
  publicFile: string,
): Promise<Pick<UserKeys, 'publicKey' | 'digest'>> {
  const publicKey = await readKey(publicFile);
  requireCanonical(set, publicKey);
  return { publicKey, digest: blobDigest(publicKey) };
}

/** The bytes of a key file. */
export const readKey = async (file: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(file));

/** Operators refuse any other form, after the request has been paid for. */
function requireCanonical(set: ParameterSet, publicKey: Uint8Array): void {
  try {
    parseRecipient(set, publicKey);
  } catch (cause) {
    if (!isKeyloomError(cause)) throw cause;
    throw new SdkError(
      SdkErrorCode.USER_KEY_INVALID,
      `not a public key of ${set.name} as operators take it: ${cause.code}`,
      {
        advice: '`kms user-keys` makes one; SEAL’s own has to be saved without compression.',
        metadata: { set: set.name, reason: cause.code },
        cause,
      },
    );
  }
}
