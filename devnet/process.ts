import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { DevnetError, DevnetErrorCode } from './errors.ts';
import { waitUntil } from './wait.ts';

/** How long a process may take to end by itself before it is killed. */
const STOP_GRACE_MS = 5_000;

export interface ProcessOptions {
  /** What to run; absent: Node. */
  program?: string;
  /** Its arguments. For Node itself: a script and what follows it. */
  args: readonly string[];
  cwd?: string;
  /** Added to this program's environment. */
  env?: Readonly<Record<string, string>>;
  /** Output and errors are appended here. */
  logFile: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A child process that is ended by its own pid. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** Set once it has ended. */
  exit(): Exit | undefined;
  /** Everything it has written so far. */
  log(): string;
  /** Waits until `read` finds something in the log. */
  waitForLog<T>(what: string, read: (log: string) => T | undefined): Promise<T>;
  /** SIGTERM, then SIGKILL after a grace period. */
  stop(): Promise<Exit>;
  /** SIGKILL: no chance to say goodbye. */
  kill(): Promise<Exit>;
}

/**
 * Runs a program in its own process group, so that a Ctrl-C at the terminal reaches only the program
 * that started it, which then stops its children in order.
 */
export function startProcess(name: string, options: ProcessOptions): ManagedProcess {
  const { program = process.execPath, args, cwd, env, logFile } = options;
  const output = openSync(logFile, 'a');
  const child = spawn(program, args, {
    stdio: ['ignore', output, output],
    detached: true,
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  closeSync(output);
  const pid = child.pid;
  if (pid === undefined) throw exitedError(name, logFile, undefined);

  let exit: Exit | undefined;
  const exited = once(child, 'exit').then(([code, signal]) => {
    exit = { code: code as number | null, signal: signal as NodeJS.Signals | null };
    return exit;
  });
  const log = () => readFileSync(logFile, 'utf8');

  return {
    name,
    pid,
    logFile,
    exited,
    exit: () => exit,
    log,
    waitForLog: (what, read) =>
      waitUntil(`${name}: ${what}`, () => {
        const found = read(log());
        if (found === undefined && exit !== undefined) throw exitedError(name, logFile, exit);
        return found;
      }),
    async stop() {
      child.kill('SIGTERM');
      const grace = new AbortController();
      const overdue = delay(STOP_GRACE_MS, true, { signal: grace.signal }).catch(() => false);
      const stopped = await Promise.race([exited.then(() => false), overdue]);
      grace.abort();
      if (stopped) child.kill('SIGKILL');
      return exited;
    },
    async kill() {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

/** Says that a process ended too early, with the end of its log. */
export function exitedError(name: string, logFile: string, exit: Exit | undefined): DevnetError {
  const how = exit === undefined ? 'did not start' : `ended (${exit.signal ?? exit.code})`;
  const lastLines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
  return new DevnetError(
    DevnetErrorCode.PROCESS_EXITED,
    `${name} ${how}. The end of its log:\n${lastLines}`,
    { metadata: { name, logFile, how } },
  );
}
