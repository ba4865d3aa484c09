/**
 * `node --import` this: the process ends with SIGKILL at a write point of its choice, or has its writes
 * refused as by a full or failing disk. For operators in tests; see docs/durability.md.
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
  /**
   * Where it ends: at its `at`-th point; or, over its lives, at each name it comes to: once, at moments
   * that take turns, or at every moment. Absent: nowhere.
   */
  readonly kill?: { readonly at: number; readonly moment: Moment } | 'each-once' | 'each-moment';
  /**
   * While this file exists writes fail: it has an error code of the system, and perhaps, behind a
   * space, a part of the names of those that do.
   */
  readonly refuse?: string;
}

/** The environment of a process that has this plan. */
export const crashing = (plan: CrashPlan): Record<string, string> => ({
  NODE_OPTIONS: `--import ${import.meta.filename}`,
  KEYLOOM_TEST_CRASH: JSON.stringify(plan),
});

export interface CrashEvent {
  readonly name: string;
  readonly event: 'passed' | 'refused' | Moment;
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
const isMoment = (event: CrashEvent['event']): event is Moment => moments.includes(event as Moment);

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
  readonly #died = new Map<string, Set<Moment>>();
  #deaths = 0;
  #passed = 0;
  /** Points at which the process ends once they are done. */
  readonly #last = new WeakSet<WritePoint>();

  constructor(plan: CrashPlan) {
    this.#plan = plan;
    for (const { name, event } of readRecord(plan.record)) {
      if (!isMoment(event)) continue;
      this.#died.set(name, (this.#died.get(name) ?? new Set()).add(event));
      this.#deaths += 1;
    }
  }

  before(point: WritePoint): void {
    this.#refuse(point);
    this.#passed += 1;
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
    const { kill } = this.#plan;
    if (kill === undefined) return undefined;
    const possible = moments.filter((moment) => moment !== 'torn' || tear !== undefined);
    if (typeof kill === 'object') return kill.at === this.#passed ? kill.moment : undefined;
    const died = this.#died.get(name);
    if (kill === 'each-moment') return possible.find((moment) => !died?.has(moment));
    return died === undefined ? possible[this.#deaths % possible.length] : undefined;
  }

  #refuse(point: WritePoint): void {
    const { refuse } = this.#plan;
    if (refuse === undefined || !existsSync(refuse)) return;
    const [code = 'EIO', ...rest] = readFileSync(refuse, 'utf8').trim().split(' ');
    if (!point.name.includes(rest.join(' '))) return;
    const error = refusal(point, code);
    if (error === undefined) return;
    this.#note(point, 'refused');
    throw error;
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
