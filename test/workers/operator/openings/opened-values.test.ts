import { describe, expect, it } from 'vitest';

import { OpenedValues } from '../../../../workers/operator/openings/opened-values.ts';
import type { RnsVector } from '../../../../workers/ring/basis.ts';
import { digestOf } from '../fake-chain.ts';
import { stopped, testSignal } from '../harness.ts';

const id = digestOf('opening');
const value: RnsVector = BigUint64Array.of(1n, 2n);

describe('opened values', () => {
  it('are collected once, for all who ask, and known from then on', async () => {
    const values = new OpenedValues();
    const { promise, resolve } = Promise.withResolvers<RnsVector>();
    let collections = 0;
    const collect = () => {
      collections += 1;
      return promise;
    };
    const asked = [1, 2, 3].map(() => values.obtain(id, collect, testSignal()));
    resolve(value);
    expect(await Promise.all(asked)).toEqual([value, value, value]);
    expect(await values.obtain(id, collect, testSignal())).toBe(value);
    expect(values.get(id)).toBe(value);
    expect(collections).toBe(1);
  });

  it('are collected for as long as somebody waits, and no longer', async () => {
    const values = new OpenedValues();
    const told = Promise.withResolvers<void>();
    const collect = (signal: AbortSignal) =>
      new Promise<RnsVector>((_, reject) => {
        signal.addEventListener('abort', () => {
          told.resolve();
          reject(stopped());
        });
      });
    const [first, second] = [new AbortController(), new AbortController()];
    const one = values.obtain(id, collect, first.signal);
    const two = values.obtain(id, collect, second.signal);
    let isTold = false;
    void told.promise.then(() => (isTold = true));
    first.abort(stopped());
    await expect(one).rejects.toMatchObject(stopped());
    await new Promise(setImmediate);
    expect(isTold).toBe(false);
    second.abort(stopped());
    await expect(two).rejects.toMatchObject(stopped());
    await told.promise;
    // Who asks afterwards begins anew.
    expect(await values.obtain(id, async () => value, testSignal())).toBe(value);
  });

  it('fail for all who wait, and can be asked for again', async () => {
    const values = new OpenedValues();
    const fail = () => Promise.reject<RnsVector>(stopped());
    const asked = [1, 2].map(() => values.obtain(id, fail, testSignal()));
    for (const one of asked) await expect(one).rejects.toMatchObject(stopped());
    expect(await values.obtain(id, async () => value, testSignal())).toBe(value);
  });

  it('are kept in memory for the latest openings only', () => {
    const values = new OpenedValues();
    for (let at = 0; at < 17; at++) values.keep(digestOf(`${at}`), value);
    expect(values.get(digestOf('0'))).toBeUndefined();
    expect(values.get(digestOf('1'))).toBe(value);
    expect(values.get(digestOf('16'))).toBe(value);
  });
});
