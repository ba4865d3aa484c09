import { describe, expect, it } from 'vitest';

import { Refusal, RefusalCode } from '../../../../workers/net/exchange/index.ts';
import { ask, register, type SignedView } from '../../../../workers/net/views/index.ts';
import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { sign } from '../../../../workers/operator/context.ts';
import { activePeers } from '../../../../workers/operator/committee/seat.ts';
import { agreeOnBlock, type BlockView } from '../../../../workers/operator/chain-view/views.ts';
import { aborted } from '../../../../workers/operator/waiting.ts';
import { expectFailure } from '../../net/support.ts';
import { digestOf } from '../fake-chain.ts';
import {
  signerAccount,
  startCommittee,
  stopped,
  testSignal,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';

const HEIGHT = 3n;

/** Another block at the height than the one on chain. */
const other: BlockView = {
  height: HEIGHT,
  blockHash: digestOf('another block'),
  logsDigest: digestOf('other logs'),
};

/** Answers questions for views at an operator's host with what `view` gives, signed by `account`. */
function answerWith(
  { context, seat }: TestOperator,
  view: (signal: AbortSignal) => Promise<BlockView | Refusal>,
  account = context.account,
): Promise<void> {
  return register(context.host, async (_, { epochId }, signal) => {
    const seen = await view(signal);
    if (seen instanceof Refusal) return seen;
    const { blockHash, logsDigest } = seen;
    const message = { epochId, ...seen };
    const signature = await sign({ ...context, account }, { type: 'ChainView', message });
    expect(seat().session.epochId).toBe(epochId);
    return { blockHash, logsDigest, signature } satisfies SignedView;
  });
}

/** Runs an agreement of an operator on the block at the height; collects what its hooks are told. */
function agree({ at }: TestCommittee, index: number, view?: BlockView) {
  const { context, chain, seat } = at(index);
  const waiting: (readonly number[])[] = [];
  const outvoted = Promise.withResolvers<void>();
  const stop = new AbortController();
  const done = agreeOnBlock(context, seat(), view ?? chain.block(HEIGHT)!, stop.signal, {
    onWaiting: (indices) => waiting.push(indices),
    onOutvoted: () => outvoted.resolve(),
  });
  done.catch(() => undefined);
  return { done, waiting, outvoted: outvoted.promise, stop };
}

describe('operators', () => {
  it('agree on a block as soon as 2t+1 have the same view', async () => {
    const committee = await startCommittee(4);
    const agreements = [1, 2, 3, 4].map((index) => agree(committee, index));
    await Promise.all(agreements.map(({ done }) => done));
    expect(agreements[0].waiting[0]).toEqual([2, 3, 4]);
    expect(agreements[0].waiting.at(-1)).toHaveLength(1);
  });

  it('agree without one that is silent and one that is wrong at first', async () => {
    const committee = await startCommittee(4, { mute: [3, 4] });
    let answers = 0;
    await answerWith(committee.at(3), async () => {
      answers += 1;
      if (answers === 1) return other;
      if (answers === 2) return new Refusal(RefusalCode.unknown);
      return committee.at(3).chain.block(HEIGHT)!;
    });
    await answerWith(committee.at(4), aborted);
    await agree(committee, 1).done;
    expect(answers).toBe(3);
  });

  it('answer for a block as soon as they have it', async () => {
    const committee = await startCommittee(4);
    const { chain } = committee;
    const next = BigInt(chain.blocks.length) + 1n;
    const { context, seat } = committee.at(1);
    const { epochId } = seat().session;
    const [{ peerId }] = activePeers(seat());
    const answer = ask(context.host, peerId, { epochId, height: next }, { signal: testSignal() });
    const block = chain.emit();
    expect(await answer).toMatchObject({ blockHash: block.hash, logsDigest: block.logsDigest });
  });

  it('do not know a block that they have passed', async () => {
    const committee = await startCommittee(4);
    const { context, seat } = committee.at(1);
    const { epochId } = seat().session;
    const [{ peerId }] = activePeers(seat());
    const answer = ask(context.host, peerId, { epochId, height: 0n }, { signal: testSignal() });
    const error = await expectFailure(answer, NetErrorCode.refused);
    expect(error.metadata.refusal).toBe(RefusalCode.unknown);
  });
});

describe('an operator whose endpoint lies', () => {
  it('gets no quorum, not even with t malicious peers, and learns that it is outvoted', async () => {
    const committee = await startCommittee(4);
    const liar = agree(committee, 1, other);
    const honest = agree(committee, 2);
    await Promise.all([liar.outvoted, honest.done]);
    liar.stop.abort(stopped());
    await expect(liar.done).rejects.toMatchObject(stopped());
  });

  it('gets none with t peers that agree with it', async () => {
    const committee = await startCommittee(4, { mute: [2, 3] });
    const { at } = committee;
    await answerWith(at(2), async () => other);
    const asked = Promise.withResolvers<void>();
    let answers = 0;
    await answerWith(at(3), async () => {
      answers += 1;
      if (answers === 2) asked.resolve();
      return at(3).chain.block(HEIGHT)!;
    });
    const liar = agree(committee, 1, other);
    let ended = false;
    liar.done.then(
      () => (ended = true),
      () => undefined,
    );
    await asked.promise;
    expect(ended).toBe(false);
    expect(liar.waiting.at(-1)).toEqual([3, 4]);
    liar.stop.abort(stopped());
    await expect(liar.done).rejects.toMatchObject(stopped());
  });

  it('is not outvoted by fewer than 2t+1', async () => {
    const committee = await startCommittee(4, { mute: [3, 4] });
    const { at } = committee;
    const told: number[] = [];
    await answerWith(at(3), async () => {
      told.push(3);
      return at(3).chain.block(HEIGHT)!;
    });
    const enough = Promise.withResolvers<void>();
    await answerWith(at(4), async (signal) => {
      if (told.push(4) < 5) return { ...other, logsDigest: digestOf('yet other logs') };
      enough.resolve();
      return aborted(signal);
    });
    const liar = agree(committee, 1, other);
    const first = Promise.race([liar.outvoted.then(() => 'outvoted'), enough.promise]);
    expect(await first).toBeUndefined();
  });
});

describe('a view that its sender did not sign', () => {
  it('counts for nothing, and its sender is asked nothing more in this epoch', async () => {
    const committee = await startCommittee(4, { mute: [3, 4] });
    const { at } = committee;
    await answerWith(at(4), async () => at(1).chain.block(HEIGHT)!, signerAccount(9));
    const asked = Promise.withResolvers<void>();
    await answerWith(at(3), async (signal) => {
      asked.resolve();
      return aborted(signal);
    });
    const { done, waiting, stop } = agree(committee, 1);
    let ended = false;
    done.then(
      () => (ended = true),
      () => undefined,
    );
    await asked.promise;
    const seat = at(1).seat();
    while (waiting.at(-1).length > 1) await new Promise(setImmediate);
    expect(waiting.at(-1)).toEqual([3]);
    expect(ended).toBe(false);
    expect(activePeers(seat).map(({ index }) => index)).toEqual([2, 3]);
    stop.abort(stopped());
    await expect(done).rejects.toMatchObject(stopped());
  });
});
