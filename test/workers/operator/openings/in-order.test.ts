import { describe, expect, it } from 'vitest';

import { inOrder } from '../../../../workers/operator/openings/in-order.ts';
import { stopped, testSignal } from '../harness.ts';

/** Work that is finished by the test, item by item. */
function workshop() {
  const finish = new Map<number, (value: string) => void>();
  const signals: AbortSignal[] = [];
  const run = (item: number, signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    const { promise, resolve } = Promise.withResolvers<string>();
    finish.set(item, resolve);
    return promise;
  };
  return { finish, signals, run };
}

describe('work in order', () => {
  it('gives results in the order of the items, whichever is done first', async () => {
    const { finish, run } = workshop();
    const results = inOrder([0, 1, 2], 3, run, testSignal());
    const first = results.next();
    finish.get(2)!('c');
    finish.get(1)!('b');
    finish.get(0)!('a');
    expect(await first).toEqual({ done: false, value: 'a' });
    const rest: string[] = [];
    for await (const result of results) rest.push(result);
    expect(rest).toEqual(['b', 'c']);
  });

  it('begins no more items than fit, and takes the next when its turn comes', async () => {
    const { finish, run } = workshop();
    let taken = 0;
    function* items() {
      for (; taken < 10;) yield taken++;
    }
    const results = inOrder(items(), 2, run, testSignal());
    const first = results.next();
    expect([...finish.keys()]).toEqual([0, 1]);
    finish.get(1)!('b');
    finish.get(0)!('a');
    await first;
    expect([...finish.keys()]).toEqual([0, 1]);
    void results.next();
    await new Promise(setImmediate);
    expect([...finish.keys()]).toEqual([0, 1, 2]);
    expect(taken).toBe(3);
  });

  it('tells what is running to stop when one fails, or when nobody wants more', async () => {
    const failing = workshop();
    const run = (item: number, signal: AbortSignal) =>
      item === 0 ? Promise.reject(stopped()) : failing.run(item, signal);
    await expect(inOrder([0, 1], 2, run, testSignal()).next()).rejects.toMatchObject(stopped());
    expect(failing.signals.map(({ aborted }) => aborted)).toEqual([true]);

    const left = workshop();
    const results = inOrder([0, 1], 2, left.run, testSignal());
    const first = results.next();
    left.finish.get(0)!('a');
    await first;
    await results.return();
    expect(left.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('begins nothing once it was told to stop', async () => {
    const { signals, run } = workshop();
    const stop = new AbortController();
    stop.abort(stopped());
    await expect(inOrder([0], 1, run, stop.signal).next()).rejects.toMatchObject(stopped());
    expect(signals).toEqual([]);
  });
});
