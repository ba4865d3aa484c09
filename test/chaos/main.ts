/**
 * `npm run chaos -- [--seed 1] [--minutes 10] [--operators 4] [--json FILE] [--plan]`
 *
 * Faults upon faults on a devnet under load, and whether it kept what it promises: docs/chaos.md.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';

import { DevnetErrorCode } from '../../devnet/errors.ts';
import { explain } from '../../devnet/explain.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { readOptions, USAGE, type ChaosOptions } from './options.ts';
import { exitCodeOf, textOf } from './report.ts';

async function run({ plan, json }: ChaosOptions): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      process.stderr.write(`\n${signal}: reporting what there is and stopping everything.\n`);
      interruption.abort();
    });
  // It takes a while to load, which help and plans do not have to wait for.
  const { runChaos } = await import('./run.ts');
  const { report, logs } = await runChaos(plan, {
    onProgress: (text) => process.stderr.write(`${text}\n`),
    signal: interruption.signal,
  });
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(textOf(report));
  if (logs !== undefined) process.stdout.write(`Logs: ${logs}\n`);
  return exitCodeOf(report);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(USAGE);
  else if (options.isOnlyPrinted)
    process.stdout.write(`${JSON.stringify(options.plan, null, 2)}\n`);
  else process.exitCode = await run(options);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = isKeyloomError(error, DevnetErrorCode.BAD_OPTION) ? 2 : 1;
}
