/**
 * A fixed number of places, given in order of asking.
 *
 * All operators see requests in the chain's order. Serving them in that order, few at a time, keeps
 * the operators near each other: what one still needs is still on the others' boards.
 *
 * A place is lent: after `leaseMs` the next one has it although the work goes on. Otherwise operators
 * that a requester got to serve different requests would wait for each other until their deadlines.
 */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  readonly #leaseMs: number;
  readonly #count: number;
  #free: number;

  constructor(count: number, leaseMs: number) {
    this.#count = count;
    this.#free = count;
    this.#leaseMs = leaseMs;
  }

  /** Places that are taken. */
  get taken(): number {
    return this.#count - this.#free;
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` once there is a place for it. Rejects with the signal's reason while it waits. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#take(signal);
    let isHeld = true;
    const give = (): void => {
      if (isHeld) this.#give();
      isHeld = false;
    };
    const lease = setTimeout(give, this.#leaseMs);
    try {
      return await work();
    } finally {
      clearTimeout(lease);
      give();
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const abandon = (): void => {
      const at = this.#waiting.indexOf(resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abandon, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
