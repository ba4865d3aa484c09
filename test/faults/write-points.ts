import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';
import { DatabaseSync, StatementSync, type SQLInputValue } from 'node:sqlite';

import { afterHalfOf, type Half } from './torn-sqlite.ts';

/** One step after which something else is on the disk than before. */
export interface WritePoint {
  /** The step and what it is done to: `write data/blobs/incoming/*`, `INSERT openings`. */
  readonly name: string;
  /** Does half of it, as a crash or a full disk may. Absent where there is no half. */
  readonly tear?: Half;
}

/** Is told of each write point, and may end the process or refuse the write by throwing. */
export interface Guard {
  before(point: WritePoint): void;
  after(point: WritePoint): void;
}

/**
 * Puts a guard on every write below a folder that goes through `node:fs`, `node:fs/promises` or
 * `node:sqlite` in this process. For `node --import`: modules that are loaded later get the guarded
 * functions.
 *
 * A statement of SQLite counts when it is durable: by itself, or with the others at the commit. What
 * would change nothing, say making a folder that is there, does not count.
 */
export function guardWrites(root: string, guard: Guard): void {
  const names = { of: (path: string) => nameIn(root, path) };
  guardFolders(names, guard);
  guardFiles(names, guard);
  guardHandles(names, guard);
  guardDatabases(names, guard);
  syncBuiltinESMExports();
}

interface Names {
  /** A path below the root without what is different each time; undefined for other paths. */
  of(path: string): string | undefined;
}

function nameIn(root: string, path: string): string | undefined {
  const below = relative(root, path);
  if (below.startsWith('..')) return undefined;
  if (below === '') return '.';
  return below
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '*')
    .replace(/\b[0-9a-f]{64}\b/g, '*')
    .replace(/(?<=blobs\/)[0-9a-f]{2}\b/, '*')
    .replace(/(?<=\/)\d+\b/g, '#');
}

async function passing<T>(
  guard: Guard,
  point: WritePoint | undefined,
  act: () => Promise<T>,
): Promise<T> {
  if (point === undefined) return act();
  guard.before(point);
  const value = await act();
  guard.after(point);
  return value;
}

function passingNow<T>(guard: Guard, point: WritePoint | undefined, act: () => T): T {
  if (point === undefined) return act();
  guard.before(point);
  const value = act();
  guard.after(point);
  return value;
}

/** Making, renaming, linking and removing: all of it or nothing. */
function guardFolders(names: Names, guard: Guard): void {
  const step = (verb: string, path: string, isChange: boolean): WritePoint | undefined => {
    const name = names.of(path);
    return name === undefined || !isChange ? undefined : { name: `${verb} ${name}` };
  };
  const { mkdir, rename, link, rm } = promises;
  promises.mkdir = ((path: string, options) =>
    passing(guard, step('make', path, !fs.existsSync(path)), () =>
      mkdir(path, options),
    )) as typeof mkdir;
  promises.rename = ((from: string, to: string) =>
    passing(guard, step('rename to', to, true), () => rename(from, to))) as typeof rename;
  promises.link = ((from: string, to: string) =>
    passing(guard, step('link', to, true), () => link(from, to))) as typeof link;
  promises.rm = ((path: string, options) =>
    passing(guard, step('remove', path, fs.existsSync(path)), () =>
      rm(path, options),
    )) as typeof rm;
  const { mkdirSync } = fs;
  fs.mkdirSync = ((path: string, options?: fs.MakeDirectoryOptions) =>
    passingNow(guard, step('make', path, !fs.existsSync(path)), () =>
      mkdirSync(path, options),
    )) as typeof mkdirSync;
}

const isNew = (path: string, flags: unknown): boolean =>
  typeof flags === 'string' && /^[wa]/.test(flags) && !fs.existsSync(path);

/** Files that are made, or written whole. */
function guardFiles(names: Names, guard: Guard): void {
  const { openSync } = fs;
  fs.openSync = ((path: string, flags?: fs.OpenMode, mode?: fs.Mode) => {
    const name = isNew(path, flags) ? names.of(path) : undefined;
    const point = name === undefined ? undefined : { name: `make ${name}` };
    return passingNow(guard, point, () => openSync(path, flags ?? 'r', mode));
  }) as typeof openSync;
  const { writeFile } = promises;
  promises.writeFile = ((path: string, bytes: Uint8Array | string, options) => {
    const name = typeof path === 'string' ? names.of(path) : undefined;
    const point = name === undefined ? undefined : writing(name, bytes, path);
    return passing(guard, point, () => writeFile(path, bytes, options));
  }) as typeof writeFile;
}

/** Nothing has no half. */
function writing(name: string, content: Uint8Array | string, to: string | number): WritePoint {
  const bytes = Buffer.from(content as Uint8Array);
  const half = bytes.subarray(0, bytes.length >> 1);
  const point = { name: `write ${name}` };
  if (half.length === 0) return point;
  const tear = (): void => {
    fs.writeSync(typeof to === 'number' ? to : openUnguarded(to, 'a', 0o600), half);
  };
  return { ...point, tear };
}

/** As it was before anything was guarded: what a test does is no write point. */
const openUnguarded = fs.openSync;

