/**
 * `npm test`: everything CI checks, in order of cost. Each stage shows its own output; the last line is
 * "N passed, N failed" over all stages, and how many were skipped if any, after the names of what failed:
 * a log that is cut at its beginning still says it. A stage without a test count of its own counts as one.
 *
 * Stages that use one core each go side by side, and show their output when they end.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';

interface Tally {
  passed: number;
  failed: number;
  skipped?: number;
  /** What failed: file, name and message of a test. */
  failures?: readonly string[];
}

/** The part of Vitest's JSON report that is read here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: readonly {
    name: string;
    status: string;
    message: string;
    assertionResults: readonly {
      fullName: string;
      status: string;
      failureMessages?: readonly string[];
    }[];
  }[];
}

interface Stage {
  name: string;
  command: readonly string[];
  /** Reads the tally from the stage's captured output; absent: the exit code is one test. */
  count?: (output: string) => Tally | undefined;
}

const reports = mkdtempSync(join(tmpdir(), 'keyloom-test-'));
// Hundreds of processes load the same modules: compiled once, an operator starts a third of a second earlier.
const compileCache = join(reports, 'compile-cache');

function vitest(project: string): Stage {
  const report = join(reports, `${project}.json`);
  return {
    name: project,
    command: [
      'vitest',
      'run',
      '--project',
      project,
      '--reporter',
      'default',
      '--reporter',
      'json',
      '--outputFile.json',
      report,
    ],
    count: () => {
      if (!existsSync(report)) return undefined;
      const read = JSON.parse(readFileSync(report, 'utf8')) as Report;
      return {
        passed: read.numPassedTests,
        failed: read.numFailedTests,
        failures: failuresIn(read),
      };
    },
  };
}

function failuresIn(report: Report): string[] {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // A hook or an import that fails leaves a failed file without a failed test.
    if (failed.length === 0) return status === 'failed' ? [`${file}\n${message}`] : [];
    return failed.map(
      ({ fullName, failureMessages = [] }) =>
        `${file} > ${fullName}\n${failureMessages.join('\n')}`,
    );
  });
}

/** Hardhat closes a Solidity run with lines "N passing" and, if any, "N failing". */
function countSolidity(output: string): Tally | undefined {
  const passing = /(\d+) passing/.exec(output)?.[1];
  if (passing === undefined) return undefined;
  return { passed: Number(passing), failed: Number(/(\d+) failing/.exec(output)?.[1] ?? 0) };
}

/** Without Python there is no static analysis; it says so. */
function countAnalysis(output: string): Tally | undefined {
  return output.includes('was skipped') ? { passed: 0, failed: 0, skipped: 1 } : undefined;
}

/** Stages one after the other. */
type Lane = readonly Stage[];

/** One round after the other; the lanes of a round side by side. */
const rounds: readonly (readonly Lane[])[] = [
  [[{ name: 'build', command: ['npm', 'run', '--silent', 'build'] }]],
  [
    [
      { name: 'generated files', command: ['node', 'scripts/generate-abi.ts', '--check'] },
      { name: 'check', command: ['npm', 'run', '--silent', 'check'] },
    ],
    [
      {
        name: 'static analysis',
        command: ['node', 'scripts/analysis/run.ts'],
        count: countAnalysis,
      },
      { name: 'solidity', command: ['hardhat', 'test', 'solidity'], count: countSolidity },
    ],
  ],
  [[vitest('contracts'), vitest('workers'), vitest('e2e')]],
];

/** @param isAlone whether its output is shown as it comes */
async function run(stage: Stage, isAlone: boolean): Promise<Tally> {
  const heading = `\n=== ${stage.name}\n`;
  if (isAlone) process.stdout.write(heading);
  const [command, ...args] = stage.command as [string, ...string[]];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (isAlone) process.stdout.write(chunk);
    });
  const ending = await new Promise<number | string>((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  if (!isAlone) process.stdout.write(`${heading}${output}`);
  const tally = stage.count?.(output);
  if (ending === 0) return tally ?? { passed: 1, failed: 0 };
  // A stage that exits badly without a failed test (a hook, a crash, no tests) still fails.
  const { passed, failed, failures = [] } = tally ?? { passed: 0, failed: 1 };
  return {
    passed,
    failed: Math.max(1, failed),
    failures: failures.length > 0 ? failures : [`it ended with ${ending}\n${endOf(output)}`],
  };
}

/** The last lines of an output, where tools say what was wrong. */
const endOf = (output: string): string => output.trimEnd().split('\n').slice(-100).join('\n');

const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

async function runLane(lane: Lane, isAlone: boolean): Promise<void> {
  for (const stage of lane) {
    const tally = await run(stage, isAlone);
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped += tally.skipped ?? 0;
    for (const failure of tally.failures ?? [])
      failures.push(`=== failed: ${stage.name}: ${failure}`);
  }
}

for (const [at, lanes] of rounds.entries()) {
  await Promise.all(lanes.map((lane) => runLane(lane, lanes.length === 1)));
  // Nothing after a failed build says anything.
  if (at === 0 && total.failed > 0) break;
}
rmSync(reports, { recursive: true });
for (const failure of failures) process.stdout.write(`\n${failure}\n`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
