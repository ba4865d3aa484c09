import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { ShareFault } from '../../../../workers/operator/openings/collect.ts';
import { EVIDENCE_PER_ACCUSED } from '../../../../workers/store/evidence.ts';
import { twins } from '../../../twins/answering.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee, testSignal, type TestOperator } from '../harness.ts';
import { evidenceAt, evidenceOf, openAll, openingOf } from '../watchdog/opened.ts';

// What wrong shares that are collected cost: evidence takes all shares of an opening into memory.

const LIAR = 2;
const keys = ['a', 'b', 'c'].map(digestOf);

const startWithLiar = () =>
  startCommittee(4, { deviations: { [LIAR]: { answering: twins['shifted'] } } });

/** Resolves once an operator has named the liar in so many openings. */
async function named({ context }: TestOperator, openings: number): Promise<void> {
  const faults = () =>
    context.store.faults.list().filter(({ reason }) => reason === ShareFault.WRONG_SHARE);
  while (faults().length < openings) await new Promise(setImmediate);
}

/** Resolves when all evidence that an operator was to make before has been made, or left. */
const drained = ({ context }: TestOperator) =>
  context.witnessSlots.run(testSignal(), async () => undefined);

/** Counts how often the shares of each opening are listed: when it begins, and for evidence. */
function countListings({ context }: TestOperator): (id: Hex) => number {
  const { transcripts } = context.store;
  const counts = new Map<Hex, number>();
  const list = transcripts.list.bind(transcripts);
  transcripts.list = (id) => {
    counts.set(id, (counts.get(id) ?? 0) + 1);
    return list(id);
  };
  return (id) => counts.get(id) ?? 0;
}

describe('evidence of wrong shares', () => {
  it('is made of one opening after the other, and no value waits for it', async () => {
    const committee = await startWithLiar();
    const { at } = committee;
    const operator = at(1);
    const listings = countListings(operator);
    const ids = keys.map((key) => openingOf(operator, key).id);
    const turn = Promise.withResolvers<void>();
    const before = operator.context.witnessSlots.run(testSignal(), () => turn.promise);
    for (const key of keys) {
      const [value, other] = await openAll(committee, key);
      expect(value).toEqual(other);
    }
    await named(operator, keys.length);
    for (let round = 0; round < 100; round++) await new Promise(setImmediate);
    expect(ids.map(listings)).toEqual([1, 1, 1]);
    expect(evidenceOf(operator)).toEqual([]);
    turn.resolve();
    await before;
    await drained(operator);
    expect(ids.map(listings)).toEqual([2, 2, 2]);
    expect(evidenceOf(operator).map(({ subject }) => subject)).toEqual(ids);
  });

  it('is not made where there is no room for it', async () => {
    const committee = await startWithLiar();
    const { at } = committee;
    const operator = at(1);
    const [first, second] = keys;
    await openAll(committee, first);
    const { evidence } = await evidenceAt(operator, 'wrong-share');
    const { store } = operator.context;
    for (let piece = 1; piece < EVIDENCE_PER_ACCUSED; piece++)
      store.evidence.keep({ ...evidence, subject: digestOf(`piece ${piece}`) });
    const listings = countListings(operator);
    await openAll(committee, second);
    await named(operator, 2);
    await drained(operator);
    expect(listings(openingOf(operator, second).id)).toBe(1);
    expect(evidenceOf(operator)).toHaveLength(EVIDENCE_PER_ACCUSED);
  });
});
