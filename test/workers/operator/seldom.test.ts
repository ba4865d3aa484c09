import { expect, it } from 'vitest';

import { SAID_EVERY_MS, Seldom } from '../../../workers/operator/seldom.ts';

it('says each thing once in a while, and how often it has happened since', () => {
  let now = 0;
  const seldom = new Seldom(() => now);
  expect([1, 2, 3].map(() => seldom.due('a'))).toEqual([0, undefined, undefined]);
  expect(seldom.due('b')).toBe(0);
  now += SAID_EVERY_MS;
  expect(seldom.due('a')).toBe(2);
  expect(seldom.due('a')).toBeUndefined();
});

it('forgets what was said longest ago rather than keep everything', () => {
  const seldom = new Seldom(() => 0);
  seldom.due('first');
  seldom.due('second');
  for (let count = 0; count < 1_023; count++) seldom.due(`${count}`);
  expect(seldom.due('second')).toBeUndefined();
  expect(seldom.due('first')).toBe(0);
});
