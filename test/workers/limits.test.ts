import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { defaultLimits } from '../../workers/net/limits.ts';
import { defaultBodyLimits } from '../../workers/operator/public/bodies.ts';
import { defaultHttpLimits } from '../../workers/operator/public/http.ts';
import { defaultPendingLimits } from '../../workers/operator/registration/pending-blobs.ts';
import { defaultVerifierLimits } from '../../workers/operator/registration/verifier.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/limits.md', root), 'utf8');
const row =
  /^\| `(\w+)` +\| `([^`]+)` +\| \[[^\]]+\]\(\.\.\/([^)]+)\) +\| [^|]+ \| (?:`([^`]+)`|–) +\|$/gm;
const limits = [...page.matchAll(row)].map(([, name, value, file, test]) => ({
  name,
  value,
  file,
  test,
}));

/** True if a source text gives this name this value, as a constant or as a field. */
function says(source: string, name: string, value: string): boolean {
  const literal = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
  return new RegExp(`\\b${name}(: \\w+)?\\s*[=:]\\s*${literal}\\s*[,;}]`).test(source);
}

it('the page has a row for each line of its tables', () => {
  const lines = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(limits.length).toBe(lines.length);
});

it.each(limits)('$name is $value in $file', ({ name, value, file }) => {
  expect(says(readFileSync(new URL(file, root), 'utf8'), name, value)).toBe(true);
});

it.each([...new Set(limits.flatMap(({ test }) => test ?? []))])('there is %s', (test) => {
  expect(existsSync(new URL(test, root))).toBe(true);
});

it('every limit that is configured in one place is in the list', () => {
  const listed = limits.map(({ name }) => name);
  for (const defaults of [
    defaultLimits,
    defaultHttpLimits,
    defaultBodyLimits,
    defaultPendingLimits,
    defaultVerifierLimits,
  ])
    expect(listed).toEqual(expect.arrayContaining(Object.keys(defaults)));
});
