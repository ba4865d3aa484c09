import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, expect, it } from 'vitest';

import { isKeyloomError } from '../../../workers/errors.ts';
import { BackupErrorCode } from '../../../workers/store/backup/errors.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { CrashImager } from '../../faults/crash-images.ts';
import { refusal } from '../../faults/crash.ts';
import { documentedWritePoints } from '../../faults/documented.ts';
import {
  describeStatement,
  guardWrites,
  type Guard,
  type WritePoint,
} from '../../faults/write-points.ts';
import { openPlace, steps, type Place } from './protocol-steps.ts';
import { scratchFolder } from './support.ts';

// Every write that the store makes, by name: what a crash there leaves, and what a refusal does. The list is
// the table in docs/durability.md: a new write is in neither, and fails.

const scratch = scratchFolder();
const folder = join(scratch, 'operator');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const nobody: Guard = { before: () => undefined, after: () => undefined };
let guard = nobody;
guardWrites(folder, {
  before: (point) => guard.before(point),
  after: (point) => guard.after(point),
});

const identity = await generateIdentity();
const age = { file: join(scratch, 'age.txt'), to: await identityToRecipient(identity) };
writeFileSync(age.file, `${identity}\n`, { mode: 0o600 });
const all = steps(age);

function fresh(): void {
  guard = nobody;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
}

it('recovers from a crash before, in and after each write, with all that was kept before', async () => {
  fresh();
  const imager = new CrashImager(folder, join(scratch, 'images'));
  const names = new Set<string>();
  let checked = 0;
  const recover = async (upTo: number): Promise<void> => {
    guard = nobody;
    for (const { point, moment, folder: image } of imager.images.splice(0)) {
      names.add(point);
      const place = await openPlace(image).catch((cause: unknown) => {
        throw new Error(`does not open after a crash: ${moment} ${point}`, { cause });
      });
      try {
        await all[upTo]?.always?.(place);
        for (const done of all.slice(0, Math.max(0, upTo))) await done.holds(place);
        // What was interrupted is done again.
        await all[upTo]?.run(place);
        await all[upTo]?.holds(place);
      } catch (cause) {
        throw new Error(`${all[upTo]?.what}: ${moment} ${point}`, { cause });
      } finally {
        place.store.close();
        rmSync(image, { recursive: true });
      }
      checked += 1;
    }
  };
  guard = imager;
  const place = await openPlace(folder);
  await recover(-1);
  for (const [at, step] of all.entries()) {
    guard = imager;
    await step.run(place);
    await recover(at);
  }
  guard = imager;
  place.store.close();
  await recover(all.length - 1);
  expect([...names].sort()).toEqual(documentedWritePoints());
  expect(checked).toBeGreaterThan(2 * names.size);
});

it('comes to every statement that writes', () => {
  const folder = join(import.meta.dirname, '../../../workers/store');
  const parts = new Set(documentedWritePoints().flatMap((name) => name.split(' + ')));
  const found = readdirSync(folder).flatMap((file) => {
    if (!file.endsWith('.ts') || file === 'database.ts') return [];
    const source = readFileSync(join(folder, file), 'utf8');
    return [...source.matchAll(/['"`](INSERT|UPDATE|DELETE)[^'"`]*/g)].map(([sql]) => sql.slice(1));
  });
  expect(found.length).toBeGreaterThan(20);
  expect(found.map(describeStatement).filter((name) => !parts.has(name ?? ''))).toEqual([]);
});

/** Refuses one write after the other, each once. */
class Refuser implements Guard {
  readonly #code: string;
  readonly refused = new Set<string>();

  constructor(code: string) {
    this.#code = code;
  }

  before(point: WritePoint): void {
    if (this.refused.has(point.name)) return;
    const error = refusal(point, this.#code);
    if (error === undefined) return;
    this.refused.add(point.name);
    throw error;
  }

  after(): void {
    // What is done is done.
  }
}

it.each([
  ['ENOSPC', StoreErrorCode.DISK_FULL],
  ['EIO', StoreErrorCode.DISK_FAILED],
  ['EROFS', StoreErrorCode.DISK_FAILED],
  ['EACCES', StoreErrorCode.DISK_FAILED],
])(
  'says so when the disk answers a write with %s, loses nothing and goes on',
  async (code, expected) => {
    fresh();
    const refuser = new Refuser(code);
    guard = refuser;
    const accepted: string[] = [expected, BackupErrorCode.WRITE_FAILED];
    /** Runs it until no write of it is refused any more. */
    const insist = async <T>(
      what: string,
      act: () => T | Promise<T>,
      check?: () => void,
    ): Promise<T> => {
      for (;;) {
        const before = refuser.refused.size;
        try {
          return await act();
        } catch (error) {
          if (refuser.refused.size === before) throw error;
          const last = [...refuser.refused].at(-1);
          const found = isKeyloomError(error) ? error.code : error;
          expect(accepted, `${what}: ${last}: ${String(found)}`).toContain(found);
          check?.();
        }
      }
    };
    const place: Place = await insist('open', () => openPlace(folder));
    for (const step of all) {
      await insist(step.what, () => step.run(place));
      guard = nobody;
      expect(place.store.disk.failure).toBeUndefined();
      guard = refuser;
    }
    guard = nobody;
    for (const step of all.filter(({ what }) => !what.startsWith('keep shares')))
      await step.holds(place);
    expect(refuser.refused.size).toBeGreaterThan(30);
    place.store.close();
  },
);
