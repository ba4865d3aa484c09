import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { root } from '../../scripts/solidity.ts';

const page = readFileSync(join(root, 'docs', 'peers-bugs.md'), 'utf8');

/** Each file with the tests that the page names in it. */
const named = [...page.matchAll(/`(test\/[^`]+)`: ((?:`[^`]+`(?:, )?)+)/g)].map(
  ([, file = '', titles = '']) => ({
    file,
    titles: [...titles.matchAll(/`([^`]+)`/g)].map(([, title = '']) => title),
  }),
);

test('docs/peers-bugs.md names a test for every bug', () => {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) expect(row).toContain('`test/');
});

test.each(named)('$file has the tests that docs/peers-bugs.md names', ({ file, titles }) => {
  const path = join(root, file);
  expect(existsSync(path)).toBe(true);
  const text = readFileSync(path, 'utf8');
  expect(titles.filter((title) => !text.includes(title))).toEqual([]);
});
