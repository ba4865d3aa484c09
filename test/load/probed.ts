import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { OperatorProcess, StartOptions } from '../../devnet/operator-process.ts';

/** Memory of a process after garbage collection, in bytes, and its open file descriptors. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly files: number;
}

const probe = fileURLToPath(new URL('./probe.ts', import.meta.url));
const socketOf = (folder: string): string => join(folder, 'probe');

/** How to start an operator whose process can be asked about itself. */
export const probed = ({ folder }: OperatorProcess): StartOptions => ({
  env: { NODE_OPTIONS: `--import=${probe} --expose-gc`, KEYLOOM_PROBE: socketOf(folder) },
});

export const memoryOf = (operator: OperatorProcess): Promise<Memory> =>
  ask(operator, 'GET', '/memory') as Promise<Memory>;

export const startProfile = (operator: OperatorProcess): Promise<unknown> =>
  ask(operator, 'POST', '/profile');

export const stopProfile = (operator: OperatorProcess): Promise<Profiler.Profile> =>
  ask(operator, 'GET', '/profile') as Promise<Profiler.Profile>;

/** Processor time of a process, in milliseconds. */
export interface ProcessorTime {
  /** Of all threads. */
  readonly all: number;
  /** Of the one that runs JavaScript. */
  readonly main: number;
}

/** User and system time of a process on Linux. */
export function processorTime(pid: number): ProcessorTime {
  return { all: ticksOf(`/proc/${pid}/stat`), main: ticksOf(`/proc/${pid}/task/${pid}/stat`) };
}

/** Fields 14 and 15, in hundredths of a second. */
function ticksOf(file: string): number {
  const stat = readFileSync(file, 'utf8');
  // The second field is the program's name and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

async function ask({ folder }: OperatorProcess, method: string, path: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  request({ socketPath: socketOf(folder), method, path }, (response) => {
    json(response).then(resolve, reject);
  })
    .on('error', reject)
    .end();
  return promise;
}
