import type { Hex } from 'viem';

import type { Place } from '../committee/seat.ts';

/**
 * Whose turn it is to open, in one operation of this operator's.
 *
 * The order rotates with the opening's id, so each operator opens its part of a large key. An opener
 * that was silent or lied is passed over for the rest of the operation: it delays it once. Nobody has
 * to agree on who opens what, since every operator is opener to whoever asks it.
 */
export class Openers {
  readonly #seat: Place;
  readonly #passedOver = new Set<number>();

  constructor(seat: Place) {
    this.#seat = seat;
  }

  /** The first in the order that is not passed over; this operator itself never is. */
  opener(openingId: Hex): number {
    const { n } = this.#seat.session.committee;
    const first = Number(BigInt(openingId) % BigInt(n));
    const reachable = new Set(this.#seat.peers.map(({ index }) => index));
    for (let turn = 0; turn < n; turn++) {
      const index = ((first + turn) % n) + 1;
      if (index === this.#seat.index) return index;
      if (!reachable.has(index) || this.#seat.setAside.has(index)) continue;
      if (!this.#passedOver.has(index)) return index;
    }
    return this.#seat.index;
  }

  passOver(index: number): void {
    this.#passedOver.add(index);
  }
}