/** Files that are written piece by piece, and what forces them, or a folder, to the disk. */
function guardHandles(names: Names, guard: Guard): void {
  const { open } = promises;
  const opened = new WeakMap<FileHandle, { name: string; isWritten: boolean }>();
  let isGuarded = false;
  promises.open = (async (path: string, flags?: string, mode?: fs.Mode) => {
    const name = names.of(path);
    const isMade = name !== undefined && isNew(path, flags);
    const point = isMade ? { name: `make ${name}` } : undefined;
    const handle = await passing(guard, point, () => open(path, flags, mode));
    if (name !== undefined) opened.set(handle, { name, isWritten: flags?.[0] !== 'r' });
    if (!isGuarded) guardPrototype(Object.getPrototypeOf(handle) as FileHandle);
    isGuarded = true;
    return handle;
  }) as typeof open;

  const guardPrototype = (prototype: FileHandle): void => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with their handle
    const { appendFile, writeFile, sync } = prototype;
    const write = (method: typeof appendFile) =>
      function (this: FileHandle, content: Uint8Array | string, options?: unknown) {
        const name = opened.get(this)?.name;
        const point = name === undefined ? undefined : writing(name, content, this.fd);
        return passing(guard, point, () => method.call(this, content, options as never));
      };
    prototype.appendFile = write(appendFile);
    prototype.writeFile = write(writeFile);
    // A power cut before it may leave less of a file than was written.
    prototype.sync = function (this: FileHandle) {
      const file = opened.get(this);
      if (file === undefined) return sync.call(this);
      const halve = (): void => fs.ftruncateSync(this.fd, fs.fstatSync(this.fd).size >> 1);
      const point = { name: `sync ${file.name}`, ...(file.isWritten && { tear: halve }) };
      return passing(guard, point, () => sync.call(this));
    };
  };
}

/** Statements that write, by what they do and to which table. */
const statements: readonly [pattern: RegExp, verb: string][] = [
  [/^\s*INSERT OR REPLACE INTO (\w+)/, 'REPLACE'],
  [/^\s*INSERT INTO (\w+)/, 'INSERT'],
  [/^\s*UPDATE (\w+)/, 'UPDATE'],
  [/^\s*DELETE FROM (\w+)/, 'DELETE'],
  [/^\s*(?:CREATE|ALTER|DROP) (TABLE|INDEX)/, 'CREATE'],
  [/^\s*(VACUUM) INTO/, 'COPY'],
  [/^\s*PRAGMA (wal_checkpoint)/, 'PRAGMA'],
  [/^\s*PRAGMA (journal_mode) =/, 'PRAGMA'],
];

/** What a statement does and to which table; undefined if it does not write. */
export function describeStatement(sql: string): string | undefined {
  for (const [pattern, verb] of statements) {
    const found = pattern.exec(sql)?.[1];
    if (found !== undefined) return `${verb} ${found}`;
  }
  return undefined;
}

function guardDatabases(names: Names, guard: Guard): void {
  const statementOf = DatabaseSync.prototype;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with their object
  const { exec, prepare, close } = statementOf;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object
  const { run } = StatementSync.prototype;
  const databases = new WeakMap<StatementSync, DatabaseSync>();
  const files = new WeakMap<DatabaseSync, string>();
  /** What the open transaction of a database has written. */
  const written = new WeakMap<DatabaseSync, Set<string>>();

  const fileOf = (database: DatabaseSync): string => {
    let file = files.get(database);
    if (file === undefined) {
      file = String(prepare.call(database, 'PRAGMA database_list').get()?.['file']);
      files.set(database, file);
    }
    return file;
  };
  const step = <T>(database: DatabaseSync, sql: string, act: () => T): T => {
    const file = fileOf(database);
    if (names.of(file) === undefined) return act();
    if (/^\s*BEGIN/.test(sql)) written.set(database, new Set());
    const writes = written.get(database);
    if (/^\s*ROLLBACK/.test(sql)) written.delete(database);
    if (/^\s*COMMIT/.test(sql)) {
      written.delete(database);
      if (writes === undefined || writes.size === 0) return act();
      const name = [...writes].join(' + ');
      return passingNow(guard, { name, tear: afterHalfOf(file, act) }, act);
    }
    const name = describeStatement(sql);
    if (name === undefined) return act();
    if (writes !== undefined) {
      const value = act();
      writes.add(name);
      return value;
    }
    return passingNow(guard, { name, tear: afterHalfOf(file, act) }, act);
  };
  statementOf.exec = function (this: DatabaseSync, sql: string) {
    return step(this, sql, () => exec.call(this, sql));
  };
  statementOf.prepare = function (this: DatabaseSync, sql: string) {
    const statement = prepare.call(this, sql);
    databases.set(statement, this);
    return statement;
  };
  StatementSync.prototype.run = function (this: StatementSync, ...values: SQLInputValue[]) {
    const database = databases.get(this);
    const act = () => Reflect.apply(run, this, values) as ReturnType<typeof run>;
    return database === undefined ? act() : step(database, this.sourceSQL, act);
  } as typeof run;
  // The last handle of a file copies its log into it, and removes the log.
  statementOf.close = function (this: DatabaseSync) {
    const file = fileOf(this);
    const name = names.of(file);
    const hasLog = name !== undefined && fs.existsSync(`${file}-wal`);
    const point = hasLog ? { name: `close ${name}` } : undefined;
    passingNow(guard, point, () => close.call(this));
  };
}
