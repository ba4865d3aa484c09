import { describe, expect, it } from 'vitest';

import { Ledger, type Item, type Kind, type State } from '../../chaos/ledger.ts';
import { exitCodeOf, reportOf, textOf, type Outcome } from '../../chaos/report.ts';
import { planOf } from '../../chaos/schedule.ts';

const plan = planOf({ seed: 5, minutes: 10, n: 4 });
const honest = [1, 2, 3, 4].find((index) => !plan.liars.includes(index))!;

const nothing: Outcome = {
  ...{ plan, phases: [], items: [], conflicts: [], liarsConflicts: 0, statements: 0 },
  ...{ accusations: [], violations: [], faults: {}, wasInterrupted: false, seconds: 1 },
};

/** Something that came to an end, with so many operators in its way. */
function ended(kind: Kind, state: State, afflicted: readonly number[] = []): Item {
  const item = new Ledger().open(kind, []);
  for (const operator of afflicted) item.afflicted.add(operator);
  item.state = state;
  return item;
}

const codesOf = (outcome: Partial<Outcome>): string[] =>
  reportOf({ ...nothing, ...outcome }).violations.map(({ code }) => code);

describe('a report', () => {
  it('counts what was asked for by what has become of it', () => {
    const items = [
      ...[ended('key', 'answered'), ended('public', 'answered'), ended('user', 'expired', [1, 2])],
      ...[ended('registration', 'refused', [1, 2]), ended('computation', 'answered')],
    ];
    const report = reportOf({ ...nothing, items });
    expect(report.result).toBe('passed');
    expect(exitCodeOf(report)).toBe(0);
    expect(report.requests).toMatchObject({
      ...{ sent: 3, answered: 2, expired: 1, wrong: 0, lost: 0, doubleSigned: 0, open: 0 },
      byKind: { key: { sent: 1, answered: 1 }, registration: { sent: 1, refused: 1 } },
    });
  });

  it('fails for whatever must not be', () => {
    expect(codesOf({ items: [ended('public', 'wrong')] })).toEqual(['WRONG']);
    expect(codesOf({ items: [ended('user', 'open', [1, 2, 3])] })).toEqual(['LOST']);
    // Recorded, and nobody has the answer any more.
    expect(codesOf({ items: [ended('user', 'unread')] })).toEqual(['LOST']);
    const conflict = { signer: honest, subject: 'opening 0x1', contents: [] };
    expect(codesOf({ conflicts: [conflict] })).toEqual(['DOUBLE_SIGNED']);
    for (const by of [2, 'chain'] as const)
      expect(codesOf({ accusations: [{ accused: honest, by, kind: 'equivocation' }] })).toEqual([
        'HONEST_ACCUSED',
      ]);
    expect(codesOf({ violations: [{ code: 'STALLED', what: '' }] })).toEqual(['STALLED']);
    const failed = reportOf({ ...nothing, items: [ended('public', 'wrong')] });
    expect(exitCodeOf(failed)).toBe(1);
    expect(textOf(failed)).toContain('npm run chaos -- --seed 5 --minutes 10 --operators 4');
  });

  it('fails for what expired or was refused while at most t were in its way', () => {
    expect(codesOf({ items: [ended('public', 'expired', [2])] })).toEqual(['EXPIRED_IN_SERVICE']);
    expect(codesOf({ items: [ended('public', 'expired', [2, 3])] })).toEqual([]);
    expect(codesOf({ items: [ended('computation', 'refused', [2])] })).toEqual([
      'REFUSED_IN_SERVICE',
    ]);
    expect(codesOf({ items: [{ ...ended('public', 'expired'), isOverdue: true }] })).toEqual([]);
  });

  it('expects liars to be accused and convicted', () => {
    const [accused] = plan.liars;
    const report = reportOf({
      ...nothing,
      accusations: [
        { accused, by: honest, kind: 'wrong-share' },
        { accused, by: 'chain', kind: 'wrong-share' },
      ],
    });
    expect(report).toMatchObject({ result: 'passed', accused: [accused], convicted: [accused] });
  });

  it('says of a run that was interrupted what was open', () => {
    const report = reportOf({ ...nothing, items: [ended('key', 'open')], wasInterrupted: true });
    expect(report).toMatchObject({ result: 'interrupted', requests: { open: 1, lost: 0 } });
    expect(exitCodeOf(report)).toBe(130);
  });
});

describe('the ledger', () => {
  it('notes for each open thing who was afflicted and who lied', () => {
    const ledger = new Ledger();
    ledger.afflict(1, false);
    const item = ledger.open('public', ['0xaa']);
    ledger.relieve();
    expect(ledger.isUntouched('0xaa')).toBe(true);
    ledger.afflict(2, true);
    item.state = 'answered';
    ledger.afflict(3, true);
    expect([...item.afflicted]).toEqual([1, 2]);
    expect([...item.liars]).toEqual([2]);
    expect(ledger.isUntouched('0xaa')).toBe(false);
  });
});
