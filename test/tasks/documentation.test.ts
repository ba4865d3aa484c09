import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { SdkErrorCode } from '../../sdk/index.ts';
import { kmsTasks } from '../../tasks/index.ts';
import { AuditErrorCode } from '../../tasks/support/audit/errors.ts';
import { ClientErrorCode } from '../../tasks/support/errors.ts';

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const text = page('tasks.md');

test.each(Object.values({ ...ClientErrorCode, ...SdkErrorCode }))(
  'docs/tasks.md explains %s',
  (code) => {
    expect(text).toContain(`\`${code}\``);
  },
);

test.each(Object.values(AuditErrorCode))('docs/audit.md explains %s', (code) => {
  expect(page('audit.md')).toContain(`\`${code}\``);
});

test('docs/tasks.md names every task', () => {
  const names = kmsTasks.filter((task) => 'options' in task).map(({ id }) => id.slice(1).join(' '));
  expect(names.filter((name) => !text.includes(`\`${name}`))).toEqual([]);
});
