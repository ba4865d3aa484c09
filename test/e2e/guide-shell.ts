import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Run } from './command-line.ts';

/** What a program asks for at a terminal, at the end of what it has written, and what is typed then. */
export type Typed = readonly (readonly [prompt: RegExp, answer: () => string])[];

/**
 * One person's shell: what a block exports is there for the next one. Blocks run one after the other, at a
 * terminal if there is something to type.
 */
export class Shell {
  readonly #folder: string;
  readonly #exports: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #typed: Typed;

  /**
   * @param folder where blocks run
   * @param name tells the shells of a folder apart
   */
  constructor(folder: string, name: string, env: NodeJS.ProcessEnv, typed: Typed = []) {
    this.#folder = folder;
    this.#exports = join(folder, `.exports-${name}`);
    this.#env = env;
    this.#typed = typed;
    writeFileSync(this.#exports, '');
  }

  /** Runs a block to its end; it stops at the first command that fails. */
  run(text: string): Promise<Run> {
    const block = join(this.#folder, '.block.sh');
    const lines = [
      ...['set -euo pipefail', `source '${this.#exports}'`, text, `export -p > '${this.#exports}'`],
    ];
    writeFileSync(block, lines.join('\n'));
    const command =
      this.#typed.length === 0
        ? ['bash', block]
        : ['script', '--quiet', '--return', '--command', `bash ${block}`, '/dev/null'];
    const child = spawn(command[0], command.slice(1), {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const run: Run = { exitCode: null, stdout: '', stderr: '' };
    let answered = 0;
    child.stdout.setEncoding('utf8').on('data', (output: string) => {
      run.stdout += output;
      const unanswered = run.stdout.slice(answered);
      const found = this.#typed.find(([prompt]) => prompt.test(unanswered));
      if (found === undefined) return;
      answered = run.stdout.length;
      child.stdin.write(`${found[1]()}\n`);
    });
    child.stderr.setEncoding('utf8').on('data', (output: string) => {
      run.stderr += output;
    });
    if (this.#typed.length === 0) child.stdin.end();
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exitCode) => resolve({ ...run, exitCode }));
    });
  }
}
