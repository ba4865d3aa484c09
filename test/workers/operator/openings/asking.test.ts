import { describe, expect, it } from 'vitest';

import { NetError, NetErrorCode } from '../../../../workers/net/errors.ts';
import { askAll } from '../../../../workers/operator/openings/asking.ts';
import { aborted } from '../../../../workers/operator/waiting.ts';
import { testSignal } from '../harness.ts';

const peers = [1, 2, 3].map((index) => ({ index, peerId: `peer ${index}` }));

describe('asking all', () => {
  it('yields answers and failures as they come, and ends after the last', async () => {
    const open = new Map(peers.map(({ index }) => [index, Promise.withResolvers<string>()]));
    const answers = askAll(peers, ({ index }) => open.get(index)!.promise, testSignal());
    const refused = new NetError(NetErrorCode.refused, 'no');
    const seen: unknown[] = [];
    const first = answers.next();
    open.get(3)!.resolve('three');
    seen.push((await first).value);
    open.get(1)!.reject(refused);
    seen.push((await answers.next()).value);
    open.get(2)!.resolve('two');
    seen.push((await answers.next()).value);
    expect(seen).toEqual([
      { peer: peers[2], value: 'three' },
      { peer: peers[0], error: refused },
      { peer: peers[1], value: 'two' },
    ]);
    expect((await answers.next()).done).toBe(true);
  });

  it('withdraws what is open when the asker has enough', async () => {
    const withdrawn: number[] = [];
    const answers = askAll(
      peers,
      async ({ index }, signal) => {
        if (index === 2) return 'two';
        signal.addEventListener('abort', () => withdrawn.push(index));
        return aborted(signal);
      },
      testSignal(),
    );
    for await (const { value } of answers) {
      expect(value).toBe('two');
      break;
    }
    expect(withdrawn.sort()).toEqual([1, 3]);
  });

  it('throws the signal’s reason, whatever the questions come to', async () => {
    const stop = new AbortController();
    const answers = askAll(
      peers,
      (_, signal) =>
        aborted(signal).catch(() => Promise.reject(new NetError(NetErrorCode.aborted, ''))),
      stop.signal,
    );
    const first = answers.next();
    stop.abort('over');
    await expect(first).rejects.toBe('over');
  });

  it('throws what is no failure of a peer', async () => {
    const answers = askAll(peers, async () => Promise.reject(new TypeError()), testSignal());
    await expect(answers.next()).rejects.toThrow(TypeError);
  });

  it('of nobody ends at once', async () => {
    expect((await askAll([], async () => 1, testSignal()).next()).done).toBe(true);
  });
});
