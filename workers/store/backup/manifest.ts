import type { Address } from 'viem';
import { schemaVersion } from '../database.ts';
import { BackupError, BackupErrorCode, corrupt } from './errors.ts';

/** Names of what is in a backup, in its order; a restored folder has the same. */
export const manifestName = 'manifest.json';
export const identityName = 'identity.json';
export const stateName = 'data/state.db';

const format = 'keyloom-backup';
const version = 1;
/** More than any manifest has. */
export const longestManifest = 1 << 20;

/** What a backup holds, and of whom. */
export interface Manifest {
  readonly createdAt: string;
  readonly chainId: string;
  readonly gateway: Address;
  readonly signer: Address;
  /** Of the state file. */
  readonly schema: number;
  /** Block up to which the operator had read the chain; absent where it had read nothing. */
  readonly height?: string;
  /** Epochs whose set keys it has: an epoch that the operator confirmed later is not in it. */
  readonly epochs: readonly string[];
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format, version, ...manifest }, null, 2)}\n`);
}

/** @throws BackupError CORRUPT, TOO_NEW */
export function parseManifest(bytes: Uint8Array): Manifest {
  let found: Manifest & { format: unknown; version: unknown };
  try {
    found = JSON.parse(Buffer.from(bytes).toString()) as typeof found;
  } catch (cause) {
    throw corrupt('its manifest is not JSON', cause);
  }
  if (found?.format !== format) throw corrupt('it has no manifest');
  if (found.version !== version || found.schema > schemaVersion) {
    throw new BackupError(
      BackupErrorCode.TOO_NEW,
      'The backup was made by a newer version of Keyloom: use that one, or a newer.',
      {
        metadata: {
          version: String(found.version),
          schema: found.schema,
          supported: schemaVersion,
        },
      },
    );
  }
  const { createdAt, chainId, gateway, signer, schema, height, epochs, files } = found;
  const names =
    Array.isArray(files) && (files as Manifest['files']).map((file) => file.name).join(' ');
  if (names !== `${identityName} ${stateName}`) throw corrupt('its manifest lists other files');
  return { createdAt, chainId, gateway, signer, schema, ...(height && { height }), epochs, files };
}
