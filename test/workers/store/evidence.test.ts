import { describe, expect, it } from 'vitest';
import type { Hex } from 'viem';
import { offenceId, type Evidence } from '../../../workers/protocols/evidence.ts';
import { EVIDENCE_PER_ACCUSED } from '../../../workers/store/evidence.ts';
import { temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();

const signature: Hex = `0x${'5a'.repeat(65)}`;
const subjectOf = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;

const equivocation = (number: number, index = 2, epochId = word(9)): Evidence => ({
  ...{ kind: 'equivocation', epochId, subject: subjectOf(number), index },
  first: { root: word(1), signature },
  second: { root: word(2), signature },
});

const result = (number: number): Evidence => ({
  ...{ kind: 'wrong-result', epochId: word(9), subject: subjectOf(number), index: 2 },
  source: '0x00000000000000000000000000000000000000a1',
  ...{ resultHash: word(3), signature },
});

const numbers = (standings: readonly { subject: Hex }[]): number[] =>
  standings.map(({ subject }) => Number(subject));

describe('evidence', () => {
  it('is kept once per offence, after a restart as well', async () => {
    const path = directory();
    const store = await open(path);
    const [first] = [equivocation(1)];
    expect(store.evidence.keep(first)).toBe(true);
    const other = { ...first, first: { root: word(7), signature } } as Evidence;
    expect(store.evidence.keep(other)).toBe(false);
    store.close();
    const again = await open(path);
    expect(again.evidence.keep(other)).toBe(false);
    const id = offenceId(first);
    const standing = {
      ...{ offenceId: id, kind: 'equivocation', epochId: word(9), subject: subjectOf(1) },
      ...{ index: 2, state: 'open', why: undefined },
    };
    expect(again.evidence.get(id)).toEqual({ ...standing, evidence: first });
    expect(again.evidence.list(9)).toEqual([standing]);
    expect(again.evidence.get(word(1))).toBeUndefined();
  });

  it('has a state, and a reason for its end', async () => {
    const { evidence } = await open(directory());
    for (const number of [1, 2, 3]) evidence.keep(equivocation(number));
    evidence.advance(offenceId(equivocation(1)), 'submitted');
    evidence.advance(offenceId(equivocation(2)), 'hopeless', 'SlashingManagerShape');
    expect(evidence.get(offenceId(equivocation(2)))).toMatchObject({
      state: 'hopeless',
      why: 'SlashingManagerShape',
    });
    expect(numbers(evidence.list(9))).toEqual([3, 2, 1]);
    expect(numbers(evidence.list(1))).toEqual([3]);
    expect(numbers(evidence.list(9, ['open', 'submitted']))).toEqual([3, 1]);
    expect([evidence.count('open'), evidence.count('settled')]).toEqual([1, 0]);
  });
});

describe('a liar', () => {
  const full = async (make: (number: number) => Evidence) => {
    const { evidence } = await open(directory());
    for (let number = 1; number <= EVIDENCE_PER_ACCUSED; number++)
      expect(evidence.keep(make(number))).toBe(true);
    return evidence;
  };

  it('fills no more room than there is for one', async () => {
    const evidence = await full(equivocation);
    expect(evidence.isFull(equivocation(0))).toBe(true);
    expect(evidence.keep(equivocation(99))).toBe(false);
    expect(evidence.list(999)).toHaveLength(EVIDENCE_PER_ACCUSED);
  });

  it('does not take the room of others, of other kinds or of other epochs', async () => {
    const evidence = await full(equivocation);
    for (const other of [equivocation(1, 3), equivocation(1, 2, word(8)), result(1)]) {
      expect(evidence.isFull(other)).toBe(false);
      expect(evidence.keep(other)).toBe(true);
    }
  });

  it('has what is over give way, the oldest first', async () => {
    const evidence = await full(equivocation);
    evidence.advance(offenceId(equivocation(5)), 'settled', 'PUNISHED');
    evidence.advance(offenceId(equivocation(3)), 'hopeless', 'SlashingManagerShape');
    expect(evidence.isFull(equivocation(0))).toBe(false);
    expect(evidence.keep(equivocation(98))).toBe(true);
    expect(numbers(evidence.list(99))).not.toContain(3);
    expect(evidence.keep(equivocation(99))).toBe(true);
    expect(numbers(evidence.list(99))).not.toContain(5);
    expect(evidence.keep(equivocation(97))).toBe(false);
  });

  it('cannot fill the room with results of requests that are never answered', async () => {
    const evidence = await full(result);
    evidence.advance(offenceId(result(1)), 'submitted');
    expect(evidence.keep(result(99))).toBe(true);
    const held = numbers(evidence.list(99));
    expect(held).toHaveLength(EVIDENCE_PER_ACCUSED);
    expect(held).toContain(1);
    expect(held).not.toContain(2);
  });
});
