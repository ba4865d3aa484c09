import { bytesToHex, concat, type Hex } from 'viem';

import type { Statement } from '../../chain/typed-data.ts';
import { askUntilAnswered, type SignedResult } from '../../net/results/index.ts';
import { askAll } from '../openings/asking.ts';
import { isSignedBy, sign, type OperatorContext, type PublishedResult } from '../context.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import { aborted, pause } from '../waiting.ts';
import { witnessResult } from '../watchdog/witness.ts';

/** 2t+1 signatures as the contracts take them. */
export interface Quorum {
  /** Bit i-1 for index i. */
  readonly signerBitmap: bigint;
  /** 65 bytes each, in ascending order of index. */
  readonly signatures: Hex;
}

export const resultKey = (epochId: Hex, resultId: Hex): string => `${epochId}/${resultId}`;

/** How long after a quorum the results of others are still awaited, to be looked at. */
const LATE_RESULTS_MS = 10_000;

/**
 * Signs a result and collects the signatures of others until there are 2t+1.
 *
 * A peer that signed something else, or whose signature does not check, is left out; the contract
 * would refuse it. What was signed in good form and is another result is kept: it is evidence once the
 * result is recorded. Late ones are looked at for `LATE_RESULTS_MS`, in the background. Throws the
 * signal's reason if that comes first.
 *
 * @param resultId key id or request id: what peers ask by
 * @param result the signed bytes
 * @param statement what is signed, for given result bytes
 */
export async function collectQuorum(
  context: OperatorContext,
  seat: Place,
  resultId: Hex,
  result: Uint8Array,
  statement: (result: Hex) => Statement,
  signal: AbortSignal,
): Promise<Quorum> {
  const { boards, stopping } = context;
  const { epochId } = seat.session;
  const signature = await sign(context, statement(bytesToHex(result)));
  const own = { signature, result, statement };
  boards.results.publish(resultKey(epochId, resultId), own, resultId);

  const { promise, resolve, reject } = Promise.withResolvers<Quorum>();
  const end = new AbortController();
  const abandon = (): void => end.abort(signal.reason);
  if (signal.aborted) abandon();
  else signal.addEventListener('abort', abandon, { once: true });
  const onQuorum = (quorum: Quorum): void => {
    // From here on the job may end; late results are still worth a look.
    signal.removeEventListener('abort', abandon);
    setTimeout(() => end.abort(), LATE_RESULTS_MS).unref();
    resolve(quorum);
  };
  const both = AbortSignal.any([stopping, end.signal]);
  collect(context, seat, resultId, own, onQuorum, both).catch((error: unknown) => {
    // Without effect once there is a quorum.
    reject(error);
    if (!both.aborted) context.log.error({ err: error, resultId }, 'collecting results failed');
  });
  return promise;
}

/** Asks all peers; tells of a quorum once, and goes on until all have answered or the signal aborts. */
async function collect(
  context: OperatorContext,
  seat: Place,
  resultId: Hex,
  { signature, result, statement }: PublishedResult,
  onQuorum: (quorum: Quorum) => void,
  signal: AbortSignal,
): Promise<void> {
  const { host, log, progress } = context;
  const { epochId, committee } = seat.session;
  const ours = bytesToHex(result);
  const signatures = new Map([[seat.index, signature]]);
  const peers = activePeers(seat);
  const waiting = new Set(peers.map(({ index }) => index));
  const isQuorum = (): boolean => signatures.size >= committee.quorum;
  const answers = askAll<SignedResult>(
    peers,
    (peer, open) =>
      askUntilAnswered(
        host,
        peer.peerId,
        { epochId, resultId },
        { signal: open, resultBytes: result.length },
      ),
    signal,
  );
  progress.waitFor(resultId, waiting);
  for await (const { peer, value, error } of answers) {
    const { index } = peer;
    waiting.delete(index);
    if (!isQuorum()) progress.waitFor(resultId, waiting);
    if (value === undefined) {
      log.warn({ resultId, index, err: error }, 'no result signature from peer');
      continue;
    }
    const theirs = bytesToHex(value.result);
    const isSigned = await isSignedBy(context, seat, index, statement(theirs), value.signature);
    if (!isSigned) {
      log.warn({ resultId, index }, 'result with a wrong signature');
    } else if (theirs !== ours) {
      log.warn({ resultId, index }, 'peer has another result');
      witnessResult(context, seat, statement(theirs), index, theirs, value.signature);
    } else if (!isQuorum()) {
      signatures.set(index, value.signature);
      if (isQuorum()) onQuorum(asQuorum(signatures));
    }
  }
  if (isQuorum()) return;
  progress.trouble(resultId, 'TOO_FEW_SIGNATURES');
  log.error({ resultId, have: signatures.size }, 'fewer than 2t+1 operators sign this result');
  // The signal ends this: the request expires or is answered by others.
  await aborted(signal);
}

function asQuorum(signatures: ReadonlyMap<number, Hex>): Quorum {
  const ordered = [...signatures].sort(([a], [b]) => a - b);
  return {
    signerBitmap: ordered.reduce((bits, [index]) => bits | (1n << BigInt(index - 1)), 0n),
    signatures: concat(ordered.map(([, signature]) => signature)),
  };
}

/**
 * Waits for this operator's turn to submit: the order rotates with the result's id, and each next
 * operator waits `submitDelayMs` longer. Anybody may submit; turns only save gas.
 */
export async function waitForTurn(
  context: OperatorContext,
  seat: Place,
  resultId: Hex,
  signal: AbortSignal,
): Promise<void> {
  const { n } = seat.session.committee;
  const first = Number(BigInt(resultId) % BigInt(n));
  const rank = (seat.index - 1 - first + n) % n;
  await pause(rank * context.submitDelayMs, signal);
}
