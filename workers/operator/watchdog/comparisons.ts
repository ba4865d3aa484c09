import type { Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { openingsPerQuestion } from '../../net/limits.ts';
import { StoreErrorCode } from '../../store/errors.ts';
import type { CommittedOpening } from '../../store/openings.ts';
import type { Place } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { pause, Wakeup } from '../waiting.ts';
import { compareRoots } from './compare.ts';
import { witnessCommitted } from './witness.ts';

/** How long after an opening its roots are compared: late shares have come by then. */
export const COMPARE_AFTER_MS = 30_000;
/** How long peers are waited for; and how long until they are asked again if too few have answered. */
const PATIENCE_MS = 20_000;
const AGAIN_AFTER_MS = 60_000;
/** Openings that wait in memory at most; what is beyond them is taken from the store when there is room. */
const MAX_WAITING = 4_096;

interface Due {
  readonly epochId: Hex;
  readonly dueAtMs: number;
  /** Taken from the store: nobody may have looked at all shares. */
  readonly left?: CommittedOpening;
}

/** The place in an epoch, if it is known. */
type PlaceIn = (epochId: Hex) => Place | undefined;

/**
 * Compares the roots of what has been opened with the peers', after the fact and a batch at a time: no
 * request waits for it, and traffic is bounded.
 *
 * Whether an opening has been compared is durable. What a process leaves the next one takes up, and what
 * does not fit into memory is taken up when there is room.
 */
export class Comparisons {
  readonly #afterMs: number;
  readonly #maxWaiting: number;
  readonly #due = new Map<Hex, Due>();
  readonly #noted = new Wakeup();
  /** Peers that let others wait: they are asked, and not waited for. */
  readonly #slow = new Set<string>();

  /** Up to which id the store has been searched, in a search that is not over. */
  #searchedTo: Hex | undefined;
  /** Whether the store may have what does not wait yet, before that id and behind it. */
  #isMoreBefore = false;
  #isMoreBehind = true;

  /** @param afterMs how long after an opening its roots are compared */
  constructor(afterMs: number, maxWaiting = MAX_WAITING) {
    this.#afterMs = afterMs;
    this.#maxWaiting = maxWaiting;
  }

  /** Takes note of an opening that this operator has taken part in, and that is over now. */
  note({ store, stopping }: OperatorContext, epochId: Hex, openingId: Hex): void {
    // The store may be closed already; the next process takes it up.
    if (stopping.aborted) return;
    // While it was open it may have been found in the store, and compared too early.
    store.openings.setUncompared(openingId);
    this.#enter(openingId, { epochId, dueAtMs: performance.now() + this.#afterMs });
  }

  /** Compares until the signal aborts, beginning with what earlier processes have left. */
  async run(context: OperatorContext, place: PlaceIn, signal: AbortSignal): Promise<void> {
    this.#refill(context, performance.now());
    try {
      for (;;) {
        this.#refill(context, performance.now() + this.#afterMs);
        const next = this.#due.values().next().value;
        if (next === undefined) await this.#noted.wait(signal);
        else if (next.dueAtMs > performance.now())
          await pause(next.dueAtMs - performance.now(), signal);
        else await this.#compare(context, place, next.epochId, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** One batch: openings of an epoch that are due. */
  async #compare(
    context: OperatorContext,
    place: PlaceIn,
    epochId: Hex,
    signal: AbortSignal,
  ): Promise<void> {
    const now = performance.now();
    const batch = [...this.#due]
      .filter(([, due]) => due.epochId === epochId && due.dueAtMs <= now)
      .slice(0, openingsPerQuestion);
    for (const [openingId] of batch) this.#due.delete(openingId);
    const seat = place(epochId);
    try {
      if (seat !== undefined && (await this.#haveCompared(context, seat, batch, signal))) return;
    } catch (error) {
      // What was found could not be kept: it is found again.
      if (!isKeyloomError(error, StoreErrorCode.DISK_FULL)) throw error;
      context.log.error({ code: error.code, err: error }, 'openings are compared later');
    }
    const dueAtMs = performance.now() + AGAIN_AFTER_MS;
    for (const [openingId, due] of batch) this.#enter(openingId, { ...due, dueAtMs });
  }

  /** @returns false if too few peers have answered */
  async #haveCompared(
    context: OperatorContext,
    seat: Place,
    batch: readonly (readonly [Hex, Due])[],
    signal: AbortSignal,
  ): Promise<boolean> {
    for (const [, { left }] of batch)
      if (left !== undefined) await witnessCommitted(context, seat, left);
    const openingIds = batch.map(([openingId]) => openingId);
    const over = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const answered = await compareRoots(context, seat, openingIds, this.#slow, over);
    signal.throwIfAborted();
    // All honest ones, unless some are away. Of two that saw different roots either asks the other.
    if (answered < seat.session.committee.quorum - 1) return false;
    context.store.openings.setCompared(openingIds);
    return true;
  }

  /** Takes up what is in the store and does not wait, once few wait. Among it may be what is still open. */
  #refill({ store }: OperatorContext, dueAtMs: number): void {
    while (this.#due.size <= this.#maxWaiting / 2) {
      if (!this.#isMoreBehind) {
        if (!this.#isMoreBefore) return;
        [this.#isMoreBefore, this.#searchedTo] = [false, undefined];
      }
      const room = this.#maxWaiting - this.#due.size;
      const found = store.openings.toCompare(room, this.#searchedTo);
      this.#isMoreBehind = found.length === room;
      this.#searchedTo = found.at(-1)?.openingId;
      for (const left of found)
        this.#enter(left.openingId, { epochId: left.epochId, dueAtMs, left });
    }
  }

  #enter(openingId: Hex, due: Due): void {
    if (this.#due.has(openingId)) return;
    if (this.#due.size >= this.#maxWaiting) {
      this.#isMoreBefore = true;
      return;
    }
    this.#due.set(openingId, due);
    this.#noted.wake();
  }
}
