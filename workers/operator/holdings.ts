import { setImmediate as nextTurn } from 'node:timers/promises';
import { keccak256, type Hex } from 'viem';

import type { GatewayState } from '../chain/state.ts';
import { isKeyloomError } from '../errors.ts';
import { parameterSets } from '../ring/parameters.ts';
import { openingId, parameterSetId, type OpeningPreimage } from '../sharing/ids.ts';
import type { ChainState } from './chain-view/chain-state.ts';
import type { KeyShares } from './committee/key-shares.ts';
import type { Seats } from './committee/seats.ts';
import type { OperatorContext } from './context.ts';
import { DamageCode } from './damages.ts';

/** Rows of a journal that are looked at before others get their turn. */
const ROWS_AT_ONCE = 32;

/**
 * Checks, once and beside everything else, what an operator holds when it starts: shares of keys against
 * the set keys (which `Seats` has checked against the chain), and the journals of what it has signed
 * against ids and recorded results. What a job needs before its turn is checked before its use.
 *
 * Blocks are checked as they are replayed; blobs and transcripts, each time they are read.
 */
export async function checkHoldings(
  context: OperatorContext,
  chain: ChainState,
  seats: Seats,
  keyShares: KeyShares,
  signal: AbortSignal,
): Promise<void> {
  await checkResults(context, chain.now, signal);
  await checkOpenings(context, chain.now, signal);
  for (const { keyId, epochId, parameterSetId: wanted } of chain.now.keys.values()) {
    await nextTurn(undefined, { signal });
    const [seat, set] = [
      seats.get(epochId),
      parameterSets.find((s) => parameterSetId(s) === wanted),
    ];
    if (seat === undefined || set === undefined || !keyShares.isKept(keyId)) continue;
    try {
      keyShares.get(seat, keyId, set);
    } catch (error) {
      if (!isKeyloomError(error, DamageCode.KEY_SHARE_DAMAGED)) throw error;
      context.damages.report(DamageCode.KEY_SHARE_DAMAGED, `key/${keyId}`, error);
    }
  }
}

/** What was signed for a request is what was recorded, or one of the two is wrong. */
async function checkResults(
  { store, damages }: OperatorContext,
  state: GatewayState,
  signal: AbortSignal,
): Promise<void> {
  let after: Hex | undefined;
  for (;;) {
    const rows = store.results.page(ROWS_AT_ONCE, after);
    if (rows.length === 0) return;
    for (const { requestId, hash } of rows) {
      const recorded = recordedResult(state, requestId);
      if (recorded !== undefined && keccak256(recorded) !== hash)
        damages.report(DamageCode.RESULT_DIFFERS, `results/${requestId}`);
    }
    after = rows.at(-1).requestId;
    await nextTurn(undefined, { signal });
  }
}

function recordedResult(state: GatewayState, id: Hex): Hex | undefined {
  return (
    state.requests.get(id)?.result ??
    state.userDecryptions.get(id)?.result ??
    state.ceremonies.get(id)?.result ??
    state.keys.get(id)?.digest
  );
}

/** Undefined for a preimage of other fields. */
function idOf(setupDigest: Hex, preimage: OpeningPreimage): Hex | undefined {
  try {
    return openingId(setupDigest, preimage);
  } catch {
    return undefined;
  }
}

/** An opening's id is the hash of what is kept with it. Of epochs that the chain does not name, nothing is known. */
async function checkOpenings(
  { store, damages }: OperatorContext,
  state: GatewayState,
  signal: AbortSignal,
): Promise<void> {
  let after: Hex | undefined;
  for (;;) {
    const rows = store.openings.page(ROWS_AT_ONCE, after);
    if (rows.length === 0) return;
    for (const { openingId: id, epochId, preimage } of rows) {
      const setupDigest = state.epochs.get(epochId)?.setupDigest;
      if (setupDigest === undefined) continue;
      if (preimage === undefined || idOf(setupDigest, preimage) !== id)
        damages.report(DamageCode.JOURNAL_DAMAGED, `openings/${id}`);
    }
    after = rows.at(-1).openingId;
    await nextTurn(undefined, { signal });
  }
}
