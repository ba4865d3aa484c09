import process from 'node:process';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

import { committeeOf } from '../workers/sharing/committee.ts';
import { DevnetError, DevnetErrorCode } from './errors.ts';
import { explain } from './explain.ts';
import { Workspace } from './workspace.ts';

const OPERATORS = { operators: { type: 'string', default: '4' } } as const;

/** The command line of a devnet program. @throws DevnetError BAD_OPTION with `usage` */
export function readOptions(
  usage: string,
  others: ParseArgsOptionsConfig = {},
): { n: number; values: Readonly<Record<string, unknown>> } {
  try {
    const { values } = parseArgs({ options: { ...OPERATORS, ...others } });
    return { n: committeeOf(Number(values.operators)).n, values };
  } catch (cause) {
    throw new DevnetError(DevnetErrorCode.BAD_OPTION, `Usage: ${usage}`, { cause });
  }
}

/**
 * Runs a program in a workspace that is gone when the program ends, however it ends. Exits 0 if `run`
 * returns, 1 with the explained error if it throws, 130 after Ctrl-C.
 */
export async function runProgram(run: (workspace: Workspace) => Promise<void>): Promise<void> {
  const workspace = new Workspace();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      interrupted = true;
      process.stderr.write(`\n${signal}: stopping everything.\n`);
      void workspace.close().then(() => process.exit(130));
    });
  }
  try {
    await run(workspace);
  } catch (error) {
    // What an interruption breaks off is no news.
    if (interrupted) return;
    process.stderr.write(`\n${explain(error)}\n`);
    const logs = workspace.keepLogs();
    if (logs !== undefined) process.stderr.write(`Logs: ${logs}\n`);
    process.exitCode = 1;
  } finally {
    await workspace.close();
  }
}
