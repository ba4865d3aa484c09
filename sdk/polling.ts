const DEFAULT_POLL_MS = 250;

/**
 * Asks until there is an answer. `ask` returns undefined for "not yet" and throws to give up; on
 * timeout `expired` makes the error. Rejects with the signal's reason when that is aborted.
 */
export async function poll<T>(
  ask: () => Promise<T | undefined>,
  options: { timeoutMs: number; pollMs?: number; signal?: AbortSignal | undefined },
  expired: () => Error | Promise<Error>,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) throw await expired();
    await delay(options.pollMs ?? DEFAULT_POLL_MS, options.signal);
  }
}

/** Resolves after a while, or as soon as the signal is aborted. */
export function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal?.addEventListener('abort', wake);
  });
}
