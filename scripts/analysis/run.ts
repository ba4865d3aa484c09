/**
 * Static analysis of contracts/ by slither. Fails on every finding of low impact or above that
 * docs/analysis.md does not explain, and on every explanation without a finding.
 *
 * Needs Python 3.10 with venv, and PyPI the first time. Without Python it says that it was skipped; in CI
 * that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

import { contractSources, root, standardInput } from '../solidity.ts';
import { cacheFolder, findPython, installSlither } from './environment.ts';
import {
  compareFindings,
  groupFindings,
  readExplanations,
  type SlitherReport,
} from './findings.ts';

const python = findPython();
if (python === undefined) {
  process.stdout.write('Static analysis was skipped: there is no Python 3.10 with venv here.\n');
  process.exit(process.env['CI'] === 'true' ? 1 : 0);
}

const report = analyse(installSlither(python));
if (!report.success) throw new Error(`slither failed: ${report.error}`);
const findings = groupFindings(report);
const explanations = readExplanations(readFileSync(join(root, 'docs', 'analysis.md'), 'utf8'));
const problems = compareFindings(findings, explanations);
for (const problem of problems) process.stdout.write(`\n${problem}\n`);
process.stdout.write(
  `\nslither: ${findings.length} findings, ${problems.length} differ from docs/analysis.md\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function analyse(slither: string): SlitherReport {
  const input = join(cacheFolder, 'input.json');
  const output = join(cacheFolder, 'report.json');
  const selection = { '*': { '': ['ast'], '*': ['abi', 'userdoc', 'devdoc'] } };
  writeFileSync(input, JSON.stringify(standardInput(contractSources(), selection)));
  rmSync(output, { force: true });
  const { stderr } = spawnSync(
    slither,
    [
      input,
      ...['--compile-force-framework', 'solc-json'],
      ...['--solc', join(root, 'scripts', 'analysis', 'solc.ts')],
      ...['--filter-paths', 'node_modules'],
      ...['--exclude-informational', '--exclude-optimization'],
      ...['--json', output],
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as SlitherReport;
  } catch {
    throw new Error(`slither wrote no report:\n${stderr}`);
  }
}
