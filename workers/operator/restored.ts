import type { Hex } from 'viem';

import type { GatewayClient } from '../chain/client.ts';
import type { Store } from '../store/store.ts';
import type { Log } from './log.ts';
import { pause } from './waiting.ts';

const RETRY_MS = 1_000;

/**
 * On a restored state, at its first start: notes the head of the chain, up to which the operator may have
 * signed what the backup does not know.
 *
 * An endpoint that says too little makes this worth less, and nothing else: what is signed again follows
 * from the same ids and set keys. Rejects with the signal's reason.
 */
export async function closeRestoration(
  store: Store,
  { endpoints }: GatewayClient,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const { restoration, blocks } = store;
  while (restoration.isOpen) {
    const head = await headOf(endpoints).catch((error: unknown) => {
      log.warn({ err: error }, 'waiting for the head of the chain');
    });
    if (head === undefined) {
      await pause(RETRY_MS, signal);
      continue;
    }
    const scanned = blocks.scanned()?.height ?? 0n;
    restoration.close(head > scanned ? head : scanned);
  }
  const { createdAt, until } = restoration;
  if (createdAt !== undefined)
    log.warn(
      { createdAt, until },
      'restored from a backup: requests up to this block are left to the others; ' +
        'the machine that the backup was made on must never run again',
    );
}

/** As far as a second endpoint has it, if there is one: what is noted stays. */
async function headOf(endpoints: GatewayClient['endpoints']): Promise<bigint> {
  const endpoint = endpoints.pick();
  return endpoint.seconded(await endpoint.client.getBlockNumber({ cacheTime: 0 }));
}

/** True of a request for which this operator may have signed what its journals do not have. */
export function isBeforeRestore(
  { restoration, results }: Store,
  { id, height }: { readonly id: Hex; readonly height: bigint },
): boolean {
  const { until } = restoration;
  return until !== undefined && height <= until && results.hash(id) === undefined;
}
