/**
 * What this operator has published for its peers, by key, and the peers that wait for it.
 *
 * A question for an entry that does not exist yet is held until it does or until the asker goes away.
 * The oldest released entries are dropped once more than `maxEntries` are held; an entry whose job
 * still runs stays, since a peer that comes back may need it for the quorum.
 */
export class Board<Entry> {
  readonly #entries = new Map<string, { entry: Entry; owner: string | undefined }>();
  readonly #waiting = new Map<string, Set<(entry: Entry) => void>>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)?.entry;
  }

  /** @param owner what the entry is held for until `release`; absent: nothing holds it */
  publish(key: string, entry: Entry, owner?: string): void {
    this.#entries.delete(key);
    this.#entries.set(key, { entry, owner });
    for (const resolve of this.#waiting.get(key) ?? []) resolve(entry);
    this.#waiting.delete(key);
    this.#trim();
  }

  /** Lets go of an owner's entries: they stay for a while, as room allows. */
  release(owner: string): void {
    for (const held of this.#entries.values()) if (held.owner === owner) held.owner = undefined;
    this.#trim();
  }

  /** Takes everything down; askers that wait go on waiting. */
  clear(): void {
    this.#entries.clear();
  }

  /** The entry, as soon as it exists. Rejects with the signal's reason when that is aborted first. */
  async wait(key: string, signal: AbortSignal): Promise<Entry> {
    signal.throwIfAborted();
    const present = this.get(key);
    if (present !== undefined) return present;
    const { promise, resolve, reject } = Promise.withResolvers<Entry>();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(resolve));
    const abandon = (): void => {
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abandon, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  #trim(): void {
    for (const [key, { owner }] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries) return;
      if (owner === undefined) this.#entries.delete(key);
    }
  }
}
