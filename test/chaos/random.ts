/** Decisions that follow from a seed: the same seed, the same decisions. Not for secrets. */
export class Random {
  #state: number;

  /** @param seed only its lower 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1), by SplitMix32: a step of the golden ratio, then a mix of all bits. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /** An integer in [from, to]. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(among: readonly T[]): T {
    return among[this.integer(0, among.length - 1)];
  }

  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[] {
    const order = [...things];
    for (let at = order.length - 1; at > 0; at--) {
      const other = this.integer(0, at);
      [order[at], order[other]] = [order[other], order[at]];
    }
    return order;
  }
}

/** Deals things in random order, all of them before any comes again. */
export class Deck<T> {
  readonly #random: Random;
  readonly #things: readonly T[];
  #left: T[] = [];

  constructor(random: Random, things: readonly T[]) {
    this.#random = random;
    this.#things = things;
  }

  deal(): T {
    if (this.#left.length === 0) this.#left = this.#random.shuffled(this.#things);
    return this.#left.pop()!;
  }
}
