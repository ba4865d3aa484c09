import { unlessAborted } from './waiting.ts';

/** Work that goes on, and how many wait for it. */
interface Running<T> {
  readonly value: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/** Work that is done once however many ask for it, and no longer than somebody waits for it. */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  /** What the work of this name comes to; begins it unless it goes on. Rejects with the signal's reason. */
  async obtain(
    name: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const running = this.#running.get(name) ?? this.#begin(name, work);
    running.waiting += 1;
    try {
      return await unlessAborted(running.value, signal);
    } finally {
      running.waiting -= 1;
      if (running.waiting === 0) {
        running.stop.abort();
        if (this.#running.get(name) === running) this.#running.delete(name);
      }
    }
  }

  #begin(name: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const stop = new AbortController();
    const value = work(stop.signal);
    // Those who wait learn of a failure; if nobody does, it must not end the process.
    value.catch(() => undefined);
    const running = { value, stop, waiting: 0 };
    this.#running.set(name, running);
    return running;
  }
}
