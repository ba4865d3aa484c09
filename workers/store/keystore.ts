import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';
import { deriveKey, defaultKdf, newKdfHeader, seal, unseal } from './encryption.ts';
import type { KdfHeader, KdfParameters } from './encryption.ts';
import { StoreError, StoreErrorCode } from './errors.ts';
import { isMissing, isTaken, writeNewFile } from './files.ts';
import { assertPrivate } from './private-files.ts';

/** An operator's two long-term keys. Secret, both of them. */
export interface Identity {
  /** secp256k1 key that signs shares, results and transactions. */
  readonly signerKey: Hex;
  /** Key of the libp2p peer id, protobuf-encoded. */
  readonly peerKey: Uint8Array;
}

const format = 'keyloom-identity/1';

interface IdentityFile {
  format: string;
  kdf: { logN: number; r: number; p: number; salt: string };
  box: string;
  /** SHA-256 of all that is above: a damaged file is told from a wrong passphrase. */
  checksum: string;
}

const checksumOf = ({ format, kdf, box }: Omit<IdentityFile, 'checksum'>): string =>
  hash('sha256', JSON.stringify([format, kdf.logN, kdf.r, kdf.p, kdf.salt, box]), 'hex');

/**
 * Writes a new identity file, readable by its owner alone.
 *
 * @throws StoreError IDENTITY_EXISTS if there is a file; an identity is never overwritten. DISK_FULL,
 *   DISK_FAILED
 */
export async function createIdentity(
  path: string,
  passphrase: string,
  identity: Identity,
  options: { kdf?: KdfParameters } = {},
): Promise<void> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(identity.signerKey)) {
    throw new StoreError(StoreErrorCode.INVALID_ARGUMENT, 'signerKey must be 32 bytes in hex.');
  }
  const header = newKdfHeader(options.kdf ?? defaultKdf);
  const message = Buffer.concat([
    Buffer.from(identity.signerKey.slice(2), 'hex'),
    identity.peerKey,
  ]);
  const box = seal(await deriveKey(passphrase, header), format, message);
  const content = {
    format,
    kdf: { ...header, salt: Buffer.from(header.salt).toString('base64') },
    box: Buffer.from(box).toString('base64'),
  };
  const file: IdentityFile = { ...content, checksum: checksumOf(content) };
  try {
    await writeNewFile(path, `${JSON.stringify(file, null, 2)}\n`, 0o600);
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new StoreError(StoreErrorCode.IDENTITY_EXISTS, 'An identity exists here already.', {
      metadata: { path },
      cause: error,
    });
  }
}

/**
 * Reads an identity file.
 *
 * @throws StoreError READABLE_BY_OTHERS, IDENTITY_UNREADABLE, IDENTITY_CORRUPT, WRONG_PASSPHRASE
 */
export async function loadIdentity(path: string, passphrase: string): Promise<Identity> {
  assertPrivate(path, 'identity');
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    const why = isMissing(cause) ? 'there is no such file' : 'it cannot be read';
    throw unreadable(`${why}; make an identity with init, or restore a backup`, path, cause);
  }
  return openIdentity(content, passphrase, path);
}

/**
 * Opens the content of an identity file.
 *
 * @param path where it comes from, for errors
 * @throws StoreError IDENTITY_UNREADABLE, IDENTITY_CORRUPT, WRONG_PASSPHRASE
 */
export async function openIdentity(
  content: string,
  passphrase: string,
  path: string,
): Promise<Identity> {
  const { header, box } = parseIdentity(content, path);
  const message = unseal(await deriveKey(passphrase, header), format, box);
  if (message === undefined) {
    throw new StoreError(
      StoreErrorCode.WRONG_PASSPHRASE,
      'The passphrase does not open this identity: give the one that it was made with.',
      { metadata: { path } },
    );
  }
  return {
    signerKey: `0x${Buffer.from(message.subarray(0, 32)).toString('hex')}`,
    peerKey: message.slice(32),
  };
}

/**
 * The public part of an identity file, which is checked.
 *
 * @throws StoreError IDENTITY_UNREADABLE, IDENTITY_CORRUPT
 */
export function parseIdentity(
  content: string,
  path: string,
): { header: KdfHeader; box: Uint8Array } {
  let file: IdentityFile;
  let checksum: string;
  try {
    file = JSON.parse(content) as IdentityFile;
    checksum = checksumOf(file);
  } catch (cause) {
    throw unreadable('it is no identity file', path, cause);
  }
  if (file.format !== format) throw unreadable('its format is not known', path);
  if (file.checksum !== checksum) {
    throw new StoreError(
      StoreErrorCode.IDENTITY_CORRUPT,
      'The identity file is damaged: restore it from a backup.',
      { metadata: { path } },
    );
  }
  const { logN, r, p, salt } = file.kdf;
  const header = { logN, r, p, salt: Buffer.from(salt, 'base64') };
  return { header, box: Buffer.from(file.box, 'base64') };
}

const unreadable = (why: string, path: string, cause?: unknown): StoreError =>
  new StoreError(StoreErrorCode.IDENTITY_UNREADABLE, `No identity at ${path}: ${why}.`, {
    metadata: { path },
    cause,
  });
