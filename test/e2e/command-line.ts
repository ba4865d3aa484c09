import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { projectRoot } from '../../devnet/chain.ts';

const hardhat = join(
  dirname(createRequire(import.meta.url).resolve('hardhat/package.json')),
  'dist/src/cli.js',
);

/** What a task left behind. */
export interface Run {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** The tasks as a user runs them: one process each. */
export class CommandLine {
  readonly #deploymentFile: string;

  /** @param deploymentFile as `npm run devnet` writes it */
  constructor(deploymentFile: string) {
    this.#deploymentFile = deploymentFile;
  }

  /**
   * `hardhat kms …`
   * @param onStderr is told what was written to stderr so far, whenever there is more
   */
  run(args: readonly string[], onStderr?: (text: string) => void): Promise<Run> {
    const child = spawn(process.execPath, [hardhat, 'kms', ...args], {
      cwd: projectRoot,
      env: { ...process.env, KEYLOOM_DEPLOYMENT: this.#deploymentFile, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const run: Run = { exitCode: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      run.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      run.stderr += text;
      onStderr?.(run.stderr);
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exitCode) => resolve({ ...run, exitCode }));
    });
  }

  /** The one document that a task with --json prints; the task must succeed. */
  async json<T>(...args: string[]): Promise<T> {
    const run = await this.run([...args, '--json']);
    if (run.exitCode !== 0) throw new TaskFailed(args, run);
    return JSON.parse(run.stdout) as T;
  }

  /** The error document of a task with --json that must fail. */
  async failure(...args: string[]): Promise<Failure> {
    const run = await this.run([...args, '--json']);
    if (run.exitCode !== 1) throw new TaskFailed(args, run);
    return failureIn(run);
  }
}

export interface Failure {
  code: string;
  message: string;
  advice?: string;
  metadata: Record<string, unknown>;
  culprits: number[];
}

export const failureIn = (run: Run): Failure =>
  (JSON.parse(run.stdout) as { error: Failure }).error;

class TaskFailed extends Error {
  constructor(args: readonly string[], { exitCode, stdout, stderr }: Run) {
    super(`kms ${args.join(' ')} exited with ${exitCode}\n${stdout}\n${stderr}`);
  }
}
