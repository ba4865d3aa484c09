import type { Hex } from 'viem';

import { requestedAs } from '../../chain/state.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { lacks, ownRequests, standingOf, type OwnRequest } from '../fees/requests.ts';
import type { RequestProgress } from '../progress.ts';
import { pause } from '../waiting.ts';
import type { DutySources } from './sources.ts';

/** Timers hold at most 2^31 - 1 ms; the contracts' windows are far shorter. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Timed {
  readonly id: Hex;
  readonly kind: RequestProgress['kind'];
  /** Timestamp in seconds until which it can be answered. */
  readonly deadline: bigint;
}

/**
 * Ids of what others have answered and this operator still works on, in the chain's order.
 *
 * What is paid for follows from the chain and the store, so it is the same after a restart, and for a
 * request that came with its answer. Evaluation keys whose opening was begun go on beyond that: an
 * operator's shares belong in the transcripts, and only an opener has those of the others.
 */
export function lateRequests(sources: DutySources): Set<Hex> {
  const { context, chain } = sources;
  const late = new Set<Hex>();
  for (const request of ownRequests(context, chain))
    if (isPaidStill(sources, request)) late.add(request.requestId);
  for (const id of context.progress.unsettled()) {
    const { kind, state } = context.progress.get(id)!;
    const isRecorded = chain.now.evaluationKeys.get(id)?.state === 'recorded';
    if (kind === 'evaluation-keys' && state === 'opening' && isRecorded) late.add(id);
  }
  return late;
}

/** True of an answer without this operator's signature, whose result this operator has not signed yet. */
function isPaidStill({ context, chain }: DutySources, request: OwnRequest): boolean {
  const { requestId: id, answer } = request;
  if (!lacks(answer?.signers, request) || context.store.results.hash(id) !== undefined)
    return false;
  // What has been looked at and cannot be attested to any more.
  if (context.progress.get(id)?.state === 'recorded') return false;
  return requestedAs(chain.now, id)?.state !== 'retired';
}

/**
 * Does the work on a request for as long as it can count: until the request's deadline, and once it was
 * answered, while it can be attested to.
 *
 * @returns false if that ended first
 * @throws what the work does, and errors of the endpoint
 */
export async function whileItCounts(
  sources: DutySources,
  request: Timed,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  if ((await leftMs(sources, request)) <= 0) return false;
  const end = new AbortController();
  const signal = AbortSignal.any([stop, end.signal]);
  let isOver = false;
  const ended = (async () => {
    for (;;) {
      const left = await leftMs(sources, request);
      if (left <= 0) break;
      await pause(Math.min(left, LONGEST_TIMER_MS), signal);
    }
    isOver = true;
    end.abort(new OperatorError(OperatorErrorCode.STOPPED, 'the time for this request is over'));
  })();
  ended.catch((error: unknown) => end.abort(error));
  try {
    await work(signal);
    return true;
  } catch (error) {
    if (isOver && !stop.aborted) return false;
    throw error;
  } finally {
    end.abort();
  }
}

/** Negative once it is over. Evaluation keys have the whole time, answered or not: see `lateRequests`. */
async function leftMs(
  { context, chain }: DutySources,
  { id, kind, deadline }: Timed,
): Promise<number> {
  const entry = chain.now.escrowed.get(id);
  const closed = entry?.answer && (await standingOf(context, entry)).deadline;
  const isWhole = closed === undefined || (kind === 'evaluation-keys' && deadline > closed);
  return Number(isWhole ? deadline : closed) * 1_000 - Date.now();
}
