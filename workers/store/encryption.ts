import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { StoreError, StoreErrorCode } from './errors.ts';

/** Cost of turning a passphrase into a key. */
export interface KdfParameters {
  /** scrypt's N is 2^logN. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** scrypt with 128 MiB: about half a second. */
export const defaultKdf: KdfParameters = { logN: 17, r: 8, p: 1 };

/** For tests and throw-away networks only: a passphrase is guessed fast. */
export const insecureFastKdf: KdfParameters = { logN: 10, r: 8, p: 1 };

const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
export const keyBytes = 32;

/** Key-encryption header, stored in clear: parameters and salt. */
export interface KdfHeader extends KdfParameters {
  readonly salt: Uint8Array;
}

/** Draws a fresh salt for the given cost. */
export function newKdfHeader(parameters: KdfParameters): KdfHeader {
  return { ...parameters, salt: randomBytes(saltBytes) };
}

/**
 * Derives the key that wraps stored keys from a passphrase, by scrypt.
 *
 * @param passphrase secret; NFKC-normalised, so that one typed on another keyboard is the same
 * @param header public; bounded before use, because an altered file must not exhaust memory
 * @returns 32 secret bytes
 * @throws StoreError KEY_HEADER_INVALID if the header is out of bounds
 */
export async function deriveKey(passphrase: string, header: KdfHeader): Promise<Uint8Array> {
  const { logN, r, p, salt } = header;
  const bounded = (x: number, low: number, high: number) =>
    Number.isInteger(x) && x >= low && x <= high;
  if (
    !bounded(logN, 10, 20) ||
    !bounded(r, 1, 16) ||
    !bounded(p, 1, 16) ||
    salt.length !== saltBytes
  ) {
    throw new StoreError(StoreErrorCode.KEY_HEADER_INVALID, 'Key derivation header out of bounds.');
  }
  const N = 2 ** logN;
  return new Promise((resolve, reject) => {
    scrypt(
      passphrase.normalize('NFKC'),
      salt,
      keyBytes,
      { N, r, p, maxmem: 128 * r * (N + p + 2) },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}

/**
 * Encrypts with AES-256-GCM under a random nonce: `nonce ‖ ciphertext ‖ tag`.
 *
 * One key seals far fewer than 2^32 messages in the life of a store, so random nonces are safe.
 *
 * @param label authenticated with the message: a box moved to another name does not open
 */
export function seal(key: Uint8Array, label: string, message: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(label));
  return Buffer.concat([nonce, cipher.update(message), cipher.final(), cipher.getAuthTag()]);
}

/** Opens a box of `seal`; undefined if key, label or bytes are not the ones it was sealed with. */
export function unseal(key: Uint8Array, label: string, box: Uint8Array): Uint8Array | undefined {
  if (box.length < nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(label))
    .setAuthTag(box.subarray(box.length - tagBytes));
  const start = decipher.update(box.subarray(nonceBytes, box.length - tagBytes));
  try {
    return Uint8Array.from(Buffer.concat([start, decipher.final()]));
  } catch {
    return undefined;
  }
}
