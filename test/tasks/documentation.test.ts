import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { kmsTasks } from '../../tasks/index.ts';
import { ClientErrorCode } from '../../tasks/support/errors.ts';

const text = readFileSync(new URL('../../docs/tasks.md', import.meta.url), 'utf8');

test.each(Object.values(ClientErrorCode))('docs/tasks.md explains %s', (code) => {
  expect(text).toContain(`\`${code}\``);
});

test('docs/tasks.md names every task', () => {
  const names = kmsTasks.filter((task) => 'options' in task).map(({ id }) => id.slice(1).join(' '));
  expect(names.filter((name) => !text.includes(`\`${name}`))).toEqual([]);
});
