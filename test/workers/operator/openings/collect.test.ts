import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import type { Opening } from '../../../../workers/protocols/opening.ts';
import * as keyGeneration from '../../../../workers/protocols/key-generation.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import {
  answerHonestly,
  sign,
  type Answering,
  type OperatorContext,
} from '../../../../workers/operator/context.ts';
import { collectShares, ShareFault } from '../../../../workers/operator/openings/collect.ts';
import { offerShare, shareKey } from '../../../../workers/operator/openings/own-shares.ts';
import { commitShare } from '../../../../workers/sharing/commitment.ts';
import { SharingErrorCode } from '../../../../workers/sharing/errors.ts';
import { StoreErrorCode } from '../../../../workers/store/errors.ts';
import { answeringBy, twins } from '../../../twins/answering.ts';
import { shifted } from '../../../twins/shifted.ts';
import { digestOf } from '../fake-chain.ts';
import {
  signerAccount,
  startCommittee,
  stopped,
  testSignal,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';

const set = parameterSet('insecure-bfv-1024');
const subject = digestOf('key');

type HandOver = Answering['share'];

/** An operator that hands this over in place of its share. */
const handing = (share: HandOver): Partial<OperatorContext> => ({
  answering: { ...answerHonestly, share },
});

/** What a liar that wants to be believed hands over: a wrong share with a right signature. */
const lie = answeringBy({ share: shifted }).share;

/** Hands over the right share when `turn` comes. */
const late =
  (turn: Promise<unknown>, handOver: HandOver = answerHonestly.share): HandOver =>
  async (...question) => {
    await turn;
    return handOver(...question);
  };

function openingOf({ seat }: TestOperator): {
  opening: Opening;
  share: BigUint64Array<ArrayBuffer>;
} {
  const opening = keyGeneration.describe(seat().session, { keyId: subject, set });
  return { opening, share: keyGeneration.share(opening, seat().randomness).share };
}

/** An operator's part in the opening. */
function open(operator: TestOperator, signal = testSignal()) {
  const { context, seat } = operator;
  context.progress.begin(subject, 'key');
  const { opening, share } = openingOf(operator);
  const value = offerShare(context, seat(), subject, opening, share).then(() =>
    collectShares(context, seat(), subject, opening, signal),
  );
  value.catch(() => undefined);
  return value;
}

const openAll = ({ operators }: TestCommittee, indices: readonly number[]) =>
  Promise.all(indices.map((index) => open(operators[index - 1])));

const namedBy = ({ context }: TestOperator) =>
  context.store.faults.list().map(({ operator, reason }) => ({ operator, reason }));

/** Resolves when an operator has named as many faults. */
async function named(operator: TestOperator, count: number) {
  while (namedBy(operator).length < count) await new Promise(setImmediate);
  return namedBy(operator);
}

describe('four operators', () => {
  it('open the same value, and nobody is named', async () => {
    const committee = await startCommittee(4);
    const values = await openAll(committee, [1, 2, 3, 4]);
    for (const value of values) expect(value).toEqual(values[0]);
    // It is a public key: what is opened is b = e - a·s with small e.
    expect(values[0]).toHaveLength(set.primes.length * set.degree);
    for (const operator of committee.operators) expect(namedBy(operator)).toEqual([]);
  });

  it('open without one that never answers', async () => {
    const committee = await startCommittee(4, {
      deviations: { 4: { answering: twins['silent'] } },
    });
    const [first, second] = await openAll(committee, [1, 2, 3, 4]);
    expect(second).toEqual(first);
    expect(committee.at(1).context.progress.get(subject)?.error).toBeUndefined();
  });

  it('open as one more comes that did not know the epoch when it was asked', async () => {
    const { at } = await startCommittee(4, { mute: [4] });
    const { seats } = at(3);
    seats.clear();
    const asked = Promise.withResolvers<void>();
    const place = seats.place.bind(seats);
    let questions = 0;
    seats.place = (epochId, signal) => {
      questions += 1;
      if (questions === 2) asked.resolve();
      return place(epochId, signal);
    };
    const values = [open(at(1)), open(at(2))];
    await asked.promise;
    seats.refresh();
    values.push(open(at(3)));
    const opened = await Promise.all(values);
    expect(opened[1]).toEqual(opened[0]);
    expect(opened[2]).toEqual(opened[0]);
  });

  it('wait for as long as there are too few, until they are told to stop', async () => {
    const { at } = await startCommittee(4);
    const stop = new AbortController();
    const first = open(at(1), stop.signal);
    const second = open(at(2));
    while (at(1).context.progress.get(subject)?.waitingFor.length !== 2)
      await new Promise(setImmediate);
    expect(at(1).context.progress.get(subject)?.waitingFor).toEqual([3, 4]);
    stop.abort(stopped());
    await expect(first).rejects.toMatchObject(stopped());
    // What it published stays for those who go on.
    const third = open(at(3));
    expect(await second).toEqual(await third);
  });
});

describe('one operator that lies', () => {
  it('changes nothing and is named by all others', async () => {
    const committee = await startCommittee(4, { deviations: { 2: handing(lie) } });
    const honest = await startCommittee(4);
    const [value] = await openAll(honest, [1, 2, 3, 4]);
    const opened = await openAll(committee, [1, 2, 3, 4]);
    for (const found of opened) expect(found).toEqual(value);
    const fault = { operator: 2, reason: ShareFault.WRONG_SHARE };
    for (const index of [1, 3, 4]) {
      const operator = committee.at(index);
      expect(await named(operator, 1)).toEqual([fault]);
      expect(operator.context.progress.get(subject)?.faulty).toEqual([
        { index: 2, operator: signerAccount(2).address, reason: ShareFault.WRONG_SHARE },
      ]);
      // A wrong share says nothing about the next one: it is asked again.
      expect(operator.seat().setAside.size).toBe(0);
    }
    expect(namedBy(committee.at(2))).toEqual([]);
  });

  it('is named although its share comes after the opening', async () => {
    const opened = Promise.withResolvers<void>();
    const deviations = { 4: handing(late(opened.promise, lie)) };
    const committee = await startCommittee(4, { deviations });
    await openAll(committee, [1, 2, 3, 4]);
    expect(namedBy(committee.at(1))).toEqual([]);
    opened.resolve();
    const fault = { operator: 4, reason: ShareFault.WRONG_SHARE };
    expect(await named(committee.at(1), 1)).toEqual([fault]);
  });

  it('is not named for a right share that comes after the opening', async () => {
    const opened = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const deviations = {
      4: handing(late(opened.promise)),
      3: handing(
        late(
          opened.promise.then(() => answered.promise),
          lie,
        ),
      ),
    };
    const committee = await startCommittee(7, { deviations });
    await openAll(committee, [1, 2, 3, 4, 5, 6, 7]);
    opened.resolve();
    answered.resolve();
    expect(await named(committee.at(1), 1)).toEqual([
      { operator: 3, reason: ShareFault.WRONG_SHARE },
    ]);
  });

  it('is accused of an answer of another length', async () => {
    const committee = await startCommittee(4, {
      deviations: { 3: { answering: twins['wrong-length'] } },
    });
    const [first, second] = await openAll(committee, [1, 2, 3, 4]);
    expect(second).toEqual(first);
    const [{ operator, reason }] = await named(committee.at(1), 1);
    expect(operator).toBe(3);
    expect(reason).toBe('NET_ANSWER_LENGTH_WRONG');
  });
});

describe('a right share without a right signature', () => {
  it.each<[string, Partial<OperatorContext>, Hex | undefined]>([
    ['of another key', { account: signerAccount(9) }, undefined],
    ['over another root', {}, digestOf('another root')],
  ])('%s: it does not count, and its sender is set aside', async (_, signing, root) => {
    await expectSetAside(async (context, { seat, opening }, share) => {
      const { epochId } = seat.session;
      const message = { epochId, openingId: opening.id, root: root ?? commitShare(share) };
      const statement = { type: 'ShareCommitment', message } as const;
      const { shape } = opening;
      return {
        residues: share,
        shape,
        signature: await sign({ ...context, ...signing }, statement),
      };
    });
  });

  it('that is no signature at all: just so', async () => {
    const signature: Hex = `0x${'ff'.repeat(65)}`;
    await expectSetAside(async (_, { opening: { shape } }, residues) => ({
      ...{ residues, shape, signature },
    }));
  });

  async function expectSetAside(handOver: HandOver): Promise<void> {
    const deviations = { 2: handing(handOver) };
    const committee = await startCommittee(4, { deviations });
    const [first, , third] = await openAll(committee, [1, 2, 3, 4]);
    expect(third).toEqual(first);
    const fault = { operator: 2, reason: ShareFault.WRONG_SIGNATURE };
    expect(await named(committee.at(1), 1)).toEqual([fault]);
    while (!committee.at(1).seat().setAside.has(2)) await new Promise(setImmediate);
    expect([...committee.at(1).seat().setAside]).toEqual([2]);
  }
});

describe('an operator that has committed to another share', () => {
  it('signs and offers nothing', async () => {
    const { at, epochId } = await startCommittee(4);
    const operator = at(1);
    const { opening } = openingOf(operator);
    const { id: openingId, preimage } = opening;
    const committed = { openingId, epochId, preimage };
    operator.context.store.openings.commit(committed, digestOf('another root'));
    await expect(open(operator)).rejects.toMatchObject({ code: StoreErrorCode.OPENING_CONFLICT });
    expect(operator.context.boards.shares.get(shareKey(epochId, opening.id))).toBeUndefined();
  });

  it('has written down what it commits to before a peer can have it', async () => {
    const { at, epochId } = await startCommittee(4);
    const operator = at(1);
    const { opening, share } = openingOf(operator);
    const { boards, store } = operator.context;
    let recorded: Hex | undefined;
    let kept: Promise<unknown> | undefined;
    const asked = boards.shares.wait(shareKey(epochId, opening.id), testSignal());
    const publish = boards.shares.publish.bind(boards.shares);
    boards.shares.publish = (key, entry) => {
      recorded = store.openings.root(opening.id);
      kept = store.transcripts.get(opening.id, 1);
      publish(key, entry);
    };
    void open(operator);
    await asked;
    expect(recorded).toBe(commitShare(share));
    expect(await kept).toMatchObject({ epochId, residues: share });
  });
});

describe('the transcript of an opening', () => {
  /** Resolves with an operator's transcript once it has as many shares. */
  async function transcriptOf({ context }: TestOperator, id: Hex, count: number) {
    const { transcripts } = context.store;
    for (;;) {
      const entry = await transcripts.list(id);
      if (entry?.indices.length === count) return entry;
      await new Promise(setImmediate);
    }
  }

  it('has every share that was signed, late and wrong ones as well', async () => {
    const opened = Promise.withResolvers<void>();
    const deviations = { 2: handing(lie), 4: handing(late(opened.promise)) };
    const committee = await startCommittee(7, { deviations });
    const { opening } = openingOf(committee.at(1));
    await openAll(committee, [1, 2, 3, 4, 5, 6, 7]);
    opened.resolve();
    const { indices, epochId } = await transcriptOf(committee.at(1), opening.id, 7);
    expect(indices).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(epochId).toBe(committee.epochId);
    const { transcripts } = committee.at(1).context.store;
    const honest = openingOf(committee.at(2)).share;
    const wrong = await transcripts.get(opening.id, 2);
    expect(wrong?.residues).not.toEqual(honest);
    expect((await transcripts.get(opening.id, 4))?.residues).toEqual(
      openingOf(committee.at(4)).share,
    );
  });

  it('has no share whose signature does not check', async () => {
    const signature: Hex = `0x${'ff'.repeat(65)}`;
    const deviations = {
      2: handing(async (_, { opening: { shape } }, residues) => ({ residues, shape, signature })),
    };
    const committee = await startCommittee(4, { deviations });
    const { opening } = openingOf(committee.at(1));
    await openAll(committee, [1, 2, 3, 4]);
    await named(committee.at(1), 1);
    expect((await transcriptOf(committee.at(1), opening.id, 3)).indices).toEqual([1, 3, 4]);
  });

  it('is what a value is opened from again, without asking anybody', async () => {
    const committee = await startCommittee(4);
    const { opening } = openingOf(committee.at(1));
    const [value] = await openAll(committee, [1, 2, 3, 4]);
    await transcriptOf(committee.at(1), opening.id, 4);
    for (const index of [2, 3, 4]) await committee.at(index).context.host.stop();
    expect(await open(committee.at(1))).toEqual(value);
  });

  it('serves the own share after its job has let go of it', async () => {
    const committee = await startCommittee(4);
    const { at } = committee;
    const [value] = await openAll(committee, [1, 2, 3]);
    for (const index of [1, 2, 3]) at(index).context.boards.shares.clear();
    expect(await open(at(4))).toEqual(value);
  });
});

describe('more than t operators that lie', () => {
  it('can keep a value from being opened, but none is opened that is wrong', async () => {
    const deviations = { 2: handing(lie), 3: handing(lie) };
    const committee = await startCommittee(4, { deviations });
    const operator = committee.at(1);
    const stop = new AbortController();
    for (const index of [2, 3, 4]) void open(committee.at(index));
    const value = open(operator, stop.signal);
    const { progress } = operator.context;
    while (progress.get(subject)?.error === undefined) await new Promise(setImmediate);
    expect(progress.get(subject)?.error).toBe(SharingErrorCode.TOO_FEW_AGREEING);
    // Who is wrong cannot be told.
    expect(namedBy(operator)).toEqual([]);
    stop.abort(stopped());
    await expect(value).rejects.toMatchObject(stopped());
  });
});
