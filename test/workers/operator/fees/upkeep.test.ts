import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { FeeKeeper } from '../../../../workers/operator/fees/keeper.ts';
import { keepFees } from '../../../../workers/operator/fees/upkeep.ts';
import { stopped } from '../harness.ts';
import { FeeWorld } from './world.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it.each([
  [600_000, 10_000],
  [2_000, 2_000],
])('settling every %i ms, an operator looks every %i ms', async (settleEveryMs, lookEveryMs) => {
  const world = new FeeWorld();
  const { context, view, lines } = await world.operator(1);
  const attest = vi.spyOn(FeeKeeper.prototype, 'attest').mockResolvedValue();
  const settle = vi.spyOn(FeeKeeper.prototype, 'settleAndExpire').mockResolvedValue();
  const stop = new AbortController();
  const kept = keepFees(context, view, settleEveryMs, stop.signal);
  await vi.advanceTimersByTimeAsync(lookEveryMs);
  expect([attest, settle].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(settleEveryMs);
  expect(attest).toHaveBeenCalledTimes(1 + settleEveryMs / lookEveryMs);
  expect(settle).toHaveBeenCalledTimes(2);

  attest.mockRejectedValueOnce(new TypeError('no endpoint'));
  await vi.advanceTimersByTimeAsync(lookEveryMs);
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'fees have to wait'],
  ]);
  await vi.advanceTimersByTimeAsync(lookEveryMs);
  expect(attest).toHaveBeenCalledTimes(3 + settleEveryMs / lookEveryMs);
  stop.abort(stopped());
  await kept;
  expect(lines).toHaveLength(1);
});
