import { describe, expect, it } from 'vitest';

import { ChainState } from '../../../../workers/operator/chain-view/chain-state.ts';
import { digestOf, FakeChain } from '../fake-chain.ts';
import { testSignal } from '../harness.ts';

const propose = (name: string) =>
  ({
    eventName: 'EpochProposed',
    args: { proposalId: digestOf(name), operators: [], signers: [], deadline: 0n },
  }) as const;

describe('the chain state', () => {
  it('folds blocks and has the own view of each', () => {
    const chain = new FakeChain();
    const first = chain.emit(propose('first'));
    const second = chain.emit(propose('second'));
    const state = new ChainState(() => true);
    expect(state.height).toBe(0n);
    state.apply(first);
    state.apply(second);
    expect([...state.now.proposals.keys()]).toEqual(['first', 'second'].map(digestOf));
    expect(state.height).toBe(2n);
    const { height, hash, logsDigest } = second;
    expect(state.block(2n)).toEqual({ height, blockHash: hash, logsDigest });
    expect(state.block(3n)).toBeUndefined();
  });

  it('leaves out events that are not authentic, in the light of those before', () => {
    const chain = new FakeChain();
    const state = new ChainState(({ proposals }) => !proposals.has(digestOf('first')));
    const block = chain.emit(propose('first'), propose('second'));
    state.apply(block);
    expect([...state.now.proposals.keys()]).toEqual([digestOf('first')]);
    // What is signed covers all logs.
    expect(state.block(1n)?.logsDigest).toBe(block.logsDigest);
  });

  it('knows the digests that the chain names, until a reorganisation', () => {
    const chain = new FakeChain();
    const state = chain.follow();
    const digest = digestOf('ciphertext');
    const args = {
      handle: digestOf('handle'),
      keyId: digestOf('key'),
      digest,
      limbs: 1,
      origin: 0,
    };
    chain.emit({ eventName: 'CiphertextRegistered', args });
    expect(state.publicDigests.isUploadable(digest)).toBe(true);
    expect(state.publicDigests.has(digest)).toBe(true);
    expect(state.publicDigests.has(digestOf('another'))).toBe(false);
    state.rebuild([]);
    expect(state.publicDigests.has(digest)).toBe(false);
  });

  it('knows what is asked for and not recorded, in the order of asking', () => {
    const chain = new FakeChain();
    const state = chain.follow();
    const ids = ['key', 'evaluation keys', 'decryption', 'user decryption'].map(digestOf);
    const [keyId, requestId, decryption, userDecryption] = ids;
    const zero = `0x${'00'.repeat(32)}`;
    chain.emit(
      { eventName: 'KeyRequested', args: { keyId } },
      {
        eventName: 'EvaluationKeysRequested',
        args: { requestId, keyId, kind: 1, targetKeyId: zero, elements: [] },
      },
      {
        eventName: 'PublicDecryptionRequested',
        args: { requestId: decryption, keyId, handles: [], positions: [] },
      },
      { eventName: 'UserDecryptionRequested', args: { requestId: userDecryption, keyId } },
    );
    expect([...state.pending]).toEqual(ids);
    chain.emit({ eventName: 'PublicKeyRecorded', args: { keyId, digest: zero } });
    chain.emit({ eventName: 'EvaluationKeysRecorded', args: { requestId, digests: zero } });
    expect([...state.pending]).toEqual([decryption, userDecryption]);
    chain.emit(
      { eventName: 'PublicDecryptionResponded', args: { requestId: decryption, result: zero } },
      { eventName: 'UserDecryptionResponded', args: { requestId: userDecryption, result: zero } },
      { eventName: 'KeyRequested', args: { keyId } },
    );
    expect([...state.pending]).toEqual([keyId]);
    // What was refunded is not asked for any more, until it is again.
    chain.emit({ eventName: 'RequestExpired', args: { requestId: keyId, payer: '0x' } });
    expect([...state.pending]).toEqual([]);
    chain.emit({ eventName: 'KeyRequested', args: { keyId } });
    expect([...state.pending]).toEqual([keyId]);
    state.rebuild([]);
    expect([...state.pending]).toEqual([]);
  });

  it('keeps nothing of blocks that are no longer on the chain', () => {
    const chain = new FakeChain();
    const state = chain.follow();
    const first = chain.emit(propose('first'));
    chain.emit(propose('second'));
    state.rebuild([first]);
    expect([...state.now.proposals.keys()]).toEqual([digestOf('first')]);
    expect(state.height).toBe(1n);
    expect(state.block(2n)).toBeUndefined();
    state.rebuild([]);
    expect(state.now.proposals.size).toBe(0);
    expect(state.height).toBe(0n);
  });

  it('wakes everybody at each change, a rebuild to nothing included', async () => {
    const chain = new FakeChain();
    const state = chain.follow();
    const block = [state.change(testSignal()), state.change(testSignal())];
    chain.emit(propose('first'));
    await Promise.all(block);
    const rebuilt = state.change(testSignal());
    state.rebuild([]);
    await rebuilt;
  });

  it('lets go of who no longer waits', async () => {
    const state = new FakeChain().follow();
    const stop = new AbortController();
    const waiting = state.change(stop.signal);
    stop.abort('over');
    await expect(waiting).rejects.toBe('over');
    await expect(state.change(stop.signal)).rejects.toBe('over');
  });
});
