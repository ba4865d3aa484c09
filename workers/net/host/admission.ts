import type { Limits } from '../limits.ts';

/** Counts the questions that are open on this host, per peer and in all. */
export class Admission {
  readonly #limits: Limits;
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * Takes a place for one question of a peer.
   *
   * Returns the function that gives it back, which may be called more than once, or `undefined`
   * when the peer or the host has no place left.
   */
  enter(peerId: string): (() => void) | undefined {
    const open = this.#open.get(peerId) ?? 0;
    const { openQuestions, openQuestionsPerPeer } = this.#limits;
    if (open >= openQuestionsPerPeer || this.#total >= openQuestions) return undefined;
    this.#open.set(peerId, open + 1);
    this.#total += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#leave(peerId);
    };
  }

  #leave(peerId: string): void {
    this.#total -= 1;
    const open = (this.#open.get(peerId) ?? 1) - 1;
    if (open === 0) this.#open.delete(peerId);
    else this.#open.set(peerId, open);
  }
}
