import type { Address } from 'viem';
import type { Database } from './database.ts';
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
  const wanted = JSON.stringify([
    binding.chainId.toString(),
    binding.gateway.toLowerCase(),
    binding.signer.toLowerCase(),
  ]);
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
