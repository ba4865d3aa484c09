import type { Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { askUntilAnswered, type SignedShare } from '../../net/shares/index.ts';
import type { Opening } from '../../protocols/opening.ts';
import type { RnsVector } from '../../ring/basis.ts';
import { commitShare } from '../../sharing/commitment.ts';
import { SharingErrorCode } from '../../sharing/errors.ts';
import { checkLateShare, openRobustly } from '../../sharing/opening.ts';
import { askAll } from './asking.ts';
import { blame, isSignedBy, type OperatorContext } from '../context.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import { aborted } from '../waiting.ts';
import { witnessRoots, witnessShares } from '../watchdog/witness.ts';
import { commitment } from './own-shares.ts';

/** How long after an opening late shares are still awaited, to be checked. */
const LATE_SHARES_MS = 20_000;

/** Why a share was wrong, as recorded. */
export const ShareFault = {
  /** It does not lie on the polynomial that 2t+1 others support. */
  WRONG_SHARE: 'WRONG_SHARE',
  /** Its signature, or the commitment that is signed, does not check. */
  WRONG_SIGNATURE: 'WRONG_SIGNATURE',
} as const;

/**
 * Collects the shares of an opening and decodes as soon as 2t+1 agree.
 *
 * Shares that the transcripts have, the own one among them, are not asked for. Of the others none
 * counts before the signature over its commitment has been checked: the next share may depend on the
 * value (a relinearization key's does), and on a value of somebody's choice it gives the key share
 * away. Whom the channel leads to is only what the chain says; a signature is of the epoch. What
 * checks is kept in the transcripts, wrong shares as well. Late shares are collected in the background
 * for `LATE_SHARES_MS`.
 *
 * @param subject key or request that is served, for the records
 * @throws the signal's reason; otherwise waits for as long as it takes
 */
export async function collectShares(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  opening: Opening,
  signal: AbortSignal,
): Promise<RnsVector> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<RnsVector>();
  const end = new AbortController();
  const abandon = (): void => end.abort(signal.reason);
  signal.addEventListener('abort', abandon, { once: true });
  const onOpened = (value: RnsVector): void => {
    // From here on the job may end; late shares are still worth a look.
    signal.removeEventListener('abort', abandon);
    setTimeout(() => end.abort(), LATE_SHARES_MS).unref();
    resolve(value);
  };
  new Collector(context, seat, subject, opening)
    .collect(AbortSignal.any([context.stopping, end.signal]), onOpened)
    .finally(() => context.comparisons.note(context, seat.session.epochId, opening.id))
    .catch((error: unknown) => {
      // Without effect once the value is known.
      reject(error);
      if (!end.signal.aborted && !context.stopping.aborted)
        context.log.error({ err: error, subject }, 'collecting shares failed');
    });
  return promise;
}

/** The shares of one opening as they arrive. */
class Collector {
  readonly #context: OperatorContext;
  readonly #seat: Place;
  readonly #subject: Hex;
  readonly #opening: Opening;
  /** Until the value is known; afterwards they are in the transcripts. */
  readonly #shares = new Map<number, RnsVector>();
  /** Whose shares the value was opened from, once it is. */
  #agreeing: readonly number[] | undefined;

  constructor(context: OperatorContext, seat: Place, subject: Hex, opening: Opening) {
    this.#context = context;
    this.#seat = seat;
    this.#subject = subject;
    this.#opening = opening;
  }

