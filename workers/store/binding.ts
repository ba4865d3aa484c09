import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Address } from 'viem';
import { coded, type Database } from './database.ts';
import { StoreError, StoreErrorCode } from './errors.ts';

/** What a data directory belongs to. */
export interface Binding {
  readonly chainId: bigint;
  readonly gateway: Address;
  readonly signer: Address;
}

/**
 * Binds a state file to a deployment and a signer: the first call records them.
 *
 * @throws StoreError IDENTITY_MISMATCH on a later call with anything else; state of one deployment
 *   folded into another, or a journal of another account, would make the operator misbehave
 */
export function bindDatabase(database: Database, binding: Binding): void {
  const wanted = written(binding);
  const stored = database.readMeta('binding');
  if (stored === undefined) {
    database.writeMeta('binding', Buffer.from(wanted));
  } else if (Buffer.from(stored).toString() !== wanted) {
    throw new StoreError(
      StoreErrorCode.IDENTITY_MISMATCH,
      'The data directory belongs to another chain, gateway or signer.',
      { metadata: { stored: Buffer.from(stored).toString(), given: wanted } },
    );
  }
}

/** The chain that a state file belongs to; undefined if none can be read: {@link bindDatabase} judges that. */
export function boundChainId(database: Database): bigint | undefined {
  const stored = database.readMeta('binding');
  const chainId = stored && /^\["(\d+)"/.exec(Buffer.from(stored).toString())?.[1];
  return chainId === undefined ? undefined : BigInt(chainId);
}

/** How a data directory stands to a deployment and a signer. */
export type BindingState = 'unbound' | 'same' | 'other';

/**
 * Compares what a data directory belongs to, without taking its lock or changing anything: an operator may
 * run on it.
 *
 * @throws StoreError STATE_UNREADABLE
 */
export function compareBinding(directory: string, binding: Binding): BindingState {
  const path = join(directory, 'state.db');
  // An empty file without blobs is one of a first start that was cut short.
  if (!existsSync(path) || (statSync(path).size === 0 && !existsSync(join(directory, 'blobs'))))
    return 'unbound';
  try {
    const sqlite = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    try {
      const row = sqlite.prepare("SELECT value FROM meta WHERE name = 'binding'").get();
      const stored = row?.['value'];
      if (!(stored instanceof Uint8Array)) return 'unbound';
      return Buffer.from(stored).toString() === written(binding) ? 'same' : 'other';
    } finally {
      sqlite.close();
    }
  } catch (error) {
    throw coded(error, path);
  }
}

const written = ({ chainId, gateway, signer }: Binding): string =>
  JSON.stringify([chainId.toString(), gateway.toLowerCase(), signer.toLowerCase()]);
