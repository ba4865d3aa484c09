import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import type { Moment } from './crash.ts';
import { halfOfLog, halfOfPages } from './torn-sqlite.ts';
import type { Guard, WritePoint } from './write-points.ts';

/** What a crash at a write point would have left of a folder. */
export interface CrashImage {
  readonly point: string;
  readonly moment: Moment;
  /** A copy. */
  readonly folder: string;
}

/**
 * Takes images of a folder before and after each write point, and in the middle of it where there is one:
 * what SIGKILL leaves at that moment, since the system keeps what was written. Of what is not forced to the
 * disk at once the middle is what a power cut may leave.
 *
 * Takes a millisecond where killing and starting a process takes hundreds.
 */
export class CrashImager implements Guard {
  readonly images: CrashImage[] = [];
  readonly #folder: string;
  readonly #images: string;
  #count = 0;

  /** @param images where the copies go */
  constructor(folder: string, images: string) {
    this.#folder = folder;
    this.#images = images;
  }

  before({ name }: WritePoint): void {
    if (this.#isKnown(name)) return;
    this.#take(name, 'before');
  }

  after({ name, tear }: WritePoint): void {
    if (this.#isKnown(name)) return;
    const before = this.images.findLast(
      ({ point, moment }) => point === name && moment === 'before',
    );
    const after = this.#take(name, 'after');
    const isUnforced = name.startsWith('rename to data/transcripts');
    if (before === undefined || (tear === undefined && !isUnforced)) return;
    const torn = this.#take(name, 'torn');
    if (name.startsWith('sync ') || isUnforced) halveLatest(torn, before.folder, isUnforced);
    else halveChanges(torn, before.folder, after);
  }

  /** The third of a kind in a row has nothing new. */
  #isKnown(name: string): boolean {
    const isIt = ({ point, moment }: CrashImage): boolean => point === name && moment === 'after';
    return this.images.filter(isIt).length >= 2;
  }

  #take(point: string, moment: Moment): string {
    const folder = join(this.#images, String(this.#count++));
    cpSync(this.#folder, folder, { recursive: true });
    keepPrivate(folder);
    this.images.push({ point, moment, folder });
    return folder;
  }
}

/** What is copied is for the owner alone, as what it is copied from. */
function keepPrivate(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isFile() ? 0o600 : 0o700);
}

/** Files below a folder, without SQLite's index of its log, which is made anew. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('-shm'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

const bytesOf = (path: string): Buffer => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0));

/** Leaves half of what is different from before in each file. */
function halveChanges(torn: string, before: string, after: string): void {
  for (const file of filesIn(after)) {
    const [old, now] = [bytesOf(join(before, file)), bytesOf(join(after, file))];
    if (old.equals(now)) continue;
    const isState = file.endsWith('.db');
    writeFileSync(join(torn, file), isState ? halfOfPages(old, now) : halfOfLog(old, now));
    // What a checkpoint has emptied, it empties after the pages are in their places.
    const log = `${file}-wal`;
    if (isState && bytesOf(join(after, log)).length === 0 && existsSync(join(before, log)))
      writeFileSync(join(torn, log), readFileSync(join(before, log)));
  }
}

/** Takes the second half of what was written last: the new file, or all that have no name yet. */
function halveLatest(torn: string, before: string, isNew: boolean): void {
  const isChosen = isNew
    ? (file: string) => !existsSync(join(before, file))
    : (file: string) => file.includes('incoming/') || file.endsWith('.part');
  for (const file of filesIn(torn).filter(isChosen)) {
    const path = join(torn, file);
    truncateSync(path, readFileSync(path).length >> 1);
  }
}
