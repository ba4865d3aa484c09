/** One of several ways to the same thing. Resolves with undefined if it does not lead there. */
export type Attempt<T> = (signal: AbortSignal, onProgress: () => void) => Promise<T | undefined>;

/**
 * The first result of attempts in the given order. The next one starts when one has failed, or when
 * none has come on for `patienceMs`: then both go on, so neither a silent nor a slow one is waited for.
 * Whatever is still under way at the end is aborted.
 * @returns undefined if all have failed
 */
export async function firstOf<T>(
  attempts: readonly Attempt<T>[],
  { patienceMs }: { patienceMs: number },
): Promise<T | undefined> {
  const over = new AbortController();
  const left = [...attempts];
  let running = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<T | undefined>((resolve, reject) => {
      const beginNext = (): void => {
        if (over.signal.aborted) return;
        const attempt = left.shift();
        if (attempt === undefined) {
          if (running === 0) resolve(undefined);
          return;
        }
        running++;
        beginPatience();
        attempt(over.signal, beginPatience).then((result) => {
          running--;
          if (result === undefined) beginNext();
          else resolve(result);
        }, reject);
      };
      const beginPatience = (): void => {
        clearTimeout(timer);
        if (!over.signal.aborted) timer = setTimeout(beginNext, patienceMs);
      };
      beginNext();
    });
  } finally {
    over.abort();
    clearTimeout(timer);
  }
}
