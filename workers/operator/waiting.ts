/** Resolves after a time, or rejects with the signal's reason. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const abandon = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abandon);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', abandon, { once: true });
  });
}

/** What `work` comes to, or a rejection with the signal's reason if that is first. The work goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abandon = (): void => reject(signal.reason as Error);
  if (signal.aborted) abandon();
  else signal.addEventListener('abort', abandon, { once: true });
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener('abort', abandon);
  }
}

/** Never resolves; rejects with the signal's reason. */
export function aborted(signal: AbortSignal): Promise<never> {
  return unlessAborted(new Promise<never>(() => undefined), signal);
}

/** Slices in which silence is counted. */
const SLICES = 10;

/**
 * What `work` comes to, or undefined once it has been quiet for a time: not since it began, nor since
 * it last called `onProgress`. It is aborted then; and after `totalMs`, whatever progress there is.
 *
 * Only time in which this process was listening counts: where it has computed for a while, the answer
 * may be there and not have been looked at. So the time is waited for in slices.
 */
export async function untilQuiet<T>(
  { quietMs, totalMs }: { readonly quietMs: number; readonly totalMs: number },
  signal: AbortSignal,
  work: (signal: AbortSignal, onProgress: () => void) => Promise<T>,
): Promise<T | undefined> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const sliceMs = quietMs / SLICES;
  let left = SLICES;
  const quiet = (async (): Promise<undefined> => {
    for (let spentMs = 0; left > 0 && spentMs < totalMs; spentMs += sliceMs) {
      await pause(sliceMs, both);
      left -= 1;
    }
  })();
  quiet.catch(() => undefined);
  const answer = work(both, () => {
    left = SLICES;
  });
  // Whatever it says after it was aborted.
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, quiet]);
  } finally {
    over.abort();
  }
}

/** Something that happens again and again, and that others wait for. Who stops waiting is forgotten. */
export class Wakeup {
  readonly #waiting = new Set<() => void>();

  /** Wakes everybody who waits now. */
  wake(): void {
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of woken) resolve();
  }

  /** Resolves at the next `wake`; rejects with the signal's reason. */
  async wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    try {
      await unlessAborted(promise, signal);
    } finally {
      this.#waiting.delete(resolve);
    }
  }
}
