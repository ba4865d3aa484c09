import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Hex } from 'viem';
import { deriveKey, defaultKdf, newKdfHeader, seal, unseal } from './encryption.ts';
import type { KdfHeader, KdfParameters } from './encryption.ts';
import { StoreError, StoreErrorCode } from './errors.ts';

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
}

/**
 * Writes a new identity file, readable by its owner alone.
 *
 * @throws StoreError IDENTITY_EXISTS if there is a file; an identity is never overwritten
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
  const content: IdentityFile = {
    format,
    kdf: { ...header, salt: Buffer.from(header.salt).toString('base64') },
    box: Buffer.from(box).toString('base64'),
  };
  await writeNewFile(path, `${JSON.stringify(content, null, 2)}\n`);
}

/**
 * Reads an identity file.
 *
 * @throws StoreError IDENTITY_UNREADABLE, WRONG_PASSPHRASE
 */
export async function loadIdentity(path: string, passphrase: string): Promise<Identity> {
  const { header, box } = await readIdentityFile(path);
  const message = unseal(await deriveKey(passphrase, header), format, box);
  if (message === undefined) {
    throw new StoreError(
      StoreErrorCode.WRONG_PASSPHRASE,
      'The passphrase does not open this identity.',
      { metadata: { path } },
    );
  }
  return {
    signerKey: `0x${Buffer.from(message.subarray(0, 32)).toString('hex')}`,
    peerKey: message.slice(32),
  };
}

async function readIdentityFile(path: string): Promise<{ header: KdfHeader; box: Uint8Array }> {
  try {
    const file = JSON.parse(await readFile(path, 'utf8')) as IdentityFile;
    if (file.format === format) {
      const { logN, r, p, salt } = file.kdf;
      const header = { logN, r, p, salt: Buffer.from(salt, 'base64') };
      return { header, box: Buffer.from(file.box, 'base64') };
    }
  } catch (error) {
    throw new StoreError(StoreErrorCode.IDENTITY_UNREADABLE, 'No identity can be read here.', {
      metadata: { path },
      cause: error,
    });
  }
  throw new StoreError(StoreErrorCode.IDENTITY_UNREADABLE, 'Unknown identity format.', {
    metadata: { path },
  });
}

/** Creates a file with its whole content at once; a link refuses a name that is taken. */
async function writeNewFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    throw new StoreError(StoreErrorCode.IDENTITY_EXISTS, 'An identity exists here already.', {
      metadata: { path },
      cause: error,
    });
  } finally {
    await rm(temporary, { force: true });
  }
}
