import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from 'viem';

import { fetchBlob } from '../../../sdk/index.ts';
import { ClientError, ClientErrorCode } from '../errors.ts';
import type { Member } from '../operators.ts';

/** Finds a public blob by its SHA-256. @throws SdkError BLOB_UNAVAILABLE */
export type Inputs = (digest: Hex, maxBytes: number) => Promise<Uint8Array>;

/**
 * Blobs from the files of a folder, if there is one, and else from the operators. What is found has
 * the digest, so it does not matter where.
 *
 * @param folder files may have any names
 * @throws ClientError INVALID_ARGUMENT if the folder cannot be read
 */
export async function inputsFrom(
  members: readonly Member[],
  folder: string | undefined,
): Promise<Inputs> {
  const files = folder === undefined ? new Map<Hex, string>() : await filesByDigest(folder);
  const endpoints = members.map(({ endpoint }) => endpoint);
  const failed = new Set<string>();
  return async (digest, maxBytes) => {
    const path = files.get(digest);
    const bytes = path === undefined ? undefined : await readFile(path);
    // The file may have changed since it was looked at.
    if (bytes !== undefined && sha256(bytes) === digest) return Uint8Array.from(bytes);
    return fetchBlob(endpoints, digest, { maxBytes, failed });
  };
}

/** No input of an operation is longer. */
const longestFile = 64 << 20;

async function filesByDigest(folder: string): Promise<Map<Hex, string>> {
  try {
    const files = new Map<Hex, string>();
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (!entry.isFile() || (await stat(path)).size > longestFile) continue;
      files.set(sha256(await readFile(path)), path);
    }
    return files;
  } catch (cause) {
    throw new ClientError(ClientErrorCode.INVALID_ARGUMENT, `the folder ${folder} cannot be read`, {
      cause,
    });
  }
}

function sha256(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}
