/**
 * `node --import` this: over its lives the process ends with SIGKILL once at each kind of write it comes to,
 * at moments that take turns. For operators in tests; see docs/durability.md.
 *
 * KEYLOOM_TEST_CRASH is a `CrashPlan` in JSON.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

import { guardWrites, type Guard, type WritePoint } from './write-points.ts';

/** When: before anything is written, when half of it is, or when all of it is. */
export type Moment = 'before' | 'torn' | 'after';

export interface CrashPlan {
  /** Writes below this folder count. */
  readonly root: string;
  /** A line `NAME ⇥ EVENT` is added for each point passed or died at, over all lives of a process. */
  readonly record: string;
}

/** The environment of a process that has this plan. */
export const crashing = (plan: CrashPlan): Record<string, string> => ({
  NODE_OPTIONS: `--import ${import.meta.filename}`,
  KEYLOOM_TEST_CRASH: JSON.stringify(plan),
});

export interface CrashEvent {
  readonly name: string;
  readonly event: 'passed' | Moment;
}

/** What a process has recorded. */
export function readRecord(record: string): CrashEvent[] {
  if (!existsSync(record)) return [];
  const lines = readFileSync(record, 'utf8').trim().split('\n').filter(Boolean);
  return lines.map((line) => {
    const [name, event] = line.split('\t');
    return { name, event } as CrashEvent;
  });
}

const moments: readonly Moment[] = ['before', 'torn', 'after'];

/** SQLite's codes for what the system says. */
const sqliteCodes: Readonly<Record<string, number>> = {
  ENOSPC: 13,
  EIO: 778,
  EROFS: 8,
  EACCES: 14,
};

/**
 * The error with which a disk refuses a write; half of what is written to a file may be there then.
 * Undefined where it does not: there is always room for less, and a log that cannot be copied into its
 * database when that is closed is copied at the next start.
 */
export function refusal({ name, tear }: WritePoint, code: string): Error | undefined {
  if (name.startsWith('close ')) return undefined;
  if (code === 'ENOSPC' && name.startsWith('remove ')) return undefined;
  const isFile = /^(make|rename to|link|remove|write|sync) /.test(name);
  if (name.startsWith('write ')) tear?.();
  return Object.assign(
    new Error(`${code}: refused by the test, ${name}`),
    isFile
      ? { code, syscall: 'write', errno: -1 }
      : { code: 'ERR_SQLITE_ERROR', errcode: sqliteCodes[code] },
  );
}

class Crasher implements Guard {
  readonly #plan: CrashPlan;
  /** Names at which it has died, in this life and those before. */
  readonly #deaths = new Set<string>();
  /** Points at which the process ends once they are done. */
  readonly #last = new WeakSet<WritePoint>();

  constructor(plan: CrashPlan) {
    this.#plan = plan;
    for (const { name, event } of readRecord(plan.record))
      if (event !== 'passed') this.#deaths.add(name);
  }

  before(point: WritePoint): void {
    const moment = this.#momentAt(point);
    if (moment === 'after') this.#last.add(point);
    if (moment === undefined || moment === 'after') return;
    if (moment === 'torn') point.tear?.();
    this.#die(point, moment);
  }

  after(point: WritePoint): void {
    this.#note(point, 'passed');
    if (this.#last.has(point)) this.#die(point, 'after');
  }

  #momentAt({ name, tear }: WritePoint): Moment | undefined {
    if (this.#deaths.has(name)) return undefined;
    const possible = moments.filter((moment) => moment !== 'torn' || tear !== undefined);
    return possible[this.#deaths.size % possible.length];
  }

  #note({ name }: WritePoint, event: CrashEvent['event']): void {
    appendFileSync(this.#plan.record, `${name}\t${event}\n`);
  }

  #die(point: WritePoint, moment: Moment): never {
    this.#note(point, moment);
    process.kill(process.pid, 'SIGKILL');
    for (;;);
  }
}

const given = process.env['KEYLOOM_TEST_CRASH'];
if (given !== undefined && isMainThread) {
  const plan = JSON.parse(given) as CrashPlan;
  guardWrites(plan.root, new Crasher(plan));
}
