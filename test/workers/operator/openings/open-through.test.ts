import { describe, expect, it, vi } from 'vitest';

import { ask as askForCombinations } from '../../../../workers/net/combinations/index.ts';
import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { RefusalCode } from '../../../../workers/net/exchange/index.ts';
import { ask as askForValue } from '../../../../workers/net/values/index.ts';
import {
  answerHonestly,
  type Answering,
  type OperatorContext,
} from '../../../../workers/operator/context.ts';
import { collectShares } from '../../../../workers/operator/openings/collect.ts';
import {
  openThroughOpener,
  OpenerFault,
} from '../../../../workers/operator/openings/open-through.ts';
import { Openers } from '../../../../workers/operator/openings/openers.ts';
import { combineInTurns } from '../../../../workers/operator/openings/own-combinations.ts';
import { offerShare } from '../../../../workers/operator/openings/own-shares.ts';
import * as keyGeneration from '../../../../workers/protocols/key-generation.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import {
  combinationShape,
  combinationsOf,
  valueDigest,
} from '../../../../workers/sharing/combinations.ts';
import { parameterSetId } from '../../../../workers/sharing/ids.ts';
import { shareLength } from '../../../../workers/sharing/opening.ts';
import { twins } from '../../../twins/answering.ts';
import { drip } from '../../../twins/dripping.ts';
import { expectFailure } from '../../net/support.ts';
import { digestOf } from '../fake-chain.ts';
import {
  startCommittee,
  stopped,
  testSignal,
  type CommitteeOptions,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';

const set = parameterSet('insecure-bfv-1024');
/** Index of the operator whose turn is first, of four. */
const FIRST = 3;

/** A key that is asked for, whose opening is first opened by `FIRST`. */
function subjectFor(committee: TestCommittee) {
  const keyId = keyFor(committee);
  const { chain, epochId } = committee;
  const args = {
    keyId,
    epochId,
    parameterSetId: parameterSetId(set),
    requester: '0x',
    deadline: 0n,
  };
  chain.emit({ eventName: 'KeyRequested', args });
  return keyId;
}

function keyFor({ at }: TestCommittee) {
  for (let draw = 0; ; draw++) {
    const keyId = digestOf(`key ${draw}`);
    const { id } = keyGeneration.describe(at(1).seat().session, { keyId, set });
    if (Number(BigInt(id) % 4n) + 1 === FIRST) return keyId;
  }
}

/** An operator's part in the opening of a key. */
async function open(
  { context, seat }: TestOperator,
  subject: ReturnType<typeof subjectFor>,
  openers = new Openers(seat(), context.valuePatienceMs),
  signal = testSignal(),
) {
  context.progress.begin(subject, 'key');
  const opening = keyGeneration.describe(seat().session, { keyId: subject, set });
  const { share } = keyGeneration.share(opening, seat().randomness);
  await offerShare(context, seat(), subject, opening, share);
  return openThroughOpener(context, seat(), subject, opening, share, openers, signal);
}

const openAll = (committee: TestCommittee, subject = subjectFor(committee)) =>
  Promise.all(committee.operators.map((operator) => open(operator, subject)));

/** Of operators that some other will not answer. */
const impatient: Partial<OperatorContext> = { valuePatienceMs: 100 };

/** A committee with one operator that deviates. */
const withTwin = (index: number, name: string): CommitteeOptions => ({
  deviations: { [index]: { answering: twins[name] } },
});

const namedBy = ({ context }: TestOperator) =>
  context.store.faults.list().map(({ operator, reason }) => ({ operator, reason }));

/** How many shares an operator has of an opening. */
async function sharesAt({ context, seat }: TestOperator, keyId: ReturnType<typeof subjectFor>) {
  const { id } = keyGeneration.describe(seat().session, { keyId, set });
  return (await context.store.transcripts.list(id))?.indices ?? [];
}

/** What four honest operators open. */
async function expected() {
  const committee = await startCommittee(4);
  return (await openAll(committee))[0];
}

describe('an opening through one operator', () => {
  it('gives all the value that everybody else would have opened', async () => {
    const committee = await startCommittee(4);
    const subject = subjectFor(committee);
    const values = await openAll(committee, subject);
    const { at } = await startCommittee(4);
    const collected = await Promise.all(
      [1, 2, 3, 4].map(async (index) => {
        const { context, seat } = at(index);
        const opening = keyGeneration.describe(seat().session, { keyId: subject, set });
        const { share } = keyGeneration.share(opening, seat().randomness);
        await offerShare(context, seat(), subject, opening, share);
        return collectShares(context, seat(), subject, opening, testSignal());
      }),
    );
    for (const value of values) expect(value).toEqual(collected[0]);
    for (const operator of committee.operators) expect(namedBy(operator)).toEqual([]);
  });

  it('moves shares to the opener only, which keeps all of them', async () => {
    const committee = await startCommittee(4);
    const subject = subjectFor(committee);
    await openAll(committee, subject);
    for (const index of [1, 2, 4])
      expect(await sharesAt(committee.at(index), subject)).toEqual([index]);
    while ((await sharesAt(committee.at(FIRST), subject)).length < 4)
      await new Promise(setImmediate);
    expect(await sharesAt(committee.at(FIRST), subject)).toEqual([1, 2, 3, 4]);
  });

  it('needs 2t+1 operators, and waits for them', async () => {
    const committee = await startCommittee(4, { mute: [4] });
    const subject = subjectFor(committee);
    const stop = new AbortController();
    const first = open(committee.at(1), subject, undefined, stop.signal);
    first.catch(() => undefined);
    const second = open(committee.at(2), subject);
    const third = open(committee.at(3), subject);
    expect(await second).toEqual(await third);
    expect(await first).toEqual(await third);
    const alone = await startCommittee(4, { mute: [2, 3, 4] });
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const { progress } = alone.at(1).context;
    const wait = progress.waitFor.bind(progress);
    progress.waitFor = (id, indices) => {
      resolve();
      wait(id, indices);
    };
    const waiting = open(alone.at(1), subject, undefined, stop.signal);
    await begun;
    stop.abort(stopped());
    await expect(waiting).rejects.toMatchObject(stopped());
  });
});

describe('an opener', () => {
  it('that publishes a wrong value is named, and the next one is asked', async () => {
    const value = await expected();
    const committee = await startCommittee(4, withTwin(FIRST, 'lying-opener'));
    const subject = subjectFor(committee);
    const opened = await openAll(committee, subject);
    for (const found of opened) expect(found).toEqual(value);
    for (const index of [1, 2, 4])
      expect(namedBy(committee.at(index))).toEqual([
        { operator: FIRST, reason: OpenerFault.WRONG_VALUE },
      ]);
    expect(namedBy(committee.at(FIRST))).toEqual([]);
  });

  it('that publishes residues above their primes is named as well', async () => {
    const value = await expected();
    const answering: Answering = {
      ...answerHonestly,
      value: async (_, { opening: { shape } }, residues) => ({
        shape,
        residues: residues.with(0, shape.primes[0]),
      }),
    };
    const committee = await startCommittee(4, { deviations: { [FIRST]: { answering } } });
    const opened = await openAll(committee);
    for (const found of opened) expect(found).toEqual(value);
    expect(namedBy(committee.at(1))).toEqual([
      { operator: FIRST, reason: OpenerFault.WRONG_VALUE },
    ]);
  });

  it('that is silent is passed over after a while, and not named', async () => {
    const value = await expected();
    const deviations = Object.fromEntries([1, 2, 3, 4].map((index) => [index, impatient]));
    deviations[FIRST] = { answering: twins['silent-opener'] };
    const committee = await startCommittee(4, { deviations });
    const opened = await openAll(committee);
    for (const found of opened) expect(found).toEqual(value);
    for (const operator of committee.operators) expect(namedBy(operator)).toEqual([]);
  });

  it('that breaks off after the first byte each time is passed over like a silent one', async () => {
    const value = await expected();
    const deviations = Object.fromEntries([1, 2, 4].map((index) => [index, impatient]));
    const committee = await startCommittee(4, { deviations, mute: [FIRST] });
    await drip(committee.at(FIRST).context.host, '/keyloom/values/1');
    const subject = subjectFor(committee);
    const others = [1, 2, 4].map((index) => open(committee.at(index), subject));
    for (const found of await Promise.all(others)) expect(found).toEqual(value);
    for (const operator of committee.operators) expect(namedBy(operator)).toEqual([]);
  });

  it('that was passed over is not asked again in the same operation', async () => {
    const committee = await startCommittee(4, withTwin(FIRST, 'lying-opener'));
    const { seat } = committee.at(1);
    // Longer than anything takes here: who is only slow must not be passed over as well.
    const patienceMs = 60_000;
    const openers = new Openers(seat(), patienceMs);
    const subject = subjectFor(committee);
    const { id } = keyGeneration.describe(seat().session, { keyId: subject, set });
    expect(openers.opener(id)).toBe(FIRST);
    const others = [2, 3, 4].map((index) => open(committee.at(index), subject));
    await open(committee.at(1), subject, openers);
    await Promise.all(others);
    expect(openers.opener(id)).toBe(4);
    // Lying costs no patience, silence does: there may be reasons for it.
    expect(openers.patienceMs).toBe(patienceMs);
    openers.passOver(4, 'silent');
    expect(openers.patienceMs).toBe(2 * patienceMs);
    // The own turn comes before that of operator 2.
    expect(openers.opener(id)).toBe(1);
    expect(new Openers(seat(), patienceMs).opener(id)).toBe(FIRST);
  });

  it('does not keep a value from being opened with all the others silent or lying', async () => {
    const value = await expected();
    const deviations = Object.fromEntries(
      [2, 3, 4].map((index) => [
        index,
        { ...impatient, answering: twins[index === 3 ? 'silent-opener' : 'lying-opener'] },
      ]),
    );
    const committee = await startCommittee(4, { deviations: { 1: impatient, ...deviations } });
    const opened = await openAll(committee);
    for (const found of opened) expect(found).toEqual(value);
  });
});

describe('combinations', () => {
  /** Operator 2 with a share that it offers, and the peers' question about it. */
  async function offered() {
    const { at, epochId } = await startCommittee(4);
    const { context, seat } = at(2);
    const keyId = digestOf('key');
    const opening = keyGeneration.describe(seat().session, { keyId, set });
    const { share } = keyGeneration.share(opening, seat().randomness);
    await offerShare(context, seat(), keyId, opening, share);
    const shape = combinationShape(opening.shape);
    const ask = (digest: ReturnType<typeof digestOf>, from = 1) =>
      askForCombinations(
        at(from).context.host,
        context.host.peerId,
        { epochId, openingId: opening.id, valueDigest: digest },
        { signal: testSignal(), shape },
      );
    return { context, opening, share, ask };
  }

  it('of an operator that lies are set aside, and it is named', async () => {
    const value = await expected();
    const committee = await startCommittee(4, withTwin(2, 'lying-combination'));
    const opened = await openAll(committee);
    for (const found of opened) expect(found).toEqual(value);
    const named = committee.operators.flatMap(namedBy);
    for (const fault of named)
      expect(fault).toEqual({ operator: 2, reason: OpenerFault.WRONG_COMBINATION });
  });

  it('are those of the share, about any value, but not about more than there are openers', async () => {
    const { opening, share, ask } = await offered();
    const shape = combinationShape(opening.shape);
    const digests = [1, 2, 3, 4].map((value) => digestOf(`value ${value}`));
    for (const digest of digests) {
      const [own] = combinationsOf(opening.id, digest, opening.shape, [share]);
      expect((await ask(digest)).residues).toEqual(own);
    }
    expect((await ask(digests[0])).shape).toEqual(shape);
    await expectFailure(ask(digestOf('value 5')), NetErrorCode.peerBusy);
    expect(await ask(digestOf('value 5'), 3)).toBeDefined();
  });

  it('of a value are computed once, however many ask', async () => {
    const { context, ask } = await offered();
    const get = vi.spyOn(context.store.transcripts, 'get');
    const answers = await Promise.all([1, 1, 3, 4].map((from) => ask(digestOf('value'), from)));
    for (const { residues } of answers) expect(residues).toEqual(answers[0].residues);
    expect(get).toHaveBeenCalledOnce();
  });

  it('are computed again once a share is there that was not', async () => {
    const { context, ask } = await offered();
    vi.spyOn(context.store.transcripts, 'get').mockResolvedValueOnce(undefined);
    await expectFailure(ask(digestOf('value')), NetErrorCode.peerFailed);
    expect(await ask(digestOf('value'))).toBeDefined();
  });

  it('are computed two at a time for one peer', async () => {
    const { context, ask } = await offered();
    const { combinations } = context;
    const answer = combinations.answer.bind(combinations);
    let running = 0;
    let most = 0;
    combinations.answer = async (...question) => {
      running += 1;
      most = Math.max(most, running);
      return answer(...question).finally(() => (running -= 1));
    };
    await Promise.all(['a', 'b', 'c', 'd'].map((value) => ask(digestOf(value))));
    expect(most).toBe(2);
  });

  it('leave turns to other work while they are computed', async () => {
    const { at } = await startCommittee(4);
    const { id, shape } = keyGeneration.describe(at(1).seat().session, {
      keyId: digestOf('key'),
      set,
    });
    const share = new BigUint64Array(shareLength(shape)).fill(1n);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const [combined] = await combineInTurns(id, digestOf('value'), shape, [share]);
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(shape.primes.length);
    expect(combined).toEqual(combinationsOf(id, digestOf('value'), shape, [share])[0]);
  });

  it('are for members of the committee, as values are', async () => {
    const { at } = await startCommittee(4);
    const question = { epochId: digestOf('another epoch'), openingId: digestOf('opening') };
    const { host } = at(1).context;
    const { peerId } = at(2).context.host;
    const { shape } = keyGeneration.describe(at(1).seat().session, { keyId: digestOf('k'), set });
    const stop = new AbortController();
    const answers = [
      askForValue(host, peerId, question, { signal: stop.signal, shape }),
      askForCombinations(
        host,
        peerId,
        { ...question, valueDigest: digestOf('value') },
        { signal: stop.signal, shape: combinationShape(shape) },
      ),
    ];
    // An epoch that it may yet learn of: the questions wait.
    stop.abort();
    for (const answer of answers) await expectFailure(answer, NetErrorCode.aborted);
  });
});

describe('an operator that has gone on', () => {
  it('is opener of what it opened before, from its transcripts', async () => {
    const committee = await startCommittee(4);
    const subject = subjectFor(committee);
    const [value] = await openAll(committee, subject);
    const { at, epochId } = committee;
    while ((await sharesAt(at(FIRST), subject)).length < 4) await new Promise(setImmediate);
    const { id, shape } = keyGeneration.describe(at(1).seat().session, { keyId: subject, set });
    const { context } = at(FIRST);
    context.boards.shares.clear();
    for (let other = 0; other < 16; other++) context.values.keep(digestOf(`${other}`), value);
    expect(context.values.get(id)).toBeUndefined();
    for (const index of [2, 4]) await at(index).context.host.stop();
    const question = { epochId, openingId: id };
    const { host } = at(1).context;
    const answer = await askForValue(host, context.host.peerId, question, {
      ...{ signal: testSignal(), shape },
    });
    expect(answer.residues).toEqual(value);
    expect(valueDigest(answer.residues)).toBe(valueDigest(value));
  });

  it('does not collect for a peer what it does not have and nothing waits for', async () => {
    const committee = await startCommittee(4);
    const { at, chain, epochId } = committee;
    const subject = subjectFor(committee);
    const [value] = await openAll(committee, subject);
    chain.emit({ eventName: 'PublicKeyRecorded', args: { keyId: subject, digest: digestOf('k') } });
    const { id, shape } = keyGeneration.describe(at(1).seat().session, { keyId: subject, set });
    const ask = (index: number) =>
      askForValue(
        at(1).context.host,
        at(index).context.host.peerId,
        { epochId, openingId: id },
        { signal: testSignal(), shape },
      );
    const { values } = at(2).context;
    for (let other = 0; other < 16; other++) values.keep(digestOf(`${other}`), value);
    const error = await expectFailure(ask(2), NetErrorCode.refused);
    expect(error.metadata).toMatchObject({ refusal: RefusalCode.unknown });
    expect(await sharesAt(at(2), subject)).toEqual([2]);
    expect((await ask(4)).residues).toEqual(value);
  });
});
