import { setMaxListeners } from 'node:events';

import { NetError, NetErrorCode } from './errors.ts';

/**
 * Everything that can end one piece of work: parents' signals, named time limits, or a decision.
 *
 * `signal` aborts with a NetError as its reason, once. A scope holds timers and listeners until
 * `dispose` is called.
 */
export class Scope {
  readonly #controller = new AbortController();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #detach: (() => void)[] = [];

  constructor(...parents: readonly AbortSignal[]) {
    setMaxListeners(0, this.#controller.signal);
    for (const parent of parents) this.#follow(parent);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the work for this reason, unless it has ended already. */
  end(reason: NetError): void {
    this.#controller.abort(reason);
  }

  /** Ends the work unless this is called again with the same name, or `lift`, within `ms`. */
  limit(name: string, ms: number, reason: () => NetError = () => timedOut(name, ms)): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => this.end(reason()), ms),
    );
  }

  /** Starts a running limit anew. */
  extend(name: string): void {
    this.#timers.get(name)?.refresh();
  }

  lift(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** Waits for `work`, or throws the reason for the end of this scope if that comes first. */
  async race<T>(work: Promise<T>): Promise<T> {
    let onAbort!: () => void;
    const ended = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.signal.reason as NetError);
      if (this.signal.aborted) onAbort();
      else this.signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([ended, work]);
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const detach of this.#detach.splice(0)) detach();
  }

  #follow(parent: AbortSignal): void {
    const onAbort = () => this.end(asNetError(parent.reason));
    if (parent.aborted) return onAbort();
    // One long-lived signal ends many questions; older Node versions take that for a leak.
    setMaxListeners(0, parent);
    parent.addEventListener('abort', onAbort, { once: true });
    this.#detach.push(() => parent.removeEventListener('abort', onAbort));
  }
}

function asNetError(reason: unknown): NetError {
  if (reason instanceof NetError) return reason;
  return new NetError(NetErrorCode.aborted, 'Aborted by the caller', { cause: reason });
}

function timedOut(name: string, ms: number): NetError {
  return new NetError(NetErrorCode.timedOut, `Time limit "${name}" reached`, {
    metadata: { limit: name, ms },
  });
}
