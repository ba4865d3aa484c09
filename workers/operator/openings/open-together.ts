import type { Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { askUntilAnswered, type SignedShare } from '../../net/shares/index.ts';
import type { Opening } from '../../protocols/opening.ts';
import type { RnsVector } from '../../ring/basis.ts';
import { commitShare } from '../../sharing/commitment.ts';
import { SharingErrorCode } from '../../sharing/errors.ts';
import {
  checkLateShare,
  openRobustly,
  shareLength,
  type OpenedValue,
} from '../../sharing/opening.ts';
import { askAll } from './asking.ts';
import { blame, isSignedBy, sign, type OperatorContext } from '../context.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import { aborted } from '../waiting.ts';

/** How long after an opening late shares are still awaited, to be checked. */
const LATE_SHARES_MS = 20_000;

/** Why a share was wrong, as recorded. */
export const ShareFault = {
  /** It does not lie on the polynomial that 2t+1 others support. */
  WRONG_SHARE: 'WRONG_SHARE',
  /** Its signature, or the commitment that is signed, does not check. */
  WRONG_SIGNATURE: 'WRONG_SIGNATURE',
} as const;

export const shareKey = (epochId: Hex, openingId: Hex): string => `${epochId}/${openingId}`;

const commitment = (epochId: Hex, openingId: Hex, root: Hex) => ({
  type: 'ShareCommitment' as const,
  message: { epochId, openingId, root },
});

/**
 * Opens a value together with the other operators: commits to the own share, offers it, collects the
 * others' and decodes as soon as 2t+1 agree.
 *
 * (openingId, root) is durable before the signature exists, so an operator that computes something
 * else after a crash stops with OPENING_CONFLICT instead of equivocating. Signatures of the others
 * are checked after the value is known: the channel has authenticated them already, and a signature
 * matters only as evidence. Late shares are checked in the background for `LATE_SHARES_MS`.
 *
 * @param subject key or request that is served, for the records
 * @throws the signal's reason; otherwise waits for as long as it takes
 */
export async function openTogether(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  opening: Opening,
  share: RnsVector,
  signal: AbortSignal,
): Promise<RnsVector> {
  await offerShare(context, seat, subject, opening, share);
  const { promise, resolve, reject } = Promise.withResolvers<RnsVector>();
  const collector = new Collector(context, seat, subject, opening, share);
  const end = new AbortController();
  const abandon = (): void => end.abort(signal.reason);
  signal.addEventListener('abort', abandon, { once: true });
  const onOpened = (value: RnsVector): void => {
    // From here on the job may end; late shares are still worth a look.
    signal.removeEventListener('abort', abandon);
    setTimeout(() => end.abort(), LATE_SHARES_MS).unref();
    resolve(value);
  };
  signal.throwIfAborted();
  collector
    .collect(AbortSignal.any([context.stopping, end.signal]), onOpened)
    .catch((error: unknown) => {
      // Without effect once the value is known.
      reject(error);
      if (!end.signal.aborted && !context.stopping.aborted)
        context.log.error({ err: error, subject }, 'collecting shares failed');
    });
  return promise;
}

async function offerShare(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  opening: Opening,
  share: RnsVector,
): Promise<void> {
  const { epochId } = seat.session;
  const root = commitShare(share);
  context.store.openings.commit(opening.id, root);
  const signature = await sign(context, commitment(epochId, opening.id, root));
  const published = { seat, opening, share, signature };
  context.boards.shares.publish(shareKey(epochId, opening.id), published, subject);
}

/** The shares of one opening as they arrive. */
class Collector {
  readonly #context: OperatorContext;
  readonly #seat: Place;
  readonly #subject: Hex;
  readonly #opening: Opening;
  readonly #shares: Map<number, RnsVector>;
  /** Shares whose signature has not been looked at yet. */
  #unchecked: [index: number, share: SignedShare][] = [];
  #opened: OpenedValue | undefined;

  constructor(
    context: OperatorContext,
    seat: Place,
    subject: Hex,
    opening: Opening,
    own: RnsVector,
  ) {
    this.#context = context;
    this.#seat = seat;
    this.#subject = subject;
    this.#opening = opening;
    this.#shares = new Map([[seat.index, own]]);
  }

  async collect(signal: AbortSignal, onOpened: (value: RnsVector) => void): Promise<void> {
    const context = this.#context;
    const { host, progress } = context;
    const { epochId } = this.#seat.session;
    const question = { epochId, openingId: this.#opening.id };
    const residues = shareLength(this.#opening.shape);
    const peers = activePeers(this.#seat);
    const waiting = new Set(peers.map(({ index }) => index));
    const answers = askAll<SignedShare>(
      peers,
      (peer, open) => askUntilAnswered(host, peer.peerId, question, { signal: open, residues }),
      signal,
    );
    progress.waitFor(this.#subject, waiting);
    for await (const { peer, value, error } of answers) {
      waiting.delete(peer.index);
      if (this.#opened === undefined) progress.waitFor(this.#subject, waiting);
      if (error?.verdict === 'accuse') this.#blame(peer.index, error.code);
      if (value === undefined) continue;
      this.#shares.set(peer.index, value.residues);
      this.#unchecked.push([peer.index, value]);
      if (this.#opened !== undefined) this.#checkLate(peer.index, value.residues);
      else if (this.#tryOpen()) onOpened(this.#opened!.value);
      else continue;
      await this.#checkSignatures();
    }
    if (this.#opened !== undefined) return;
    // Everybody has answered, and more than t of the answers are wrong.
    context.progress.trouble(this.#subject, SharingErrorCode.TOO_FEW_AGREEING);
    context.log.error(
      { subject: this.#subject, openingId: this.#opening.id, received: [...this.#shares.keys()] },
      'fewer than 2t+1 shares agree; this request cannot be served',
    );
    await aborted(signal);
  }

  #tryOpen(): boolean {
    const { committee } = this.#seat.session;
    if (this.#shares.size < committee.quorum) return false;
    try {
      this.#opened = openRobustly(committee, this.#opening.shape, this.#shares);
    } catch (error) {
      if (isKeyloomError(error, SharingErrorCode.TOO_FEW_AGREEING)) return false;
      throw error;
    }
    for (const index of this.#opened.faulty) this.#blame(index, ShareFault.WRONG_SHARE);
    if (this.#opened.faulty.includes(this.#seat.index))
      this.#context.log.error(
        { subject: this.#subject, openingId: this.#opening.id },
        'the own share is wrong: check this machine and its data directory',
      );
    return true;
  }

  #checkLate(index: number, share: RnsVector): void {
    const { committee } = this.#seat.session;
    const agreeing = new Map(this.#opened!.agreeing.map((at) => [at, this.#shares.get(at)!]));
    if (!checkLateShare(committee, this.#opening.shape, agreeing, index, share))
      this.#blame(index, ShareFault.WRONG_SHARE);
  }

  /** A share without a valid signature over its commitment is no evidence: its sender is set aside. */
  async #checkSignatures(): Promise<void> {
    const { epochId } = this.#seat.session;
    const unchecked = this.#unchecked;
    this.#unchecked = [];
    for (const [index, { signature, residues }] of unchecked) {
      const signed = commitment(epochId, this.#opening.id, commitShare(residues));
      if (await isSignedBy(this.#context, this.#seat, index, signed, signature)) continue;
      this.#blame(index, ShareFault.WRONG_SIGNATURE);
      this.#seat.setAside.add(index);
    }
  }

  #blame(index: number, reason: string): void {
    blame(this.#context, this.#seat, this.#subject, this.#opening.id, index, reason);
  }
}
