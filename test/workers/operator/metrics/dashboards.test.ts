import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { HealthReason } from '../../../../workers/operator/health/reasons.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

/** Name and labels of each documented metric; another test compares the page with the registry. */
const documented = new Map(
  [
    ...read('docs/metrics.md').matchAll(
      /^\| `((?:keyloom|process)_\w+)` +\| (\w+) +\| ([^|]*)\|/gmu,
    ),
  ].map(([, name = '', type, labels = '']) => [
    name,
    { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label) },
  ]),
);

/** What Prometheus itself has of each target. */
const builtIn = new Map([['up', { type: 'gauge', labels: [] as string[] }]]);
/** Added by Prometheus to every sample, or part of a histogram. */
const targetLabels = ['instance', 'job', 'le'];

interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
  /** Whether it is in a range, as counters have to be. */
  readonly isRange: boolean;
}

/** Words of PromQL that are no metrics. */
const words = new Set(
  (
    'sum by rate increase histogram_quantile abs time and or unless min_over_time changes ' +
    'predict_linear label_values'
  ).split(' '),
);

/** The selectors of an expression, and the labels that it groups by. */
function parse(expression: string): { selectors: Selector[]; groupedBy: string[] } {
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  );
  const rest = expression.replaceAll(/\bby \([^)]*\)/g, 'by');
  const selectors: Selector[] = [];
  const selector = /([a-zA-Z_]\w*)\s*(\{[^}]*\})?\s*(\[[^\]]+\])?/g;
  // What is quoted stays inside of braces.
  for (const [, name = '', braces = '', range] of rest.matchAll(selector)) {
    if (words.has(name)) continue;
    const labels = [...braces.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(
      ([, label = '']) => label,
    );
    selectors.push({ metric: name, labels, isRange: range !== undefined });
  }
  return { selectors, groupedBy: grouped };
}

/** What is wrong with an expression, as far as the metrics tell. */
function mistakes(expression: string): string[] {
  const { selectors, groupedBy } = parse(expression);
  const found: string[] = selectors.length === 0 ? [`no metric in ${expression}`] : [];
  for (const { metric, labels, isRange } of selectors) {
    const base = metric.replace(/_(bucket|sum|count)$/, '');
    const known = documented.get(metric) ?? documented.get(base) ?? builtIn.get(metric);
    if (known === undefined || (known.type === 'histogram') !== (metric !== base)) {
      found.push(`no metric ${metric}`);
      continue;
    }
    const all = [...known.labels, ...targetLabels];
    for (const label of [...labels, ...groupedBy])
      if (!all.includes(label)) found.push(`${metric} has no label ${label}`);
    if (known.type !== 'gauge' && !isRange) found.push(`${metric} is not in a range`);
  }
  for (const [, reason = ''] of expression.matchAll(/reason="(\w+)"/g))
    if (!(reason in HealthReason) && metricOf(expression) === 'keyloom_health_reason')
      found.push(`no reason ${reason}`);
  return found;
}

const metricOf = (expression: string): string | undefined => parse(expression).selectors[0]?.metric;

describe('expressions', () => {
  it.each([
    ['keyloom_ready == 0', []],
    ['keyloom_raedy == 0', ['no metric keyloom_raedy']],
    ['keyloom_ready{reason="x"}', ['keyloom_ready has no label reason']],
    ['sum by (step) (rate(keyloom_faults_total[1h]))', ['keyloom_faults_total has no label step']],
    ['keyloom_faults_total > 1', ['keyloom_faults_total is not in a range']],
    ['rate(keyloom_step_seconds[5m])', ['no metric keyloom_step_seconds']],
    ['keyloom_health_reason{reason="DISC_LOW"}', ['no reason DISC_LOW']],
    ['1 > 0', ['no metric in 1 > 0']],
  ])('%s', (expression, expected) => {
    expect(mistakes(expression)).toEqual(expected);
  });
});

describe('dashboards/keyloom.json', () => {
  interface Panel {
    id: number;
    type: string;
    title: string;
    targets?: { expr: string; legendFormat: string }[];
    gridPos: { x: number; y: number; w: number; h: number };
  }
  const { panels, templating } = JSON.parse(read('dashboards/keyloom.json')) as {
    panels: Panel[];
    templating: { list: { name: string; query: string }[] };
  };
  const targets = panels.flatMap(({ title, targets: all = [] }) =>
    all.map((target) => ({ title, ...target })),
  );

  it.each(targets)('$title: $expr', ({ expr, legendFormat }) => {
    expect(mistakes(expr)).toEqual([]);
    const { selectors } = parse(expr);
    const labels = selectors.flatMap(
      ({ metric }) => documented.get(metric.replace(/_bucket$/, ''))!.labels,
    );
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      expect([...labels, ...targetLabels]).toContain(label);
  });

  it('shows every metric', () => {
    const shown = targets.flatMap(({ expr }) => parse(expr).selectors.map(({ metric }) => metric));
    const names = shown.map((metric) => metric.replace(/_bucket$/, ''));
    expect([...documented.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });

  it('uses variables that it has, and puts no panel on another', () => {
    const names = templating.list.map(({ name }) => name);
    const used = JSON.stringify(panels).matchAll(/\$\{?([a-z]\w*)/g);
    expect([...used].map(([, name]) => name).filter((name) => !names.includes(name))).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)}/${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

describe('dashboards/alerts.yml', () => {
  // The file has one form throughout, so a line each says what it is.
  const rule =
    / {6}- alert: (\w+)\n {8}expr: '([^']+)'\n {8}for: (\d+[mh])\n {8}labels:\n {10}severity: (critical|warning)\n {8}annotations:\n {10}summary: ([^:'"{}\n]+)\n {10}description: '([^'\n]+)'\n/gu;
  const text = read('dashboards/alerts.yml');
  const rules = [...text.matchAll(rule)].map(([, name = '', expression = '']) => ({
    name,
    expression,
  }));

  it('has nothing but rules in one form', () => {
    const rest = text.replaceAll(rule, '');
    expect(rest).toMatch(/^# [^\n]+\ngroups:\n {2}- name: keyloom\n {4}rules:\n$/u);
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  });

  it.each(rules)('$name', ({ expression }) => {
    expect(mistakes(expression)).toEqual([]);
  });

  it('has one for each reason that keeps an operator from serving, or costs money', () => {
    const text = rules.map(({ expression }) => expression).join('\n');
    for (const part of [
      'keyloom_ready',
      'WORK_STOPPED',
      'SHARES_MISSING',
      'SLASHED',
      'CHAIN_STALLED',
    ])
      expect(text).toContain(part);
  });
});
