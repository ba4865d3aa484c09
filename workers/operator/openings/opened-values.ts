import type { Hex } from 'viem';

import type { RnsVector } from '../../ring/basis.ts';
import { unlessAborted } from '../waiting.ts';

/** Values that are kept in memory: those that peers a little behind still ask for. */
const MAX_VALUES = 16;

/** A value that is being collected, and how many wait for it. */
interface Collection {
  readonly value: Promise<RnsVector>;
  readonly stop: AbortController;
  waiting: number;
}

/**
 * Opened values that this operator knows to be right, for the peers that ask it to be their opener.
 *
 * However many ask for a value, it is collected once; and no longer than somebody waits for it.
 */
export class OpenedValues {
  readonly #values = new Map<Hex, RnsVector>();
  readonly #collections = new Map<Hex, Collection>();

  get(openingId: Hex): RnsVector | undefined {
    return this.#values.get(openingId);
  }

  keep(openingId: Hex, value: RnsVector): void {
    this.#values.delete(openingId);
    this.#values.set(openingId, value);
    if (this.#values.size > MAX_VALUES) this.#values.delete(this.#values.keys().next().value!);
  }

  /** The value, by `collect` if it is not known. Rejects with the signal's reason. */
  async obtain(
    openingId: Hex,
    collect: (signal: AbortSignal) => Promise<RnsVector>,
    signal: AbortSignal,
  ): Promise<RnsVector> {
    const known = this.#values.get(openingId);
    if (known !== undefined) return known;
    const collection = this.#collections.get(openingId) ?? this.#begin(openingId, collect);
    collection.waiting += 1;
    try {
      return await unlessAborted(collection.value, signal);
    } finally {
      collection.waiting -= 1;
      if (collection.waiting === 0) {
        collection.stop.abort();
        if (this.#collections.get(openingId) === collection) this.#collections.delete(openingId);
      }
    }
  }

  #begin(openingId: Hex, collect: (signal: AbortSignal) => Promise<RnsVector>): Collection {
    const stop = new AbortController();
    const value = collect(stop.signal).then((opened) => {
      this.keep(openingId, opened);
      return opened;
    });
    // Those who wait learn of a failure; if nobody does, it must not end the process.
    value.catch(() => undefined);
    const collection = { value, stop, waiting: 0 };
    this.#collections.set(openingId, collection);
    return collection;
  }
}
