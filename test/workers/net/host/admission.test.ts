import { describe, expect, it } from 'vitest';

import { Admission } from '../../../../workers/net/host/admission.ts';
import { defaultLimits } from '../../../../workers/net/limits.ts';

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
  });

  it('leaves room for every peer beside a full committee of others', () => {
    const admission = new Admission(defaultLimits);
    for (let peer = 0; peer < 26; peer++) {
      while (admission.enter(`greedy ${peer}`) !== undefined);
    }
    expect(admission.enter('honest')).toBeDefined();
  });
});