  async collect(signal: AbortSignal, onOpened: (value: RnsVector) => void): Promise<void> {
    const { host, progress, log } = this.#context;
    await this.#recall();
    this.#tryOpen(onOpened);
    const { epochId } = this.#seat.session;
    const { id: openingId, shape } = this.#opening;
    const peers = activePeers(this.#seat).filter(({ index }) => !this.#shares.has(index));
    this.#forgetIfOpened();
    const waiting = new Set(peers.map(({ index }) => index));
    const answers = askAll<SignedShare>(
      peers,
      ({ peerId }, open) =>
        askUntilAnswered(host, peerId, { epochId, openingId }, { signal: open, shape }),
      signal,
    );
    if (this.#agreeing === undefined) progress.waitFor(this.#subject, waiting);
    for await (const { peer, value, error } of answers) {
      waiting.delete(peer.index);
      if (this.#agreeing === undefined) progress.waitFor(this.#subject, waiting);
      if (error?.verdict === 'accuse') this.#blame(peer.index, error.code);
      if (value === undefined || !(await this.#keepIfSigned(peer.index, value))) continue;
      if (this.#agreeing !== undefined) await this.#checkLate(peer.index, value.residues);
      else {
        this.#shares.set(peer.index, value.residues);
        this.#tryOpen(onOpened);
      }
      this.#forgetIfOpened();
    }
    if (this.#agreeing !== undefined) return;
    // Everybody has answered, and more than t of the answers are wrong.
    progress.trouble(this.#subject, SharingErrorCode.TOO_FEW_AGREEING);
    log.error(
      { subject: this.#subject, openingId, received: [...this.#shares.keys()] },
      'fewer than 2t+1 shares agree; this request cannot be served',
    );
    await aborted(signal);
  }

  /** Takes the shares that the transcripts have. */
  async #recall(): Promise<void> {
    const { transcripts } = this.#context.store;
    const { committee, epochId } = this.#seat.session;
    const kept = await transcripts.list(this.#opening.id);
    for (const index of kept?.indices ?? []) {
      const share = await transcripts.get(this.#opening.id, index);
      if (index <= committee.n && share?.epochId === epochId)
        this.#shares.set(index, share.residues);
    }
  }

  #tryOpen(onOpened: (value: RnsVector) => void): void {
    const { committee } = this.#seat.session;
    if (this.#shares.size < committee.quorum) return;
    try {
      const opened = openRobustly(committee, this.#opening.shape, this.#shares);
      this.#agreeing = opened.agreeing;
      for (const index of opened.faulty) this.#blame(index, ShareFault.WRONG_SHARE);
      if (opened.faulty.includes(this.#seat.index))
        this.#context.log.error(
          { subject: this.#subject, openingId: this.#opening.id },
          'the own share is wrong: check this machine and its data directory',
        );
      if (opened.faulty.length > 0) this.#witness(opened.faulty);
      onOpened(opened.value);
    } catch (error) {
      if (!isKeyloomError(error, SharingErrorCode.TOO_FEW_AGREEING)) throw error;
    }
  }

  /** Many openings wait for late shares at a time: none of them holds the others in memory. */
  #forgetIfOpened(): void {
    if (this.#agreeing !== undefined) this.#shares.clear();
  }

  async #checkLate(index: number, share: RnsVector): Promise<void> {
    const { committee } = this.#seat.session;
    const basis = new Map<number, RnsVector>();
    for (const agreeing of this.#agreeing!) {
      if (basis.size > committee.t) break;
      const kept = await this.#context.store.transcripts.get(this.#opening.id, agreeing);
      if (kept !== undefined) basis.set(agreeing, kept.residues);
    }
    // Fewer only if the transcripts have lost some: then nobody can say what is right.
    if (basis.size <= committee.t) return;
    if (checkLateShare(committee, this.#opening.shape, basis, index, share)) return;
    this.#blame(index, ShareFault.WRONG_SHARE);
    this.#witness([index]);
  }

  /**
   * In its own time, and one opening after the other: the value does not wait for evidence, and a liar that
   * lies in hundreds of openings at once does not fill the memory.
   */
  #witness(faulty: readonly number[]): void {
    const { store, log, stopping, witnessSlots } = this.#context;
    const { epochId } = this.#seat.session;
    const hasRoom = (index: number): boolean =>
      !store.evidence.isFull({ kind: 'wrong-share', epochId, index });
    witnessSlots
      .run(stopping, async () => {
        if (faulty.some(hasRoom)) await witnessShares(this.#context, this.#seat, this.#opening);
      })
      .catch((error: unknown) => {
        if (stopping.aborted) return;
        log.error({ err: error, openingId: this.#opening.id }, 'no evidence was made');
      });
  }

  /** A share without a valid signature over its commitment is no evidence: its sender is set aside. */
  async #keepIfSigned(index: number, { signature, residues }: SignedShare): Promise<boolean> {
    const { epochId } = this.#seat.session;
    const { id, shape } = this.#opening;
    const root = commitShare(residues);
    const signed = commitment(epochId, id, root);
    if (!(await isSignedBy(this.#context, this.#seat, index, signed, signature))) {
      this.#blame(index, ShareFault.WRONG_SIGNATURE);
      this.#seat.setAside.add(index);
      return false;
    }
    const { transcripts } = this.#context.store;
    const share = { epochId, root, signature, shape, residues };
    const kept = await transcripts.put(id, index, share);
    if (kept.root !== root) witnessRoots(this.#context, this.#seat, id, index, kept, share);
    return true;
  }

  #blame(index: number, reason: string): void {
    blame(this.#context, this.#seat, this.#subject, this.#opening.id, index, reason);
  }
}
