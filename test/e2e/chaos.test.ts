import { expect, it } from 'vitest';

import { textOf } from '../chaos/report.ts';
import { runChaos } from '../chaos/run.ts';
import { planOf, type Plan } from '../chaos/schedule.ts';

// One round of what `npm run chaos` does for as long as one likes: docs/chaos.md.

/** Spells in a phase of the short run. */
const SPELLS = 2;

/** Fewer faults in less time: spells last until service has gone on in any case. */
function hurried(plan: Plan): Plan {
  const phases = plan.phases.map(({ spells, ...phase }) => ({
    ...phase,
    spells: spells.slice(0, SPELLS).map((spell) => ({ ...spell, holdMs: spell.holdMs / 5 })),
  }));
  return { ...plan, phases };
}

// It waits for what it has to see, so only a machine that is very busy takes anywhere near that long.
it('a committee keeps what it promises through one round of faults', async () => {
  const plan = hurried(planOf({ seed: 1, minutes: 0.1, n: 4 }));
  const said: string[] = [];
  const { report, logs } = await runChaos(plan, {
    onProgress: (text) => said.push(text),
    signal: new AbortController().signal,
  });
  const { wrong, lost, doubleSigned } = report.requests;
  expect(
    { ...{ result: report.result, wrong, lost, doubleSigned }, violations: report.violations },
    `${said.join('\n')}\n${textOf(report)}\nLogs: ${logs}`,
  ).toEqual({ ...{ result: 'passed', wrong: 0, lost: 0, doubleSigned: 0 }, violations: [] });
  expect(report.phases.map(({ kind }) => kind)).toEqual(['calm', 'few', 'many', 'healed']);
  // Everything was asked for, and the auditor has something to compare.
  for (const counts of Object.values(report.requests.byKind))
    expect(counts.answered).toBeGreaterThan(0);
  expect(report.statements).toBeGreaterThan(100);
}, 1_200_000);
