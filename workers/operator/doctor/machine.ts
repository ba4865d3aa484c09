import { readFileSync } from 'node:fs';
import { access, constants, mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { loadIdentity, type Identity } from '../../store/keystore.ts';
import type { OperatorConfig } from '../config/config.ts';
import { mayDumpCore } from '../core-dumps.ts';
import { diskRoom } from '../health/disk.ts';
import { ok, problem, type Finding } from './checks.ts';

/** Files and connections that an operator has open at once, at most, with room to spare. */
const OPEN_FILES = 4_096;
/** Anybody but the owner. */
const OTHERS = 0o077;

/** What the system says of itself; undefined where it does not. */
export interface Machine {
  /** `/proc/self/limits` */
  readonly limits: string | undefined;
  /** `/proc/swaps` */
  readonly swaps: string | undefined;
  /** `memory.swap.max` of the own control group. */
  readonly swapMax: string | undefined;
  /** Time of day in milliseconds. */
  readonly now: number;
}

export function thisMachine(): Machine {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  };
  const group = /^0::(.*)$/mu.exec(read('/proc/self/cgroup') ?? '')?.[1];
  return {
    limits: read('/proc/self/limits'),
    swaps: read('/proc/swaps'),
    swapMax: group === undefined ? undefined : read(`/sys/fs/cgroup${group}/memory.swap.max`),
    now: Date.now(),
  };
}

export async function identityFile({ identity }: OperatorConfig): Promise<Finding> {
  const { mode } = await stat(identity);
  if ((mode & OTHERS) === 0) return ok(identity);
  const octal = (mode & 0o777).toString(8);
  return problem(`others may read ${identity} (mode ${octal})`, `chmod 600 ${identity}`);
}

/** Opens the identity, for the checks that need its address. */
export async function openIdentity(
  { identity }: OperatorConfig,
  passphrase: () => string | Promise<string>,
): Promise<Identity> {
  return loadIdentity(identity, await passphrase());
}

/** The data directory, or where it will be made, can be written to by this user alone. */
export async function dataDirectory({ dataDir }: OperatorConfig): Promise<Finding> {
  const found = await stat(dataDir).catch(() => undefined);
  if (found === undefined) {
    await access(await existingAbove(dataDir), constants.W_OK | constants.X_OK);
    return ok(`${dataDir} will be made`);
  }
  if (!found.isDirectory())
    return problem(`${dataDir} is not a directory`, 'move it away, or set "dataDir"');
  await rm(await mkdtemp(join(dataDir, 'doctor-')), { recursive: true });
  if ((found.mode & OTHERS) === 0) return ok(dataDir);
  return problem(`others may enter ${dataDir}`, `chmod 700 ${dataDir}`);
}

async function existingAbove(path: string): Promise<string> {
  const above = dirname(path);
  return (await stat(above).catch(() => undefined)) === undefined ? existingAbove(above) : above;
}

export async function disk({ dataDir, health, transcriptBytes }: OperatorConfig): Promise<Finding> {
  let folder = dataDir;
  if ((await stat(folder).catch(() => undefined)) === undefined)
    folder = await existingAbove(folder);
  const room = await diskRoom(folder);
  if (room === undefined) return ok('the system does not say how much room there is');
  const free = gibibytes(room.freeBytes);
  if (room.freeBytes >= health.freeBytes)
    return ok(`${free} free; transcripts take up to ${gibibytes(transcriptBytes)}`);
  return problem(
    `${free} free, less than "health.freeBytes" (${gibibytes(health.freeBytes)})`,
    'add room, or set "dataDir" to another file system',
  );
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export function openFiles({ limits }: Machine): Finding {
  const soft = /^Max open files\s+(\d+|unlimited)\s/mu.exec(limits ?? '')?.[1];
  if (soft === undefined) return ok('the system does not say');
  if (soft === 'unlimited' || Number(soft) >= OPEN_FILES) return ok(`${soft} files`);
  return problem(
    `${soft} files may be open, which may be too few`,
    `ulimit -n ${OPEN_FILES}, or LimitNOFILE=${OPEN_FILES} in the unit`,
  );
}

export function coreDumps({ limits }: Machine): Finding {
  if (mayDumpCore(limits ?? '') !== true) return ok('a crash writes no memory to a disk');
  return problem('a crash may write secrets to a disk', 'ulimit -c 0, or LimitCORE=0 in the unit');
}

/** Memory must not get to a disk: no swap, none for this process, or only such as is not on one. */
export function swap({ swaps, swapMax }: Machine): Finding {
  const devices = (swaps ?? '').split('\n').slice(1).filter(Boolean);
  const onDisk = devices.map((line) => line.split(/\s/u)[0]).filter((name) => !isInMemory(name));
  if (onDisk.length === 0) return ok('memory is not swapped to a disk');
  if (swapMax?.trim() === '0') return ok('this process is not swapped');
  return problem(
    `memory may be swapped to ${onDisk.join(', ')}`,
    'swapoff, encrypted swap, or MemorySwapMax=0 in the unit',
  );
}

/** Compressed memory; of encrypted devices the name does not tell, so they are named. */
const isInMemory = (name = ''): boolean => name.startsWith('/dev/zram');
