import { createHash } from 'node:crypto';
import { concat, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { entryLength, entryStart, parseEntry } from '../../../../workers/fhe/evaluation-keys.ts';
import { duties } from '../../../../workers/operator/duties/duties.ts';
import { generateEvaluationKeys } from '../../../../workers/operator/duties/evaluation-key-job.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import type { OperatorContext } from '../../../../workers/operator/context.ts';
import {
  entriesOf,
  type EvaluationKeyRequest,
} from '../../../../workers/protocols/evaluation-keys.ts';
import type { Part, Step } from '../../../../workers/protocols/opening.ts';
import { open } from '../../../../workers/protocols/opening.ts';
import { parameterSetId } from '../../../../workers/sharing/ids.ts';
import { twins } from '../../../twins/answering.ts';
import { digestOf } from '../fake-chain.ts';
import {
  startCommittee,
  stopped,
  testSignal,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';
import {
  addSet,
  finished,
  idsOf,
  keyId,
  LATER,
  recordedBlob,
  requestKey,
  set,
  sha256,
  sourcesOf,
  startWithKey,
  until,
} from './at-work.ts';

const requestId = digestOf('evaluation keys');
const targetKeyId = digestOf('target');
const zero: Hex = `0x${'00'.repeat(32)}`;
const elements = [3, 2047];
const kinds = { relinearization: 1, galois: 2, switching: 3 } as const;

const requests: readonly EvaluationKeyRequest[] = [
  { kind: 'relinearization', keyId },
  { kind: 'galois', keyId, elements },
  { kind: 'switching', keyId, targetKeyId },
];
const [relinearization, galois, switching] = requests;

/** Everything goes through openers, or nothing does. */
const large: Partial<OperatorContext> = { largeOperationBytes: 0 };
const small: Partial<OperatorContext> = { largeOperationBytes: 2 ** 40 };
const all = (context: Partial<OperatorContext>) =>
  Object.fromEntries([1, 2, 3, 4].map((index) => [index, context]));

function ask({ chain, epochId }: TestCommittee, request: EvaluationKeyRequest): void {
  const args = {
    ...{ requestId, epochId, keyId, requester: '0x', deadline: LATER },
    kind: kinds[request.kind],
    targetKeyId: request.kind === 'switching' ? request.targetKeyId : zero,
    elements: request.kind === 'galois' ? request.elements : [],
  };
  chain.emit({ eventName: 'EvaluationKeysRequested', args });
}

const entryOf = ({ chain }: TestOperator) => chain.now.evaluationKeys.get(requestId)!;

/** Has keys made, and gives the digests that were recorded. */
async function made(committee: TestCommittee, request: EvaluationKeyRequest): Promise<Hex> {
  const { at } = committee;
  if (request.kind === 'switching') {
    requestKey(committee, LATER, request.targetKeyId);
    await until(at(1), () => at(1).chain.now.keys.get(targetKeyId)?.state === 'active');
  }
  ask(committee, request);
  await until(at(1), () => entryOf(at(1)).state === 'recorded');
  return entryOf(at(1)).digests!;
}

/** The digests that follow from the honest shares, without any operator between them. */
function simulated({ operators }: TestCommittee, request: EvaluationKeyRequest): Hex {
  const { session } = operators[0].seat();
  const opened = ({ opening, share }: Step) => {
    const shares = operators.map(
      ({ index, seat, keyShares }): [number, ReturnType<typeof share>] => [
        index,
        share({
          randomness: seat().randomness,
          keyShare: (id) => keyShares.get(seat(), id, set),
        }),
      ],
    );
    return open(opening, new Map(shares)).value;
  };
  const run = (part: Part<Uint8Array>): Uint8Array => {
    let round = part.next();
    while (round.done !== true) round = part.next(round.value.map(opened));
    return round.value;
  };
  const digests = entriesOf(session, request, set, () => 0).map(({ digits, digit }): Hex => {
    const hash = createHash('sha256').update(entryStart(set));
    for (let at = 0; at < digits; at++) hash.update(run(digit(at)));
    return `0x${hash.digest('hex')}`;
  });
  return concat(digests);
}

const namedBy = ({ context }: TestOperator) =>
  context.store.faults.list().map(({ operator }) => operator);

describe.each([
  ['all to all', small],
  ['through openers', large],
])('four operators, %s,', (_, context) => {
  it.each(requests)('make a $kind key, each all of it', async (request) => {
    const committee = await startWithKey({ deviations: all(context) });
    const recorded = await made(committee, request);
    expect(recorded).toBe(simulated(committee, request));
    for (let at = 2; at < recorded.length; at += 64) {
      const digest: Hex = `0x${recorded.slice(at, at + 64)}`;
      const blob = await recordedBlob(committee, digest);
      expect(sha256(blob)).toBe(digest);
      expect(blob).toHaveLength(entryLength(set));
      expect(parseEntry(set, Uint8Array.from(blob))).toHaveLength(set.primes.length - 1);
    }
    for (const operator of committee.operators) expect(namedBy(operator)).toEqual([]);
    const names = committee.chain.calls.map(({ functionName }) => functionName);
    expect(names.filter((name) => name === 'recordEvaluationKeys')).toHaveLength(1);
    const { progress } = committee.at(1).context;
    const digits = request.kind === 'galois' ? 6 : 3;
    await finished(committee.at(1), requestId, digits / 3);
    expect(progress.get(requestId)).toMatchObject({
      kind: 'evaluation-keys',
      progress: { done: digits, total: digits },
    });
  });
});

describe.each([
  ['all to all', 'relinearization', small],
  ['through openers', 'relinearization', large],
  ['through openers', 'galois', large],
])('a twin in openings %s of a %s key', (_, kind, context) => {
  const request = requests.find((one) => one.kind === kind)!;

  const names = Object.keys(twins).filter((name) => name !== 'honest');

  it.each(names)('that is %s keeps nobody from it', async (name) => {
    // A silent twin costs everybody its patience once.
    const impatient = name.startsWith('silent') ? { valuePatienceMs: 500 } : {};
    const deviations = {
      ...all({ ...context, ...impatient }),
      2: { ...context, answering: twins[name] },
    };
    const committee = await startWithKey({ deviations });
    const recorded = await made(committee, request);
    expect(recorded).toBe(simulated(committee, request));
    // Only liars are named, and only they.
    const named = new Set(committee.operators.flatMap(namedBy));
    if (name.startsWith('silent')) expect(named.size).toBe(0);
    else expect([...named].filter((index) => index !== 2)).toEqual([]);
  });
});

describe('an operator that was stopped', () => {
  const openings = async ({ context, seat, keyShares }: TestOperator) => {
    const { transcripts } = context.store;
    const { session, index, randomness } = seat();
    const [first] = entriesOf(session, galois, set, () => 0);
    const [step] = first.digit(0).next().value as readonly Step[];
    const keyShare = (id: Hex) => keyShares.get(seat(), id, set);
    const kept = await transcripts.get(step.opening.id, index);
    return { kept: kept?.residues, computed: step.share({ randomness, keyShare }) };
  };

  /** Does the work of the request once more. */
  const again = (operator: TestOperator) => {
    const { context, seat, keyShares } = operator;
    const entry = entryOf(operator);
    return generateEvaluationKeys(context, seat(), keyShares, entry, set, testSignal());
  };

  it('goes on behind the entries that it has, and shares are the same bit for bit', async () => {
    const committee = await startWithKey({ deviations: all(large) });
    const { at } = committee;
    const recorded = await made(committee, galois);
    await finished(at(1), requestId, elements.length);
    const { context } = at(1);
    const before = await openings(at(1));
    expect(before.kept).toEqual(before.computed);

    // It crashed with one entry finished; the others have gone on, and their boards are bare.
    const [first, second] = [recorded.slice(2, 66), recorded.slice(66)].map(
      (hex): Hex => `0x${hex}`,
    );
    context.store.entries.record(requestId, 1, zero);
    for (const operator of committee.operators) operator.context.boards.shares.clear();
    let begun = 0;
    const create = context.store.blobs.create.bind(context.store.blobs);
    context.store.blobs.create = () => {
      begun += 1;
      return create();
    };
    await again(at(1));
    expect(begun).toBe(1);
    expect(context.store.entries.list(requestId)).toEqual([first, second]);
    expect((await openings(at(1))).kept).toEqual(before.kept);
  });

  it('makes an entry again whose bytes are gone', async () => {
    const committee = await startWithKey({ deviations: all(small) });
    const { at } = committee;
    const recorded = await made(committee, relinearization);
    await finished(at(1), requestId, 1);
    const { context } = at(1);
    context.store.blobs.has = async () => false;
    await again(at(1));
    expect(context.store.entries.list(requestId)).toEqual([recorded]);
  });

  it('leaves no half entry behind', async () => {
    const committee = await startCommittee(4, { mute: [2, 3, 4], deviations: all(small) });
    const { at, chain, epochId } = committee;
    addSet(chain);
    requestKey(committee);
    chain.emit({ eventName: 'PublicKeyRecorded', args: { keyId, digest: digestOf('key') } });
    ask(committee, relinearization);
    expect(idsOf(at(1))).toContain(`evaluation-keys/${requestId}/7`);
    const stop = new AbortController();
    const job = duties(sourcesOf(at(1))).find(({ id }) => id.startsWith('evaluation-keys/'))!;
    const running = job.run(stop.signal);
    while (at(1).context.progress.get(requestId)?.waitingFor.length !== 3)
      await new Promise(setImmediate);
    stop.abort(stopped());
    await expect(running).rejects.toMatchObject(stopped());
    expect(at(1).context.store.entries.list(requestId)).toEqual([]);
    expect(epochId).toBe(at(1).seat().session.epochId);
  });
});

describe('an operator that is behind the others', () => {
  it('goes on with keys that were recorded meanwhile, until it has opened them', async () => {
    const committee = await startCommittee(4);
    const { at, chain } = committee;
    addSet(chain);
    requestKey(committee);
    chain.emit({ eventName: 'PublicKeyRecorded', args: { keyId, digest: digestOf('key') } });
    ask(committee, relinearization);
    const id = `evaluation-keys/${requestId}/7`;
    const { progress } = at(1).context;
    expect(idsOf(at(1))).toContain(id);
    progress.advance(requestId, 'opening');
    chain.emit({ eventName: 'EvaluationKeysRecorded', args: { requestId, digests: zero } });
    expect(idsOf(at(1))).toContain(id);
    expect(progress.get(requestId)?.state).toBe('opening');
    progress.advance(requestId, 'certifying');
    expect(idsOf(at(1))).not.toContain(id);
    expect(progress.get(requestId)?.state).toBe('recorded');
    // One that has not begun has nothing to finish.
    expect(idsOf(at(2))).not.toContain(id);
  });
});

describe('a request for evaluation keys that cannot be served', () => {
  async function fails(committee: TestCommittee, request: EvaluationKeyRequest) {
    ask(committee, request);
    const operator = committee.at(1);
    const job = duties(sourcesOf(operator)).find(({ id }) => id.startsWith('evaluation-keys/'))!;
    const code = OperatorErrorCode.REQUEST_UNSERVABLE;
    await expect(job.run(testSignal())).rejects.toMatchObject({ code });
    return operator.context.progress.get(requestId);
  }

  /** A committee with a key of another epoch or parameter set beside its own. */
  async function withTarget(changes: { epochId?: Hex; parameterSetId?: Hex }) {
    const committee = await startCommittee(4);
    const { chain, epochId } = committee;
    addSet(chain);
    requestKey(committee);
    record(committee);
    const args = {
      ...{ keyId: targetKeyId, epochId, parameterSetId: parameterSetId(set) },
      ...{ requester: '0x', deadline: LATER, ...changes },
    };
    chain.emit({ eventName: 'KeyRequested', args });
    record(committee, targetKeyId);
    return committee;
  }

  const record = ({ chain }: TestCommittee, id: Hex = keyId) =>
    chain.emit({ eventName: 'PublicKeyRecorded', args: { keyId: id, digest: digestOf('key') } });

  it.each<[string, EvaluationKeyRequest, Hex]>([
    ['keys of one', relinearization, keyId],
    ['a switching key from one', switching, keyId],
    ['a switching key to one', switching, targetKeyId],
  ])('because a key is retired says so for %s', async (_, request, retired) => {
    const committee = await withTarget({});
    committee.chain.emit({ eventName: 'KeyRetired', args: { keyId: retired } });
    const progress = await fails(committee, request);
    expect(progress?.reason).toContain('active keys only');
  });

  it.each<[string, { epochId?: Hex; parameterSetId?: Hex }, string]>([
    ['another epoch', { epochId: digestOf('epoch') }, 'in its epoch'],
    ['another parameter set', { parameterSetId: digestOf('set') }, 'the same parameter set'],
  ])('says so for a switching key to a key of %s', async (_, changes, why) => {
    const progress = await fails(await withTarget(changes), switching);
    expect(progress).toMatchObject({ error: 'REQUEST_UNSERVABLE' });
    expect(progress?.reason).toContain(why);
  });

  it.each<[string, EvaluationKeyRequest, string]>([
    ['an even element', { kind: 'galois', keyId, elements: [4] }, 'GALOIS_ELEMENT_INVALID'],
    ['element 1', { kind: 'galois', keyId, elements: [1] }, 'GALOIS_ELEMENT_INVALID'],
    ['a key to itself', { kind: 'switching', keyId, targetKeyId: keyId }, 'SWITCHING_TO_ITSELF'],
  ])('says so for %s', async (_, request, cause) => {
    const committee = await startCommittee(4);
    addSet(committee.chain);
    requestKey(committee);
    record(committee);
    const progress = await fails(committee, request);
    expect(progress?.reason).toContain(cause);
  });
});
