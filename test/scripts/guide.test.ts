import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';

import { root } from '../../scripts/solidity.ts';
import { HealthReason } from '../../workers/operator/health/reasons.ts';
import { usage } from '../../workers/operator/usage.ts';
import { blocksOf, GUIDE } from '../e2e/guide-pages.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Programs of blocks that are not run here. */
const PROGRAMS = [
  ...[
    'cd',
    'cp',
    'git',
    'install',
    'journalctl',
    'keyloom-operator',
    'ln',
    'node',
    'npm',
    'podman',
  ],
  ...['systemctl', 'systemd-run', 'systemd-sysusers', '(umask'],
];
/** Made by its owner, and ignored by git. */
const MADE = ['packaging/passphrase'];

describe('blocks of the guide that are not run', () => {
  const blocks = GUIDE.flatMap(blocksOf).filter(({ needs }) => needs !== undefined);

  it.each(blocks)('$at names programs and files that there are', ({ text }) => {
    const lines = text.replaceAll('\\\n', ' ').split('\n').filter(Boolean);
    const commands = lines.flatMap((line) => line.split(' && '));
    for (const command of commands) expect(PROGRAMS).toContain(command.split(' ')[0]);
    const paths = text.match(/(?<![\w/.-])(?:packaging|scripts|workers)\/[\w./-]+/gu) ?? [];
    const absolute = [...text.matchAll(/\/opt\/keyloom\/([\w./-]+)/gu)].map(([, path]) => path);
    for (const path of [...paths, ...absolute])
      expect(MADE.includes(path) || existsSync(join(root, path))).toBe(true);
    for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/gu))
      expect((JSON.parse(read('package.json')) as { scripts: object }).scripts).toHaveProperty(
        script,
      );
    // What is given to the program.
    for (const [option] of text.matchAll(/--(?:folder|rpc|gateway|host|endpoint|config)\b/gu))
      expect(usage).toContain(option);
  });
});

describe('docs/operator', () => {
  const pages = globSync('docs/operator/*.md', { cwd: root });

  it.each(pages)('%s is short enough to be read', (page) => {
    expect(read(page).split('\n').length).toBeLessThan(250);
    expect(read('docs/operator.md')).toContain(`](${page.replace('docs/', '')})`);
  });

  it('has something to do for every alert and every reason', () => {
    const page = read('docs/operator/incident.md');
    const alerts = [...read('dashboards/alerts.yml').matchAll(/alert: (\w+)/gu)];
    expect(alerts.length).toBeGreaterThan(20);
    const names = [...alerts.map(([, name]) => name), ...Object.values(HealthReason)];
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

test('links between pages lead somewhere', () => {
  const pages = ['*.md', 'docs/**/*.md'].flatMap((pattern) => globSync(pattern, { cwd: root }));
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/gu)]
      .map(([, target = '']) => resolve(root, dirname(page), target))
      .filter((path) => !existsSync(path))
      .map((path) => `${page}: ${path}`),
  );
  expect(broken).toEqual([]);
});
