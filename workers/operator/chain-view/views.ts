import type { Hex } from 'viem';

import { isNetError } from '../../net/errors.ts';
import { askUntilAnswered, type SignedView } from '../../net/views/index.ts';
import { askAll } from '../openings/asking.ts';
import { isSignedBy, sign, type OperatorContext } from '../context.ts';
import { activePeers, type Peer, type Place } from '../committee/seat.ts';
import { aborted, pause } from '../waiting.ts';

/** This operator's own view of a block that has gateway logs. */
export interface BlockView {
  readonly height: bigint;
  readonly blockHash: Hex;
  readonly logsDigest: Hex;
}

/** Pause before a peer that sees another chain is asked again. */
const DISAGREEMENT_PAUSE_MS = 2_000;

export const viewKey = (epochId: Hex, height: bigint): string => `${epochId}/${height}`;

const statement = (seat: Place, view: BlockView) => ({
  type: 'ChainView' as const,
  message: { epochId: seat.session.epochId, ...view },
});

/** Signs this operator's view of a block for the peers of one epoch. */
export async function signView(
  context: OperatorContext,
  seat: Place,
  view: BlockView,
): Promise<SignedView> {
  const { blockHash, logsDigest } = view;
  return { blockHash, logsDigest, signature: await sign(context, statement(seat, view)) };
}

/**
 * Resolves once 2t+1 operators, this one among them, have signed the same view of a block.
 *
 * No share leaves before: one honest operator with a lying RPC and t malicious ones would otherwise
 * be the t+1 that open a key. Each peer that sees another chain, or none yet, is asked again, however
 * long the others keep silent; `onOutvoted` is told when 2t+1 others agree with each other on another.
 */
export async function agreeOnBlock(
  context: OperatorContext,
  seat: Place,
  view: BlockView,
  signal: AbortSignal,
  hooks: { onWaiting(indices: readonly number[]): void; onOutvoted(): void },
): Promise<void> {
  const { quorum } = seat.session.committee;
  /** Latest other views, by index. */
  const votes = new Map<number, string>();
  const onOther = (index: number, theirs: string): void => {
    votes.set(index, theirs);
    const alike = [...votes.values()].filter((vote) => vote === theirs);
    if (alike.length >= quorum) hooks.onOutvoted();
  };

  const peers = activePeers(seat);
  const waiting = new Set(peers.map(({ index }) => index));
  let agreeing = 1;
  hooks.onWaiting([...waiting]);
  const answers = askAll(
    peers,
    (peer, open) => askUntilAgreed(context, seat, view, peer, onOther, open),
    signal,
  );
  for await (const { peer, value: agrees } of answers) {
    waiting.delete(peer.index);
    votes.delete(peer.index);
    hooks.onWaiting([...waiting]);
    if (agrees) agreeing += 1;
    if (agreeing >= quorum) return;
  }
  await aborted(signal);
}

/**
 * Asks a peer until it sees what this operator sees.
 *
 * @param onOther told of each other view that it signs
 * @returns false if its signature does not check; it is set aside then
 */
async function askUntilAgreed(
  context: OperatorContext,
  seat: Place,
  view: BlockView,
  { index, peerId }: Peer,
  onOther: (index: number, theirs: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { host, log } = context;
  const { height, blockHash, logsDigest } = view;
  const question = { epochId: seat.session.epochId, height };
  for (;;) {
    try {
      const { signature, ...seen } = await askUntilAnswered(host, peerId, question, { signal });
      if (
        !(await isSignedBy(context, seat, index, statement(seat, { height, ...seen }), signature))
      ) {
        log.warn({ index }, 'view with a wrong signature');
        seat.setAside.add(index);
        return false;
      }
      if (seen.blockHash === blockHash && seen.logsDigest === logsDigest) return true;
      log.warn({ index, ours: view, theirs: seen }, 'peer sees another chain');
      onOther(index, `${seen.blockHash}/${seen.logsDigest}`);
    } catch (error) {
      signal.throwIfAborted();
      if (!isNetError(error)) throw error;
      log.debug({ index, err: error }, 'no view from peer');
    }
    await pause(DISAGREEMENT_PAUSE_MS, signal);
  }
}
