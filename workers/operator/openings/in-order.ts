/**
 * Runs work on items, up to `width` at a time, and yields the results in the items' order.
 *
 * An item is taken only once its turn comes, and no more than `width` results are held. The first
 * failure ends it, and so does leaving the loop: what is still running is told to stop by its signal.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  width: number,
  run: (item: Item, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): AsyncGenerator<Result, void, undefined> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const running: Promise<Result>[] = [];
  const begin = (item: Item): void => {
    const result = run(item, both);
    // It is looked at when its turn comes; until then it must not end the process.
    result.catch(() => undefined);
    running.push(result);
  };
  try {
    for (const item of items) {
      signal.throwIfAborted();
      begin(item);
      if (running.length === width) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    over.abort();
  }
}
