import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

import { projectRoot } from '../../../devnet/chain.ts';
import { readOptions } from '../../chaos/options.ts';
import { planOf } from '../../chaos/schedule.ts';

it('has a seed, minutes and a committee', () => {
  expect(readOptions([])).toEqual({
    ...{ plan: planOf({ seed: 1, minutes: 10, n: 4 }), json: undefined, isOnlyPrinted: false },
  });
  const args = ['--seed', '9', '--minutes', '0.5', '--operators', '7', '--json', 'a', '--plan'];
  expect(readOptions(args)).toEqual({
    ...{ plan: planOf({ seed: 9, minutes: 0.5, n: 7 }), json: 'a', isOnlyPrinted: true },
  });
  expect(readOptions(['--help', '--seed', '9'])).toBeUndefined();
});

it.each([
  [['--operators', '5']],
  [['--minutes', '0']],
  [['--minutes', 'ten']],
  [['--seed', '-1']],
  [['--seed', '1.5']],
  [['--seeds', '1']],
  [['1']],
])('refuses %s', (args) => {
  expect(() => readOptions(args)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }));
});

it('prints the same schedule for the same seed, and runs nothing', async () => {
  const program = join(projectRoot, 'test/chaos/main.ts');
  const args = [program, '--plan', '--seed', '9', '--minutes', '3'];
  const [one, again] = [
    await promisify(execFile)(process.execPath, args),
    await promisify(execFile)(process.execPath, args),
  ];
  expect(one).toEqual(again);
  expect(JSON.parse(one.stdout)).toEqual(planOf({ seed: 9, minutes: 3, n: 4 }));
});
