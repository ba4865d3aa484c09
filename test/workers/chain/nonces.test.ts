import { describe, expect, it } from 'vitest';
import { freeNonce, gapsBelow, outOfReach } from '../../../workers/chain/nonces.ts';

const pending = (...nonces: number[]) =>
  nonces.map((nonce) => ({ nonce, key: `${nonce}`, attempts: [] }));

describe('nonces', () => {
  it.each([
    [5, [], [], 5],
    [5, [5, 6], [], 7],
    [5, [3, 4], [], 5],
    [5, [4, 7], [5, 6], 5],
    [5, [5, 8, 9], [6, 7], 6],
    [0, [1], [0], 0],
  ])('at count %i with %j signed for', (count, nonces, gaps, free) => {
    expect(gapsBelow(count, pending(...nonces))).toEqual(gaps);
    expect(freeNonce(count, pending(...nonces))).toBe(free);
  });

  it('tells a long queue from a nonce that is out of reach', () => {
    const queue = Array.from({ length: 300 }, (_, i) => i + 10);
    expect(outOfReach(10, pending(...queue), 16)).toEqual([]);
    expect(outOfReach(10, pending(...queue, 326), 16)).toEqual([]);
    expect(outOfReach(10, pending(...queue, 327), 16)).toEqual(pending(327));
  });
});
