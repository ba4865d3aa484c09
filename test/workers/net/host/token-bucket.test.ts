import { expect, it } from 'vitest';

import { TokenBucket } from '../../../../workers/net/host/token-bucket.ts';

it('gives a burst, then so many per second, and saves up no more than the burst', () => {
  let now = 0;
  const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, () => now);
  const taken = (): number => {
    let count = 0;
    while (bucket.take()) count += 1;
    return count;
  };
  expect(taken()).toBe(3);
  now += 400;
  expect(taken()).toBe(0);
  now += 100;
  expect(taken()).toBe(1);
  now += 60_000;
  expect(taken()).toBe(3);
});
