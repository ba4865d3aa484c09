/** How often one thing is said. */
export const SAID_EVERY_MS = 10_000;
/** Things that are told apart; beyond them the one that was said longest ago is forgotten. */
const THINGS = 1_024;

/** Says when to say what others can have happen as often as they like: one thing once in a while. */
export class Seldom {
  readonly #said = new Map<string, { readonly at: number; unsaid: number }>();
  readonly #now: () => number;

  /** @param now clock in milliseconds that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How often this has happened unsaid since it was last said, if it is to be said now. */
  due(thing: string): number | undefined {
    const now = this.#now();
    const said = this.#said.get(thing);
    if (said !== undefined && now - said.at < SAID_EVERY_MS) {
      said.unsaid += 1;
      return undefined;
    }
    this.#said.delete(thing);
    this.#said.set(thing, { at: now, unsaid: 0 });
    const [oldest] = this.#said.keys();
    if (this.#said.size > THINGS) this.#said.delete(oldest);
    return said?.unsaid ?? 0;
  }
}
