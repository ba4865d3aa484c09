import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Slots } from '../../../../workers/operator/duties/slots.ts';

const never = new AbortController().signal;
const LEASE_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that has begun or not, and ends when told. */
function work(slots: Slots, begun: string[], name: string, signal = never) {
  const end = Promise.withResolvers<string>();
  const done = slots.run(signal, () => {
    begun.push(name);
    return end.promise;
  });
  return { done, end: () => end.resolve(name), fail: (error: Error) => end.reject(error) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('slots', () => {
  it('give places in order of asking, no more than there are', async () => {
    const slots = new Slots(2, LEASE_MS);
    const begun: string[] = [];
    const [a, b] = ['a', 'b', 'c', 'd'].map((name) => work(slots, begun, name));
    await settle();
    expect(begun).toEqual(['a', 'b']);
    expect([slots.taken, slots.waiting]).toEqual([2, 2]);
    b.end();
    expect(await b.done).toBe('b');
    await settle();
    expect(begun).toEqual(['a', 'b', 'c']);
    a.fail(new Error('a'));
    await expect(a.done).rejects.toThrow('a');
    await settle();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('let go of who is aborted while it waits, who then never begins', async () => {
    const slots = new Slots(1, LEASE_MS);
    const begun: string[] = [];
    const abandon = new AbortController();
    const a = work(slots, begun, 'a');
    const b = work(slots, begun, 'b', abandon.signal);
    const c = work(slots, begun, 'c');
    abandon.abort('gone');
    await expect(b.done).rejects.toBe('gone');
    await expect(work(slots, begun, 'e', abandon.signal).done).rejects.toBe('gone');
    a.end();
    await settle();
    expect(begun).toEqual(['a', 'c']);
    c.end();
    await settle();
    work(slots, begun, 'd');
    await settle();
    expect(begun).toEqual(['a', 'c', 'd']);
  });

  it('pass on a place whose work goes on for too long, once', async () => {
    const slots = new Slots(1, LEASE_MS);
    const begun: string[] = [];
    const a = work(slots, begun, 'a');
    work(slots, begun, 'b');
    await vi.advanceTimersByTimeAsync(LEASE_MS - 1);
    expect(begun).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toEqual(['a', 'b']);
    work(slots, begun, 'c');
    a.end();
    expect(await a.done).toBe('a');
    await settle();
    expect(begun).toEqual(['a', 'b']);
  });
});
