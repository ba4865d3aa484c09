import { bytesToHex, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { ask, register, type Commitments } from '../../../../workers/net/commitments/index.ts';
import { openingsPerQuestion } from '../../../../workers/net/limits.ts';
import { sign } from '../../../../workers/operator/context.ts';
import { commitment } from '../../../../workers/operator/openings/own-shares.ts';
import { Comparisons } from '../../../../workers/operator/watchdog/comparisons.ts';
import { EVIDENCE_PER_ACCUSED } from '../../../../workers/store/evidence.ts';
import { answeringBy } from '../../../twins/answering.ts';
import { conducts } from '../../../twins/index.ts';
import { shifted } from '../../../twins/shifted.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee, testSignal, type TestCommittee, type TestOperator } from '../harness.ts';
import { compare, complete, evidenceOf, open, openAll, openingOf } from './opened.ts';

const keyId = digestOf('key');
const liesTo = (victim: number) =>
  answeringBy({
    share: (share, { to, opening }) => (to === victim ? shifted(share, { to, opening }) : share),
  });

const kindsAt = (operator: TestOperator) =>
  evidenceOf(operator).map(({ kind, index }) => `${kind} of ${index}`);

/** What an operator claims to hold when it is asked. */
function claiming({ at }: TestCommittee, index: number, claims: Commitments[number]) {
  return register(at(index).context.host, async (_, { openingIds }) =>
    openingIds.map(() => claims),
  );
}

/** A root that an operator has signed for the opening of the key. */
async function signedRoot({ at, epochId }: TestCommittee, index: number, name: string) {
  const root = digestOf(name);
  const { id } = openingOf(at(index), keyId);
  return { index, root, signature: await sign(at(index).context, commitment(epochId, id, root)) };
}

describe('roots that are compared', () => {
  it('show who lied to one operator only, to all others as well', async () => {
    const committee = await startCommittee(4, { deviations: { 2: { answering: liesTo(3) } } });
    const { at } = committee;
    await openAll(committee, keyId);
    for (const index of [1, 3, 4]) await complete(at(index), keyId);
    expect(kindsAt(at(1))).toEqual([]);
    for (const index of [1, 3, 4]) expect(await compare(at(index), keyId)).toBe(3);
    expect(kindsAt(at(1))).toEqual(['equivocation of 2']);
    expect(kindsAt(at(3)).sort()).toEqual(['equivocation of 2', 'wrong-share of 2']);
    expect(kindsAt(at(4))).toEqual(['equivocation of 2']);
    expect(evidenceOf(at(4))[0]).toEqual(evidenceOf(at(1))[0]);
  });

  it('show it to an operator that holds neither', async () => {
    const committee = await startCommittee(4, { mute: [3, 4] });
    const { at } = committee;
    const roots = await Promise.all(['a', 'b'].map((name) => signedRoot(committee, 2, name)));
    await claiming(committee, 3, [roots[0]]);
    await claiming(committee, 4, [roots[1]]);
    await compare(at(1), keyId);
    expect(kindsAt(at(1))).toEqual(['equivocation of 2']);
  });

  it.each<[string, (root: Hex, signature: Hex) => { root: Hex; signature: Hex }]>([
    [
      'another root under the signature',
      (_, signature) => ({ root: digestOf('other'), signature }),
    ],
    ['no signature', (root) => ({ root: digestOf(root), signature: `0x${'ff'.repeat(65)}` })],
  ])('accuse nobody for %s', async (_, forge) => {
    const committee = await startCommittee(4, { mute: [4] });
    const { at } = committee;
    await Promise.all([1, 2, 3].map((index) => open(at(index), keyId)));
    const held = await at(1).context.store.transcripts.roots(openingOf(at(1), keyId).id);
    const forged = held.map(({ index, root, signature }) => ({ index, ...forge(root, signature) }));
    await claiming(committee, 4, forged);
    expect(await compare(at(1), keyId)).toBe(3);
    expect(kindsAt(at(1))).toEqual([]);
    const warned = at(1).lines.filter(({ message }) => message.startsWith('commitments with'));
    expect(warned.map(({ fields }) => fields['index'])).toEqual([4]);
  });

  it('are not spoilt by who claims the right root with a wrong signature first', async () => {
    const committee = await startCommittee(7, { mute: [3, 4, 5] });
    const { at } = committee;
    const [a, b] = await Promise.all(['a', 'b'].map((name) => signedRoot(committee, 2, name)));
    const spoilt = { ...a, signature: b.signature };
    const { promise: spoiltFirst, resolve } = Promise.withResolvers<void>();
    await register(at(3).context.host, async () => {
      setImmediate(resolve);
      return [[spoilt]];
    });
    for (const [index, claim] of [
      [4, a],
      [5, b],
    ] as const)
      await register(at(index).context.host, async () => {
        await spoiltFirst;
        return [[claim]];
      });
    await compare(at(1), keyId);
    expect(kindsAt(at(1))).toEqual(['equivocation of 2']);
  });

  it('never make evidence against the own operator', async () => {
    const committee = await startCommittee(4, { mute: [4] });
    const { at } = committee;
    await Promise.all([1, 2, 3].map((index) => open(at(index), keyId)));
    // As if the own key had signed twice, on another machine.
    await claiming(committee, 4, [await signedRoot(committee, 1, 'elsewhere')]);
    await compare(at(1), keyId);
    expect(kindsAt(at(1))).toEqual([]);
    expect(at(1).lines.some(({ level }) => level === 'error')).toBe(true);
    await compare(at(2), keyId);
    expect(kindsAt(at(2))).toEqual(['equivocation of 1']);
  });

  it('make no more evidence against one operator than is kept', async () => {
    const committee = await startCommittee(4, { mute: [4] });
    const { at } = committee;
    const keys = Array.from({ length: EVIDENCE_PER_ACCUSED + 2 }, (_, draw) => digestOf(`${draw}`));
    for (const id of keys) for (const index of [1, 2, 3]) void open(at(index), id);
    for (const id of keys)
      while ((await at(1).context.store.transcripts.roots(openingOf(at(1), id).id)).length < 3)
        await new Promise(setImmediate);
    await register(at(4).context.host, async (_, { epochId, openingIds }) =>
      Promise.all(
        openingIds.map(async (id) => {
          const root = digestOf(`another of ${id}`);
          const signature = await sign(at(2).context, commitment(epochId, id, root));
          return [{ index: 2, root, signature }];
        }),
      ),
    );
    await compare(at(1), ...keys);
    expect(evidenceOf(at(1))).toHaveLength(EVIDENCE_PER_ACCUSED);
  });

  it('are those that were signed in the epoch, by opening', async () => {
    const committee = await startCommittee(4);
    const { at, epochId } = committee;
    await openAll(committee, keyId);
    await complete(at(1), keyId);
    const { id, preimage } = openingOf(at(1), keyId);
    const { transcripts, openings } = at(1).context.store;
    const elsewhere = digestOf('opening of another epoch');
    const share = (await transcripts.get(id, 1))!;
    openings.commit({ openingId: elsewhere, epochId, preimage }, share.root);
    await transcripts.put(elsewhere, 1, { ...share, epochId: digestOf('another epoch') });
    const openingIds = [elsewhere, id, digestOf('unknown')];
    const { host } = at(2).context;
    const { peerId } = at(1).context.host;
    const options = { signal: testSignal(), openings: openingIds.length };
    const held = await ask(host, peerId, { epochId, openingIds }, options);
    expect(held.map((roots) => roots.map(({ index }) => index))).toEqual([[], [1, 2, 3, 4], []]);
    for (const { index, root, signature } of held[1])
      expect(await transcripts.get(id, index)).toMatchObject({ root, signature });
  });
});

describe('comparisons', () => {
  const compared = ({ context }: TestOperator) => context.store.openings.toCompare(99).length === 0;

  const run = (operator: TestOperator, comparisons: Comparisons) => {
    const over = new AbortController();
    const ended = comparisons.run(
      operator.context,
      (epochId) => operator.seats.placeIn(epochId),
      AbortSignal.any([over.signal, testSignal()]),
    );
    return async () => {
      over.abort();
      await ended;
    };
  };

  it('are made of everything that was opened, after the fact', async () => {
    const committee = await startCommittee(4, {
      deviations: { 2: { answering: answeringBy({ share: conducts['equivocating'] }) } },
    });
    const { at } = committee;
    const { comparisons } = at(1).context;
    const stop = run(at(1), comparisons);
    await openAll(committee, keyId);
    while (kindsAt(at(1)).length === 0) await new Promise(setImmediate);
    expect(kindsAt(at(1))).toEqual(['equivocation of 2']);
    while (!compared(at(1))) await new Promise(setImmediate);
    await stop();
  });

  it('are taken up after a restart, with the shares that nobody had looked at', async () => {
    const committee = await startCommittee(4, {
      deviations: { 2: { answering: answeringBy({ share: shifted }) } },
    });
    const { at } = committee;
    const { store } = at(1).context;
    // The process ends as soon as it has the shares.
    const keep = store.evidence.keep.bind(store.evidence);
    store.evidence.keep = () => false;
    await openAll(committee, keyId);
    await complete(at(1), keyId);
    store.evidence.keep = keep;
    expect(compared(at(1))).toBe(false);
    const stop = run(at(1), new Comparisons(1_000_000));
    while (!compared(at(1))) await new Promise(setImmediate);
    // The twin says what it should have signed when it is asked for roots: that is the second one.
    expect(kindsAt(at(1))).toEqual(['wrong-share of 2', 'equivocation of 2']);
    await stop();
  });

  it('are not over before enough peers have answered', async () => {
    const { at } = await startCommittee(4, { mute: [2, 3] });
    const { openings } = at(1).context.store;
    const { id: openingId, preimage } = openingOf(at(1), keyId);
    const { epochId } = at(1).seat().session;
    openings.commit({ openingId, epochId, preimage }, digestOf('root'));
    const stop = run(at(1), new Comparisons(0));
    const unanswered = () =>
      at(1).lines.filter(({ message }) => message === 'no commitments from peer').length;
    while (unanswered() < 2) await new Promise(setImmediate);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    await stop();
    expect(compared(at(1))).toBe(false);
  });

  it('are made of what did not fit into memory as well', async () => {
    const { at, epochId } = await startCommittee(4, { mute: [2, 3, 4] });
    const asked: Hex[] = [];
    const { openings } = at(1).context.store;
    const { preimage } = openingOf(at(1), keyId);
    const idOf = (number: number) => bytesToHex(new Uint8Array(32).fill(number));
    const commit = (number: number): void =>
      openings.commit({ openingId: idOf(number), epochId, preimage }, digestOf('root'));
    const room = 8;
    const comparisons = new Comparisons(0, room);
    // Behind the late ones in the order in which the store is searched.
    const late = Array.from({ length: 2 * room }, (_, place) => 1 + place);
    const early = late.map((number) => number + 2 * room);
    early.forEach(commit);
    for (const index of [2, 3, 4])
      await register(at(index).context.host, async (_, { openingIds }) => {
        // While the first question is under way more is opened than there is room for.
        if (asked.length === 0)
          for (const number of late) {
            commit(number);
            comparisons.note(at(1).context, epochId, idOf(number));
          }
        if (index === 2 || asked.length === 0) asked.push(...openingIds);
        return openingIds.map(() => []);
      });
    const stop = run(at(1), comparisons);
    while (!compared(at(1))) await new Promise(setImmediate);
    await stop();
    expect(new Set(asked)).toEqual(new Set([...early, ...late].map(idOf)));
  });

  it('are made again of what was compared before it was over', async () => {
    const { at, epochId } = await startCommittee(4);
    const { openings } = at(1).context.store;
    const { id: openingId, preimage } = openingOf(at(1), keyId);
    openings.commit({ openingId, epochId, preimage }, digestOf('root'));
    openings.setCompared([openingId]);
    const comparisons = new Comparisons(0);
    comparisons.note(at(1).context, epochId, openingId);
    expect(compared(at(1))).toBe(false);
    const stop = run(at(1), comparisons);
    while (!compared(at(1))) await new Promise(setImmediate);
    await stop();
  });

  it('ask about so many openings at once', async () => {
    const { at, epochId } = await startCommittee(4, { mute: [2, 3, 4] });
    const asked: number[] = [];
    for (const index of [2, 3, 4])
      await register(at(index).context.host, async (_, { openingIds }) => {
        if (index === 2) asked.push(openingIds.length);
        return openingIds.map(() => []);
      });
    const { preimage } = openingOf(at(1), keyId);
    const { openings } = at(1).context.store;
    for (let number = 1; number <= openingsPerQuestion + 5; number++) {
      const openingId = bytesToHex(new Uint8Array(32).fill(number));
      openings.commit({ openingId, epochId, preimage }, digestOf('root'));
    }
    const stop = run(at(1), new Comparisons(0));
    while (!compared(at(1))) await new Promise(setImmediate);
    expect(asked).toEqual([openingsPerQuestion, 5]);
    await stop();
  });
});
