import type { ChainState } from '../chain-view/chain-state.ts';
import type { OperatorContext } from '../context.ts';
import { pause } from '../waiting.ts';
import { FeeKeeper } from './keeper.ts';

/** How often an operator that settles rarely looks: often enough for any window of attestations. */
const LOOK_EVERY_MS = 10_000;

/**
 * Looks after fees until the signal aborts: for attestations often, which costs nothing where nothing is
 * to be done, and every `settleEveryMs` for what can be settled or has expired.
 */
export async function keepFees(
  context: OperatorContext,
  chain: ChainState,
  settleEveryMs: number,
  signal: AbortSignal,
): Promise<void> {
  const keeper = new FeeKeeper(context, chain, settleEveryMs);
  const lookEveryMs = Math.min(settleEveryMs, LOOK_EVERY_MS);
  let roundAt = performance.now();
  while (!signal.aborted) {
    try {
      await pause(lookEveryMs, signal);
      await keeper.attest(signal);
      if (performance.now() < roundAt) continue;
      roundAt = performance.now() + settleEveryMs;
      await keeper.settleAndExpire(signal);
    } catch (error) {
      if (!signal.aborted) context.log.warn({ err: error }, 'fees have to wait');
    }
  }
}
