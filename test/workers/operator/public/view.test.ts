import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { describe, expect, it, vi } from 'vitest';

import { ask } from '../../../../workers/net/blobs/index.ts';
import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { PublicView } from '../../../../workers/operator/public/view.ts';
import { expectFailure } from '../../net/support.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee, testSignal, type TestOperator } from '../harness.ts';

const bytes = Buffer.from('a ciphertext');
const sha256 = (data: Uint8Array): Hex => `0x${createHash('sha256').update(data).digest('hex')}`;
const digest = sha256(bytes);
const keyId = digestOf('key');

const viewOf = ({ context, chain, seats }: TestOperator) => new PublicView(context, chain, seats);

const registered = {
  eventName: 'CiphertextRegistered',
  args: { handle: digestOf('handle'), keyId, digest, limbs: 1, noiseBits: 1, owner: '0x' },
} as const;

describe('health', () => {
  it('is ok for an operator that can serve', async () => {
    const { at, epochId } = await startCommittee(4);
    const { context } = at(1);
    expect(await viewOf(at(1)).health()).toMatchObject({
      status: 'ok',
      reasons: [],
      signer: context.account.address,
      peerId: context.host.peerId,
      head: 3n,
      epochs: [{ epochId, index: 1, phase: 'active', shares: 'held' }],
    });
  });

  it('is degraded, with the reason, for one whose shares are missing', async () => {
    const { at, chain, epochId } = await startCommittee(4, { keyless: [2] });
    expect(await viewOf(at(2)).health()).toMatchObject({ status: 'ok' });
    chain.emit({ eventName: 'EpochConfirmed', args: { epochId, member: 2 } });
    const health = await viewOf(at(2)).health();
    expect(health).toMatchObject({ status: 'degraded', reasons: ['SHARES_MISSING'] });
  });

  it('costs one request to the chain, however often it is asked for at once', async () => {
    const { at } = await startCommittee(4);
    const { client } = at(1).context.gateway;
    const getBlockNumber = vi.spyOn(client, 'getBlockNumber');
    const view = viewOf(at(1));
    await Promise.all(Array.from({ length: 20 }, () => view.health()));
    expect(getBlockNumber).toHaveBeenCalledOnce();
  });

  it('is degraded for one without a chain', async () => {
    const { at, chain } = await startCommittee(4);
    chain.outage = new Error('no endpoint');
    const health = await viewOf(at(1)).health();
    expect(health).toMatchObject({ status: 'degraded', reasons: ['RPC_UNREACHABLE'] });
  });
});

describe('a blob', () => {
  it('is given to anybody if the chain names it, from a peer if need be', async () => {
    const { at, chain } = await startCommittee(4);
    await at(3).context.store.blobs.put(bytes);
    chain.emit(registered);
    expect(Buffer.from(await viewOf(at(1)).blob(digest))).toEqual(bytes);
  });

  it('is not looked for if the chain does not name it, nor given to peers', async () => {
    const { at } = await startCommittee(4);
    await at(1).context.store.blobs.put(bytes);
    const code = OperatorErrorCode.NOT_FOUND;
    await expect(viewOf(at(1)).blob(digest)).rejects.toMatchObject({ code });
    const { host } = at(2).context;
    const options = { signal: testSignal(), maxBytes: 100 };
    const answer = ask(host, at(1).context.host.peerId, digest, options);
    await expectFailure(answer, NetErrorCode.refused);
  });

  it.each<[string, Hex[], boolean]>([
    ['of all coefficients', [], true],
    ['of listed positions', [digestOf('position')], false],
  ])('may be the plaintext of a decryption %s', async (_, positions, isNamed) => {
    const { at, chain, epochId } = await startCommittee(4);
    await at(1).context.store.blobs.put(bytes);
    const requestId = digestOf('request');
    const handles = [digestOf('a'), digestOf('b')];
    const request = { requestId, epochId, keyId, handles, positions, deadline: 0n };
    const result = `0x${digestOf('another').slice(2)}${digest.slice(2)}`;
    chain.emit(
      { eventName: 'PublicDecryptionRequested', args: request },
      { eventName: 'PublicDecryptionResponded', args: { requestId, result } },
    );
    const found = await viewOf(at(1))
      .blob(digest)
      .catch(() => undefined);
    expect(found !== undefined).toBe(isNamed);
  });

  it('may be a public key', async () => {
    const { at, chain, epochId } = await startCommittee(4);
    await at(1).context.store.blobs.put(bytes);
    chain.emit(
      { eventName: 'KeyRequested', args: { keyId, epochId, deadline: 0n } },
      { eventName: 'PublicKeyRecorded', args: { keyId, digest } },
    );
    expect(Buffer.from(await viewOf(at(1)).blob(digest))).toEqual(bytes);
  });
});

describe('an upload', () => {
  it('waits for its registration', async () => {
    const { at, chain } = await startCommittee(4);
    const expected = viewOf(at(1)).expectUpload(digest, testSignal());
    chain.emit({ ...registered, args: { ...registered.args, digest: digestOf('another') } });
    chain.emit(registered);
    await expected;
    await viewOf(at(1)).expectUpload(digest, AbortSignal.abort());
  });

  it('is refused if there is none in time', async () => {
    const { at } = await startCommittee(4);
    const stop = new AbortController();
    const expected = viewOf(at(1)).expectUpload(digest, stop.signal);
    stop.abort();
    const code = OperatorErrorCode.BLOB_NOT_REGISTERED;
    await expect(expected).rejects.toMatchObject({ code });
  });

  it('is kept if it has the digest, and only then', async () => {
    const { at } = await startCommittee(4);
    const code = OperatorErrorCode.BLOB_DIGEST_MISMATCH;
    const other = Buffer.from('others');
    await expect(viewOf(at(1)).keepUpload(digest, other)).rejects.toMatchObject({ code });
    expect(await at(1).context.store.blobs.has(sha256(other))).toBe(false);
    await viewOf(at(1)).keepUpload(digest, bytes);
    expect(await at(1).context.store.blobs.has(digest)).toBe(true);
  });
});
