import { describe, expect, it } from 'vitest';

import { FairQueue } from '../../../../workers/operator/registration/fair-queue.ts';

function drain(queue: FairQueue<string>): string[] {
  const out: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) out.push(next);
  return out;
}

describe('a fair queue', () => {
  it('gives askers one turn after the other, and urgent things before them', () => {
    const queue = new FairQueue<string>(9);
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(item[0], item);
    queue.push(undefined, 'urgent');
    expect(drain(queue)).toEqual(['urgent', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(queue.shift()).toBeUndefined();
  });

  it('who comes again has to wait for those who came in between', () => {
    const queue = new FairQueue<string>(9);
    queue.push('a', 'a1');
    queue.push('b', 'b1');
    expect(queue.shift()).toBe('a1');
    queue.push('a', 'a2');
    expect(drain(queue)).toEqual(['b1', 'a2']);
  });

  it('has who waits with the most give up its newest', () => {
    const queue = new FairQueue<string>(3);
    for (const item of ['a1', 'a2', 'a3']) expect(queue.push('a', item)).toBeUndefined();
    expect(queue.push('a', 'a4')).toBe('a4');
    expect(queue.push('b', 'b1')).toBe('a3');
    // b would have as many as a: the newcomer stands back.
    expect(queue.push('b', 'b2')).toBe('b2');
    expect(drain(queue)).toEqual(['a1', 'b1', 'a2']);
  });

  it('has no limit for what is urgent', () => {
    const queue = new FairQueue<string>(1);
    queue.push('a', 'a1');
    for (const item of ['u1', 'u2']) expect(queue.push(undefined, item)).toBeUndefined();
    expect(drain(queue)).toEqual(['u1', 'u2', 'a1']);
  });

  it('forgets what does not wait any more, and has its room again', () => {
    const queue = new FairQueue<string>(2);
    for (const item of ['a1', 'b1']) queue.push(item[0], item);
    queue.push(undefined, 'urgent');
    expect(queue.remove('a1')).toBe(true);
    expect(queue.remove('urgent')).toBe(true);
    expect(queue.remove('a1')).toBe(false);
    expect(queue.push('c', 'c1')).toBeUndefined();
    expect(drain(queue)).toEqual(['b1', 'c1']);
  });
});
