import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { register } from '../../../../workers/net/blobs/index.ts';
import { Refusal, RefusalCode } from '../../../../workers/net/exchange/index.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { fetchBlob } from '../../../../workers/operator/public/blobs.ts';
import { activePeers } from '../../../../workers/operator/committee/seat.ts';
import { aborted } from '../../../../workers/operator/waiting.ts';
import { startCommittee, stopped, testSignal } from '../harness.ts';

const bytes = Buffer.from('a public blob');
const digest: Hex = `0x${createHash('sha256').update(bytes).digest('hex')}`;

type Provider = (signal: AbortSignal) => Promise<Uint8Array | Refusal>;

/** Operator 1 fetches; the others answer as told. Who was asked, in order, is in `asked`. */
async function start(...providers: Provider[]) {
  const { at } = await startCommittee(4, { mute: [2, 3, 4] });
  const asked: number[] = [];
  for (const [place, provide] of providers.entries()) {
    await register(at(place + 2).context.host, async (_, wanted, signal) => {
      expect(wanted).toBe(digest);
      asked.push(place + 2);
      return provide(signal);
    });
  }
  const { context, seat } = at(1);
  const peerIds = activePeers(seat()).map(({ peerId }) => peerId);
  const fetch = (signal = testSignal(), maxBytes = 100) =>
    fetchBlob(context, peerIds, digest, maxBytes, signal);
  return { context, asked, fetch };
}

const has: Provider = async () => bytes;
const hasNot: Provider = async () => new Refusal(RefusalCode.unknown);

describe('a public blob', () => {
  it('comes from the own store if it is there', async () => {
    const { context, asked, fetch } = await start(has, has, has);
    await context.store.blobs.put(bytes);
    expect(Buffer.from(await fetch())).toEqual(bytes);
    expect(asked).toEqual([]);
  });

  it('comes from the first peer that has it, and is kept', async () => {
    const { context, asked, fetch } = await start(hasNot, has, has);
    expect(Buffer.from(await fetch())).toEqual(bytes);
    expect(asked).toEqual([2, 3]);
    expect(await context.store.blobs.has(digest)).toBe(true);
  });

  it('is not what a peer sends in its place', async () => {
    const { context, asked, fetch } = await start(async () => Buffer.from('others'), has);
    expect(Buffer.from(await fetch())).toEqual(bytes);
    expect(asked).toEqual([2, 3]);
    expect(await context.store.blobs.has(digest)).toBe(true);
  });

  it('comes from the next peer if one is silent', async () => {
    const { asked, fetch } = await start(aborted, aborted, has);
    expect(Buffer.from(await fetch())).toEqual(bytes);
    expect(asked).toEqual([2, 3, 4]);
  });

  it('comes from a slow peer if the others do not have it', async () => {
    const othersAsked = Promise.withResolvers<void>();
    const slow: Provider = async () => othersAsked.promise.then(() => bytes);
    const last: Provider = async (signal) => {
      othersAsked.resolve();
      return hasNot(signal);
    };
    const { asked, fetch } = await start(slow, hasNot, last);
    expect(Buffer.from(await fetch())).toEqual(bytes);
    expect(asked).toEqual([2, 3, 4]);
  });

  it('is unavailable if nobody has it, or nobody has one short enough', async () => {
    const code = OperatorErrorCode.BLOB_UNAVAILABLE;
    const { fetch } = await start(hasNot, hasNot, hasNot);
    await expect(fetch()).rejects.toMatchObject({ code });
    const long = await start(has, has, has);
    await expect(long.fetch(testSignal(), bytes.length - 1)).rejects.toMatchObject({ code });
    expect(await long.context.store.blobs.has(digest)).toBe(false);
  });

  it('is unavailable if one is silent and the others do not have it', async () => {
    const { fetch } = await start(aborted, hasNot, hasNot);
    const code = OperatorErrorCode.BLOB_UNAVAILABLE;
    await expect(fetch()).rejects.toMatchObject({ code });
  });

  it('is waited for no longer than the signal allows', async () => {
    const stop = new AbortController();
    const askedLast = Promise.withResolvers<void>();
    const { fetch } = await start(aborted, hasNot, async (signal) => {
      askedLast.resolve();
      return aborted(signal);
    });
    const fetched = fetch(stop.signal);
    fetched.catch(() => undefined);
    await askedLast.promise;
    stop.abort(stopped());
    await expect(fetched).rejects.toMatchObject(stopped());
  });
});
