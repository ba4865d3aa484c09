import type { Hex } from 'viem';

import type { Place } from '../committee/seat.ts';

/** Most times that patience is doubled. */
const MOST_DOUBLINGS = 3;

/**
 * Whose turn it is to open, in one operation of this operator's.
 *
 * The order rotates with the opening's id, so each operator opens its part of a large key. An opener
 * that was silent or lied is passed over for the rest of the operation: it delays it once. Nobody has
 * to agree on who opens what, since every operator is opener to whoever asks it.
 */
export class Openers {
  readonly #seat: Place;
  readonly #patienceMs: number;
  readonly #silent = new Set<number>();
  readonly #lying = new Set<number>();

  /** @param patienceMs how long the first opener may be silent */
  constructor(seat: Place, patienceMs: number) {
    this.#seat = seat;
    this.#patienceMs = patienceMs;
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
      if (!this.#silent.has(index) && !this.#lying.has(index)) return index;
    }
    return this.#seat.index;
  }

  /**
   * How long an opener may be silent. It doubles with each that was: where many are, it is rather the
   * machines or the network that are slow, and more openers would make them slower.
   */
  get patienceMs(): number {
    return this.#patienceMs * 2 ** Math.min(this.#silent.size, MOST_DOUBLINGS);
  }

  passOver(index: number, why: 'silent' | 'lying'): void {
    (why === 'silent' ? this.#silent : this.#lying).add(index);
  }
}
