import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { projectRoot } from '../../devnet/chain.ts';
import type { Run } from './command-line.ts';

const PROGRAM = join(projectRoot, 'workers/operator/main.ts');

/** Runs `keyloom-operator` with these arguments to its end. */
export function operatorProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } };
    const child = execFile(process.execPath, [PROGRAM, ...args], options, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}
