import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

import { startProcess, type ManagedProcess, type ProcessOptions } from './process.ts';

/** Where logs are kept of what failed; ignored by git. */
const LOG_FOLDER = join(import.meta.dirname, '../.devnet/logs');

/**
 * A temporary folder and the processes that work in it. Whatever happens to the program that made it,
 * even SIGKILL, the processes end and the folder disappears: a separate reaper sees to it.
 */
export class Workspace {
  readonly folder: string;
  readonly #reaper: ChildProcess;
  readonly #processes = new Set<ManagedProcess>();

  constructor() {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'keyloom-devnet-')));
    this.#reaper = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts')], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#reaper.unref();
    // The reaper outlives this program; writing to one that was killed must not end the devnet.
    this.#reaper.stdin?.on('error', () => {});
    this.#tell(this.folder);
  }

  /** Starts a process that ends, at the latest, with this workspace. Its output goes to `NAME.log`. */
  start(name: string, options: Omit<ProcessOptions, 'logFile'>): ManagedProcess {
    const started = startProcess(name, { ...options, logFile: join(this.folder, `${name}.log`) });
    this.#processes.add(started);
    this.#tell(`+${started.pid}`);
    void started.exited.then(() => {
      this.#processes.delete(started);
      this.#tell(`-${started.pid}`);
    });
    return started;
  }

  /** Copies all logs to a place that outlasts the workspace; returns it, or undefined if there are none. */
  keepLogs(): string | undefined {
    const logs = readdirSync(this.folder).filter((file) => file.endsWith('.log'));
    if (logs.length === 0) return undefined;
    const kept = join(LOG_FOLDER, basename(this.folder));
    mkdirSync(kept, { recursive: true });
    for (const file of logs) copyFileSync(join(this.folder, file), join(kept, file));
    return kept;
  }

  /** Has a file or folder outside the workspace removed, too, when the workspace ends. */
  removeAtEnd(path: string): void {
    this.#tell(resolve(path));
  }

  /** Stops every process, last started first, and removes the folder. May be called more than once. */
  async close(): Promise<void> {
    for (const running of [...this.#processes].reverse()) await running.stop();
    const reaper = this.#reaper;
    if (reaper.exitCode !== null || reaper.signalCode !== null) return;
    reaper.ref();
    const gone = once(reaper, 'exit');
    reaper.stdin?.end();
    await gone;
  }

  #tell(line: string): void {
    if (this.#reaper.stdin?.writable) this.#reaper.stdin.write(`${line}\n`);
  }
}
