import type { Hex } from 'viem';

import type { RnsVector } from '../../ring/basis.ts';
import { SharedWork } from '../shared-work.ts';

/** Values that are kept in memory: those that peers a little behind still ask for. */
const MAX_VALUES = 16;

/**
 * Opened values that this operator knows to be right, for the peers that ask it to be their opener.
 *
 * However many ask for a value, it is collected once; and no longer than somebody waits for it.
 */
export class OpenedValues {
  readonly #values = new Map<Hex, RnsVector>();
  readonly #collections = new SharedWork<RnsVector>();

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
    const keep = async (open: AbortSignal): Promise<RnsVector> => {
      const opened = await collect(open);
      this.keep(openingId, opened);
      return opened;
    };
    return this.#collections.obtain(openingId, keep, signal);
  }
}
