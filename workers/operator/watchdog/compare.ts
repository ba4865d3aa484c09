import type { Hex } from 'viem';

import { ask, type Commitments, type RootOfOperator } from '../../net/commitments/index.ts';
import type { SignedRoot } from '../../protocols/evidence.ts';
import type { HeldRoot } from '../../store/transcripts.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import { isSignedBy, type OperatorContext } from '../context.ts';
import { askAll } from '../openings/asking.ts';
import { commitment } from '../openings/own-shares.ts';
import { witnessRoots } from './witness.ts';

/** Which signed roots of an opening of the seat's epoch the transcripts have. */
export async function rootsOf(
  { store }: OperatorContext,
  { session }: Place,
  openingId: Hex,
): Promise<HeldRoot[]> {
  const held = await store.transcripts.roots(openingId);
  return held.filter(
    ({ epochId, index }) => epochId === session.epochId && index <= session.committee.n,
  );
}

/**
 * Compares the signed roots of some openings with those that the peers hold. Whoever gave two operators
 * different shares has signed two roots, and here they meet.
 *
 * @param slow peers that are not waited for once all others have answered; brought up to date
 * @param signal ends it: whoever has not answered by then is done without
 * @returns how many peers have answered
 */
export async function compareRoots(
  context: OperatorContext,
  seat: Place,
  openingIds: readonly Hex[],
  slow: Set<string>,
  signal: AbortSignal,
): Promise<number> {
  const { epochId } = seat.session;
  const openings = openingIds.map((openingId) => new RootsOfOpening(context, seat, openingId));
  for (const [at, openingId] of openingIds.entries())
    for (const root of await rootsOf(context, seat, openingId)) await openings[at].take(root);

  let answered = 0;
  const peers = activePeers(seat);
  const waiting = new Set(peers.map(({ peerId }) => peerId));
  const answers = askAll<Commitments>(
    peers,
    ({ peerId }, open) =>
      ask(
        context.host,
        peerId,
        { epochId, openingIds },
        { signal: open, openings: openingIds.length },
      ),
    signal,
  );
  try {
    for await (const { peer, value, error } of answers) {
      const { index, peerId } = peer;
      waiting.delete(peerId);
      slow.delete(peerId);
      if (value === undefined) context.log.debug({ index, err: error }, 'no commitments from peer');
      else {
        answered += 1;
        if (!(await takeAll(openings, value)))
          context.log.warn({ index }, 'commitments with a wrong signature');
      }
      const isEnough = answered >= seat.session.committee.quorum - 1;
      if (isEnough && [...waiting].every((late) => slow.has(late))) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    for (const peerId of waiting) slow.add(peerId);
  }
  return answered;
}

/** False at the first signature that does not check: a liar costs one look per question. */
async function takeAll(
  openings: readonly RootsOfOpening[],
  commitments: Commitments,
): Promise<boolean> {
  for (const [at, roots] of commitments.entries())
    for (const root of roots) if (!(await openings[at].take(root))) return false;
  return true;
}

/**
 * What operators signed for an opening, from whoever has it.
 *
 * Signatures are looked at where two differ only; among honest operators that is never.
 */
class RootsOfOpening {
  readonly #context: OperatorContext;
  readonly #seat: Place;
  readonly #openingId: Hex;
  /** By committee index: what is believed, until something else is signed. */
  readonly #roots = new Map<number, SignedRoot & { isChecked: boolean }>();

  constructor(context: OperatorContext, seat: Place, openingId: Hex) {
    this.#context = context;
    this.#seat = seat;
    this.#openingId = openingId;
  }

  /** Takes note of a root. @returns false if it differs and its signature does not check */
  async take({ index, root, signature }: RootOfOperator): Promise<boolean> {
    const { session } = this.#seat;
    if (index > session.committee.n) return false;
    const known = this.#roots.get(index);
    if (known === undefined) {
      this.#roots.set(index, { root, signature, isChecked: false });
      return true;
    }
    if (known.root === root && (known.signature === signature || known.isChecked)) return true;
    const accusation = { kind: 'equivocation', epochId: session.epochId, index } as const;
    if (this.#context.store.evidence.isFull(accusation)) return true;
    if (!(await this.#isSigned(index, { root, signature }))) return false;
    const isKnownSigned = known.isChecked || (await this.#isSigned(index, known));
    if (known.root === root || !isKnownSigned)
      this.#roots.set(index, { root, signature, isChecked: true });
    else {
      known.isChecked = true;
      witnessRoots(this.#context, this.#seat, this.#openingId, index, known, { root, signature });
    }
    return true;
  }

  #isSigned(index: number, { root, signature }: SignedRoot): Promise<boolean> {
    const { epochId } = this.#seat.session;
    const signed = commitment(epochId, this.#openingId, root);
    return isSignedBy(this.#context, this.#seat, index, signed, signature);
  }
}
