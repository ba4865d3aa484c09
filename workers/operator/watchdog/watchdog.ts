import type { Address } from 'viem';

import type { EpochEntry } from '../../chain/state.ts';
import type { EvidenceStanding } from '../../store/evidence.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import { indexIn } from '../committee/membership.ts';
import type { OperatorContext } from '../context.ts';
import { pause } from '../waiting.ts';
import { isResultRight, recordedResult } from './recorded.ts';
import { Settled, submitEvidence } from './submit.ts';

/** How long after a look at all evidence against an operator the next one comes, at least. */
export const WATCH_PAUSE_MS = 15_000;
/** Pieces that are looked at at once: more than t liars have in a few epochs. */
const MAX_PIECES = 1_024;

/** Evidence that can be submitted, and where the accused and this operator sit. */
interface Piece {
  readonly standing: EvidenceStanding;
  readonly epoch: EpochEntry;
  /** Own index in it. */
  readonly own: number;
}

/**
 * Turns evidence into transactions, until the signal aborts.
 *
 * Against one operator it goes piece by piece, the oldest first: usually the first one takes all there
 * is. Different operators do not wait for each other. What is not settled is looked at again.
 *
 * @param pauseMs between two looks at the evidence against an operator
 */
export async function watch(
  context: OperatorContext,
  chain: ChainState,
  signal: AbortSignal,
  pauseMs = WATCH_PAUSE_MS,
): Promise<void> {
  const pursued = new Map<Address, Promise<void>>();
  const pursue = async (pieces: readonly Piece[]): Promise<void> => {
    for (const piece of pieces) await attempt(context, chain, piece, signal);
    await pause(pauseMs, signal);
  };
  try {
    for (;;) {
      for (const [operator, pieces] of piecesByAccused(context, chain)) {
        if (pursued.has(operator)) continue;
        const pursuit = pursue(pieces)
          .catch(() => undefined)
          .finally(() => {
            pursued.delete(operator);
            context.evidenceKept.wake();
          });
        pursued.set(operator, pursuit);
      }
      // What is recorded makes evidence of results, and what is confirmed settles it.
      const over = new AbortController();
      const both = AbortSignal.any([signal, over.signal]);
      await Promise.race([context.evidenceKept.wait(both), chain.change(both)]);
      over.abort();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(pursued.values());
  }
}

/** Fails for no piece: the next look is another attempt. */
async function attempt(
  context: OperatorContext,
  chain: ChainState,
  { standing, epoch, own }: Piece,
  signal: AbortSignal,
): Promise<void> {
  const { store, log } = context;
  const { offenceId } = standing;
  try {
    const kept = store.evidence.get(offenceId);
    if (kept === undefined) return;
    if (kept.evidence.kind === 'wrong-result' && isResultRight(chain.now, kept.evidence) === true)
      return store.evidence.advance(offenceId, 'settled', Settled.RESULT_RIGHT);
    await submitEvidence(context, epoch, own, kept, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ offenceId, err: error }, 'evidence could not be submitted yet');
  }
}

/** What there is to do, by the accused operator, the oldest first. */
function piecesByAccused(
  { store, account }: OperatorContext,
  { now }: ChainState,
): Map<Address, Piece[]> {
  const pieces = new Map<Address, Piece[]>();
  for (const standing of store.evidence.list(MAX_PIECES, ['open', 'submitted']).reverse()) {
    const epoch = now.epochs.get(standing.epochId);
    const own = epoch && indexIn(epoch, account.address);
    if (epoch === undefined || own === undefined || own === standing.index) continue;
    if (standing.kind === 'wrong-result' && recordedResult(now, standing.subject) === undefined)
      continue;
    const accused = epoch.operators[standing.index - 1];
    pieces.set(accused, [...(pieces.get(accused) ?? []), { standing, epoch, own }]);
  }
  return pieces;
}
