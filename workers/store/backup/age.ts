import { readFileSync } from 'node:fs';
import { ReadableStream as Stream } from 'node:stream/web';
import { Decrypter, Encrypter } from 'age-encryption';
import { isKeyloomError } from '../../errors.ts';
import { assertPrivate } from '../private-files.ts';
import { BackupError, BackupErrorCode, corrupt } from './errors.ts';

// The age format (https://age-encryption.org/v1), so that any age tool opens a backup.

/**
 * Encrypts a stream to all of these recipients: each of them alone can open it.
 *
 * @throws BackupError RECIPIENT_INVALID; what was given is not repeated, it may be a secret key
 */
export async function encryptTo(
  recipients: readonly string[],
  content: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const encrypter = new Encrypter();
  recipients.forEach((recipient, at) => {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new BackupError(
        BackupErrorCode.RECIPIENT_INVALID,
        `Recipient ${at + 1} is no public key of age (age1…); age-keygen -y prints it.`,
      );
    }
  });
  return encrypter.encrypt(streamOf(content));
}

/**
 * Decrypts a stream. What is read of it before its end is authentic, but may be cut off.
 *
 * @param identityFile secret keys of age, as age-keygen writes them
 * @throws BackupError IDENTITY_INVALID, NOT_FOR_IDENTITY, CORRUPT; StoreError READABLE_BY_OTHERS
 */
export async function* decryptWith(
  identityFile: string,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decrypter = new Decrypter();
  for (const identity of identitiesIn(identityFile)) {
    try {
      decrypter.addIdentity(identity);
    } catch {
      throw invalidIdentity(identityFile);
    }
  }
  try {
    yield* await decrypter.decrypt(streamOf(content));
  } catch (cause) {
    if (isKeyloomError(cause)) throw cause;
    if (cause instanceof Error && cause.message.startsWith('no identity matched'))
      throw new BackupError(
        BackupErrorCode.NOT_FOR_IDENTITY,
        'The backup was not made for this age identity.',
      );
    throw corrupt('it cannot be decrypted', cause);
  }
}

/** Node's streams are those of browsers; only their types are not the same. */
const streamOf = (content: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> =>
  Stream.from(content) as unknown as ReadableStream<Uint8Array>;

function identitiesIn(file: string): string[] {
  assertPrivate(file, 'identity');
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalidIdentity(file, cause);
  }
  const lines = content.split('\n').map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) throw invalidIdentity(file);
  return identities;
}

const invalidIdentity = (file: string, cause?: unknown): BackupError =>
  new BackupError(
    BackupErrorCode.IDENTITY_INVALID,
    `${file} has no age identity (AGE-SECRET-KEY-1…): give the file that age-keygen wrote.`,
    { cause },
  );
