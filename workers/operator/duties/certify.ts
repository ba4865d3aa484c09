import { bytesToHex, concat, type Hex } from 'viem';

import type { Statement } from '../../chain/typed-data.ts';
import { askUntilAnswered, type SignedResult } from '../../net/results/index.ts';
import { askAll } from '../openings/asking.ts';
import { isSignedBy, sign, type OperatorContext } from '../context.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import { aborted, pause } from '../waiting.ts';

/** 2t+1 signatures as the contracts take them. */
export interface Quorum {
  /** Bit i-1 for index i. */
  readonly signerBitmap: bigint;
  /** 65 bytes each, in ascending order of index. */
  readonly signatures: Hex;
}

export const resultKey = (epochId: Hex, resultId: Hex): string => `${epochId}/${resultId}`;

/**
 * Signs a result and collects the signatures of others until there are 2t+1.
 *
 * A peer that signed something else, or whose signature does not check, is left out; the contract
 * would refuse it. Throws the signal's reason if that comes first.
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
  const { host, log, progress, boards } = context;
  const { epochId, committee } = seat.session;
  const ours = bytesToHex(result);
  const signature = await sign(context, statement(ours));
  boards.results.publish(resultKey(epochId, resultId), { signature, result }, resultId);

  const signatures = new Map([[seat.index, signature]]);
  const peers = activePeers(seat);
  const waiting = new Set(peers.map(({ index }) => index));
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
    progress.waitFor(resultId, waiting);
    if (value === undefined) {
      log.warn({ resultId, index, err: error }, 'no result signature from peer');
    } else if (bytesToHex(value.result) !== ours) {
      log.warn({ resultId, index }, 'peer has another result');
    } else if (!(await isSignedBy(context, seat, index, statement(ours), value.signature))) {
      log.warn({ resultId, index }, 'result with a wrong signature');
    } else {
      signatures.set(index, value.signature);
      if (signatures.size >= committee.quorum) return asQuorum(signatures);
    }
  }
  progress.trouble(resultId, 'TOO_FEW_SIGNATURES');
  log.error({ resultId, have: signatures.size }, 'fewer than 2t+1 operators sign this result');
  // The signal ends this: the request expires or is answered by others.
  return aborted(signal);
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
