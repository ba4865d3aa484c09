/**
 * Things that wait, by whom they wait for: each asker has one turn after the other, whatever it asks.
 *
 * Where there is no room, the asker with the most gives up its newest. So nobody crowds out others but by
 * having many addresses, and an asker that is alone has all the room.
 */
export class FairQueue<Item> {
  /** Come before all others, and are not limited: what the chain asks for. */
  readonly #urgent: Item[] = [];
  /** In the order of their turns. */
  readonly #waiting = new Map<string, Item[]>();
  readonly #room: number;
  #count = 0;

  /** @param room for so many things, besides urgent ones */
  constructor(room: number) {
    this.#room = room;
  }

  /**
   * Lets an item wait.
   *
   * @param asker undefined for an urgent one
   * @returns what has to leave for it, which may be itself
   */
  push(asker: string | undefined, item: Item): Item | undefined {
    if (asker === undefined) {
      this.#urgent.push(item);
      return undefined;
    }
    const own = this.#waiting.get(asker) ?? [];
    let left: Item | undefined;
    if (this.#count === this.#room) {
      const [longest, items] = [...this.#waiting].reduce((a, b) =>
        b[1].length > a[1].length ? b : a,
      );
      // Nobody makes room for one that would have as many.
      if (items.length <= own.length + 1) return item;
      left = items.pop();
      this.#count -= 1;
      if (items.length === 0) this.#waiting.delete(longest);
    }
    own.push(item);
    this.#waiting.set(asker, own);
    this.#count += 1;
    return left;
  }

  /** Everything that waits, in no particular order. */
  *items(): Generator<Item> {
    yield* this.#urgent;
    for (const items of this.#waiting.values()) yield* items;
  }

  /** Takes the next one. */
  shift(): Item | undefined {
    if (this.#urgent.length > 0) return this.#urgent.shift();
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    const [asker, items] = next;
    const item = items.shift();
    this.#count -= 1;
    this.#waiting.delete(asker);
    if (items.length > 0) this.#waiting.set(asker, items);
    return item;
  }

  /** Takes one out of its turn. @returns false if it does not wait */
  remove(item: Item): boolean {
    for (const [asker, items] of [[undefined, this.#urgent] as const, ...this.#waiting]) {
      const at = items.indexOf(item);
      if (at < 0) continue;
      items.splice(at, 1);
      if (asker === undefined) return true;
      this.#count -= 1;
      if (items.length === 0) this.#waiting.delete(asker);
      return true;
    }
    return false;
  }
}
