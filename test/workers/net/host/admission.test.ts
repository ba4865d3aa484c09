import { describe, expect, it } from 'vitest';

import { Admission, type LimitName } from '../../../../workers/net/host/admission.ts';
import { defaultLimits } from '../../../../workers/net/limits.ts';

const never = { burst: 2, perSecond: 0 };

describe('admission of questions', () => {
  it('limits each peer, then the host', () => {
    const admission = new Admission({
      ...defaultLimits,
      openQuestionsPerPeer: 2,
      openQuestions: 3,
    });
    const leave = admission.enter('a');
    expect(leave).toBeDefined();
    expect(admission.enter('a')).toBeDefined();
    expect(admission.enter('a')).toBeUndefined();
    expect(admission.enter('b')).toBeDefined();
    expect(admission.enter('b')).toBeUndefined();
    leave!();
    leave!();
    expect(admission.enter('b')).toBeDefined();
    expect(admission.enter('a')).toBeUndefined();
    expect(admission.held).toEqual({ questions: 3, answerBytes: 0 });
  });

  it('leaves room for every peer beside a full committee of others', () => {
    const admission = new Admission(defaultLimits);
    for (let peer = 0; peer < 26; peer++) {
      while (admission.enter(`greedy ${peer}`) !== undefined);
    }
    expect(admission.enter('honest')).toBeDefined();
  });

  it('limits how fast a peer asks on a protocol, and says who met what', () => {
    const met: [string, LimitName][] = [];
    const admission = new Admission({ ...defaultLimits, connectionRatePerPeer: never }, (...what) =>
      met.push(what),
    );
    for (let count = 0; count < 2; count++) admission.enter('a', 'seeds', never)!();
    expect(admission.enter('a', 'seeds', never)).toBeUndefined();
    expect(admission.enter('a', 'shares', never)).toBeDefined();
    expect(admission.enter('b', 'seeds', never)).toBeDefined();
    expect([1, 2, 3].map(() => admission.connect('a'))).toEqual([true, true, false]);
    expect(admission.connect('b')).toBe(true);
    expect(met).toEqual([
      ['a', 'rate'],
      ['a', 'connections'],
    ]);
    expect(admission.refusals).toMatchObject({ rate: 1, connections: 1, questions: 0 });
  });

  it('limits what is held for a peer, but for one answer', () => {
    const admission = new Admission({ ...defaultLimits, answerBytesPerPeer: 100 });
    const release = admission.hold('a', 150)!;
    expect(admission.hold('a', 1)).toBeUndefined();
    expect(admission.hold('a', 0)).toBeDefined();
    expect(admission.hold('b', 60)).toBeDefined();
    expect(admission.hold('b', 40)).toBeDefined();
    expect(admission.hold('b', 1)).toBeUndefined();
    release();
    expect(admission.hold('a', 1)).toBeDefined();
    expect(admission.held.answerBytes).toBe(101);
  });
});
