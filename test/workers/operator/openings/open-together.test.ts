import { once } from 'node:events';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import type { Opening } from '../../../../workers/protocols/opening.ts';
import * as keyGeneration from '../../../../workers/protocols/key-generation.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import {
  handOverHonestly,
  sign,
  type HandOver,
  type OperatorContext,
} from '../../../../workers/operator/context.ts';
import {
  openTogether,
  ShareFault,
  shareKey,
} from '../../../../workers/operator/openings/open-together.ts';
import { commitShare } from '../../../../workers/sharing/commitment.ts';
import { SharingErrorCode } from '../../../../workers/sharing/errors.ts';
import { StoreErrorCode } from '../../../../workers/store/errors.ts';
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

/** What a liar that wants to be believed hands over: a wrong share with a right signature. */
const lie: HandOver = async (context, { seat, opening, share }, to) => {
  const residues = shifted(share, { opening, to })!;
  const { epochId } = seat.session;
  const message = { epochId, openingId: opening.id, root: commitShare(residues) };
  return { residues, signature: await sign(context, { type: 'ShareCommitment', message }) };
};

/** Hands over the right share when `turn` comes. */
const late =
  (turn: Promise<unknown>, handOver: HandOver = handOverHonestly): HandOver =>
  async (...question) => {
    await turn;
    return handOver(...question);
  };

const silent: HandOver = async (_context, _published, _to, signal) => {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
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
  const value = openTogether(context, seat(), subject, opening, share, signal);
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
    const committee = await startCommittee(4, { deviations: { 4: { handOver: silent } } });
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
    const committee = await startCommittee(4, { deviations: { 2: { handOver: lie } } });
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
    const handOver = late(opened.promise, lie);
    const committee = await startCommittee(4, { deviations: { 4: { handOver } } });
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
      4: { handOver: late(opened.promise) },
      3: {
        handOver: late(
          opened.promise.then(() => answered.promise),
          lie,
        ),
      },
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
    const handOver: HandOver = async (_, { share, signature }) => ({
      signature,
      residues: share.slice(1),
    });
    const committee = await startCommittee(4, { deviations: { 3: { handOver } } });
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
  ])('%s: its sender is set aside after the opening', async (_, signing, root) => {
    await expectSetAside(async (context, { seat, opening, share }) => {
      const { epochId } = seat.session;
      const message = { epochId, openingId: opening.id, root: root ?? commitShare(share) };
      const statement = { type: 'ShareCommitment', message } as const;
      return { residues: share, signature: await sign({ ...context, ...signing }, statement) };
    });
  });

  it('that is no signature at all: just so', async () => {
    const signature: Hex = `0x${'ff'.repeat(65)}`;
    await expectSetAside(async (_, { share }) => ({ residues: share, signature }));
  });

  async function expectSetAside(handOver: HandOver): Promise<void> {
    const deviations = { 2: { handOver } };
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
    operator.context.store.openings.commit(opening.id, digestOf('another root'));
    await expect(open(operator)).rejects.toMatchObject({ code: StoreErrorCode.OPENING_CONFLICT });
    expect(operator.context.boards.shares.get(shareKey(epochId, opening.id))).toBeUndefined();
  });

  it('has written down what it commits to before a peer can have it', async () => {
    const { at, epochId } = await startCommittee(4);
    const operator = at(1);
    const { opening, share } = openingOf(operator);
    const { boards, store } = operator.context;
    let recorded: Hex | undefined;
    const asked = boards.shares.wait(shareKey(epochId, opening.id), testSignal());
    const publish = boards.shares.publish.bind(boards.shares);
    boards.shares.publish = (key, entry) => {
      recorded = store.openings.root(opening.id);
      publish(key, entry);
    };
    void open(operator);
    await asked;
    expect(recorded).toBe(commitShare(share));
  });
});

describe('more than t operators that lie', () => {
  it('can keep a value from being opened, but none is opened that is wrong', async () => {
    const handOver = lie;
    const committee = await startCommittee(4, { deviations: { 2: { handOver }, 3: { handOver } } });
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
