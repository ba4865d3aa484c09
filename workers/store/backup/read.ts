import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { privateKeyToAddress } from 'viem/accounts';
import { isAddressEqual } from 'viem';
import { contentOf } from '../files.ts';
import { openIdentity, parseIdentity } from '../keystore.ts';
import { decryptWith } from './age.ts';
import { readArchive } from './archive.ts';
import { corrupt } from './errors.ts';
import {
  identityName,
  longestManifest,
  manifestName,
  parseManifest,
  type Manifest,
} from './manifest.ts';

/** Takes the content of a file of a backup as it is read. */
export type Sink = (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>;

/** Longer than any identity file. */
const LONGEST_IDENTITY = 1 << 16;

/**
 * Reads a backup from its first byte to its last, and checks all of it: that age authenticates it, that
 * it has the files that its manifest lists, with their digests, and that the identity is one. That the
 * state file was a sound database is what was checked when its digest was taken.
 *
 * @param passphrase opens the identity, which must be the manifest's; undefined to leave that out
 * @param sink takes the files, before they have been checked
 * @throws BackupError IDENTITY_INVALID, NOT_FOR_IDENTITY, CORRUPT, TOO_NEW; StoreError
 *   READABLE_BY_OTHERS, WRONG_PASSPHRASE, IDENTITY_UNREADABLE, IDENTITY_CORRUPT
 */
export async function readBackup(
  file: string,
  identityFile: string,
  passphrase: string | undefined,
  sink: Sink = drain,
): Promise<Manifest> {
  await access(file).catch((cause: unknown) => {
    throw corrupt(`${file} cannot be read`, cause);
  });
  const entries = readArchive(decryptWith(identityFile, contentOf(file)));
  const first = await entries.next();
  if (first.done === true || first.value.name !== manifestName) throw corrupt('it has no manifest');
  const manifest = parseManifest(await gather(first.value.content, longestManifest));
  for (const { name, bytes, sha256 } of manifest.files) {
    const next = await entries.next();
    if (next.done === true || next.value.name !== name || next.value.bytes !== bytes)
      throw corrupt(`${name} is not in its place, or has another length`);
    const hashed = createHash('sha256');
    const kept: Uint8Array[] = [];
    await sink(
      name,
      observed(next.value.content, (chunk) => {
        hashed.update(chunk);
        if (name === identityName && bytes <= LONGEST_IDENTITY) kept.push(chunk);
      }),
    );
    if (hashed.digest('hex') !== sha256) throw corrupt(`${name} has another digest`);
    if (name === identityName)
      await checkIdentity(Buffer.concat(kept).toString(), passphrase, manifest);
  }
  if ((await entries.next()).done !== true) throw corrupt('it holds more than its manifest says');
  return manifest;
}

async function checkIdentity(
  content: string,
  passphrase: string | undefined,
  { signer }: Manifest,
): Promise<void> {
  parseIdentity(content, identityName);
  if (passphrase === undefined) return;
  const { signerKey } = await openIdentity(content, passphrase, identityName);
  if (!isAddressEqual(privateKeyToAddress(signerKey), signer))
    throw corrupt('its identity is of another signer than its state');
}

const drain: Sink = async (_, content) => {
  for await (const chunk of content) void chunk;
};

async function gather(content: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    if (length > most) throw corrupt('its manifest is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* observed(
  content: AsyncIterable<Uint8Array>,
  look: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    look(chunk);
    yield chunk;
  }
}
