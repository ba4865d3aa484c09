import { describe, expect, it, vi } from 'vitest';

import { untilQuiet } from '../../../workers/operator/waiting.ts';
import { stopped, testSignal } from './harness.ts';

/** Work that ends only when it is told to. */
const endless = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(stopped()), { once: true });
  });

const patience = (quietMs: number) => ({ quietMs, totalMs: Infinity });

describe('waiting until it is quiet', () => {
  it('ends with what the work comes to', async () => {
    expect(await untilQuiet(patience(10_000), testSignal(), async () => 'value')).toBe('value');
    await expect(
      untilQuiet(patience(10_000), testSignal(), () => Promise.reject(stopped())),
    ).rejects.toMatchObject(stopped());
  });

  it('gives up what says nothing, and tells it', async () => {
    let told = false;
    const value = await untilQuiet(patience(20), testSignal(), (signal) => {
      signal.addEventListener('abort', () => (told = true));
      return endless(signal);
    });
    expect(value).toBeUndefined();
    expect(told).toBe(true);
  });

  it('goes on for as long as there is progress', async () => {
    vi.useFakeTimers();
    try {
      let progress!: () => void;
      let isOver = false;
      const value = untilQuiet(patience(100), testSignal(), (signal, onProgress) => {
        progress = onProgress;
        return endless(signal);
      });
      void value.then(() => (isOver = true));
      // Each step takes most of the patience; together they take many times as much.
      for (let step = 0; step < 8; step++) {
        await vi.advanceTimersByTimeAsync(80);
        progress();
      }
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(120);
      expect(await value).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives up after the time that it has in all, whatever progress there is', async () => {
    vi.useFakeTimers();
    try {
      let progress!: () => void;
      const value = untilQuiet(
        { quietMs: 100, totalMs: 300 },
        testSignal(),
        (signal, onProgress) => {
          progress = onProgress;
          return endless(signal);
        },
      );
      for (let step = 0; step < 4; step++) {
        await vi.advanceTimersByTimeAsync(80);
        progress();
      }
      expect(await value).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not count time in which this process was computing', async () => {
    const value = await untilQuiet(patience(100), testSignal(), async () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      setTimeout(() => {
        const end = performance.now() + 200;
        while (performance.now() < end);
        // The answer was there all the time: it comes with the next turn.
        setImmediate(() => resolve('value'));
      }, 1);
      return promise;
    });
    expect(value).toBe('value');
  });

  it('ends when it is told to stop', async () => {
    const stop = new AbortController();
    const waiting = untilQuiet(patience(10_000), stop.signal, endless);
    stop.abort(stopped());
    await expect(waiting).rejects.toMatchObject(stopped());
  });
});
