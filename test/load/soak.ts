import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { OperatorProcess } from '../../devnet/operator-process.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { quantile } from '../bench/report.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { makeKey, withCommittee } from './committee.ts';
import { decryptScalars } from './decryptions.ts';
import { memoryOf, type Memory } from './probed.ts';
import { HANDLES_PER_REQUEST, listsOf, registerScalars } from './scalars.ts';
import { mean, spending, totalOf, type Spent } from './spent.ts';

/** One operator at one moment: its memory after garbage collection, and what it keeps on the disk. */
export interface Sample extends Memory {
  /** `state.db` with its log. */
  readonly databaseBytes: number;
  /** The whole data directory, the database included. */
  readonly directoryBytes: number;
  readonly directoryFiles: number;
}

export interface Soaked {
  readonly decryptions: number;
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of all processes for one decryption. */
  readonly cpuMsPerDecryption: number;
  readonly spent: Spent;
  /** Of each operator: when it was warm, and when it was quiet again after all. */
  readonly operators: readonly { readonly warm: Sample; readonly end: Sample }[];
}

/** What one more request may leave behind at an operator, of sixteen numbers. */
export const bounds = {
  /** JavaScript values: the chain's state, and entries of boards and progress until these are full. */
  heapBytesPerRequest: 32_768,
  /** Buffers: nothing of a request outlasts it. What is measured is the noise of caches. */
  externalBytesPerRequest: 65_536,
  /** Of the database: journals of blocks, openings and results. */
  databaseBytesPerRequest: 32_768,
  /** With the transcripts: one file and at most one folder of four kilobytes for each operator's share. */
  directoryBytesPerRequest: 65_536,
} as const;

const OPERATORS = 4;
const CIPHERTEXTS = 32;
const AT_ONCE = 16;
const WARM_UP_REQUESTS = 40;
/** Late shares and results are awaited for 20 s, and what was opened is compared after 30 s. */
const QUIET_DEADLINE_MS = 180_000;
const QUIET_EVERY_MS = 5_000;

/** Has numbers decrypted for everybody, sixteen to a request and sixteen requests at once. */
export async function soak(set: ParameterSet, decryptions: number): Promise<Soaked> {
  return withCommittee(OPERATORS, async (committee) => {
    const { gateway, epoch, operators } = committee;
    const key = await makeKey(committee, set);
    const scalars = await registerScalars(gateway, epoch, key, CIPHERTEXTS);
    const requests = Math.ceil(decryptions / HANDLES_PER_REQUEST);
    await decryptScalars(gateway, epoch, listsOf(scalars, WARM_UP_REQUESTS, 0), AT_ONCE);
    const warm = await Promise.all(operators.map((operator) => quiet(operator)));
    const { spent, value } = await spending(committee, () =>
      decryptScalars(gateway, epoch, listsOf(scalars, requests, 1), AT_ONCE),
    );
    const end = await Promise.all(operators.map((operator, at) => quiet(operator, warm[at])));
    const times = value.map(({ ms }) => ms);
    const made = requests * HANDLES_PER_REQUEST;
    return {
      ...{ decryptions: made, requests, perSecond: (1e3 * made) / spent.wallMs },
      ...{ p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) },
      ...{ cpuMsPerDecryption: totalOf(spent) / made, spent },
      operators: operators.map((_, at) => ({ warm: warm[at], end: end[at] })),
    };
  });
}

/** What is not as flat as {@link bounds} have it, for people; empty if all is. */
export function excesses({ operators, requests }: Soaked): string[] {
  const perRequest = (of: (sample: Sample) => number): number =>
    mean(operators.map(({ warm, end }) => of(end) - of(warm))) / requests;
  const limits: [what: string, found: number, most: number][] = [
    ['heap', perRequest(({ heapUsed }) => heapUsed), bounds.heapBytesPerRequest],
    ['buffers', perRequest(({ external }) => external), bounds.externalBytesPerRequest],
    ['database', perRequest((s) => s.databaseBytes), bounds.databaseBytesPerRequest],
    ['directory', perRequest((s) => s.directoryBytes), bounds.directoryBytesPerRequest],
  ];
  const grown = operators.flatMap(({ warm, end }, at) =>
    end.files > warm.files
      ? [`operator ${at + 1} has ${end.files} descriptors open and had ${warm.files}`]
      : [],
  );
  return [
    ...grown,
    ...limits.flatMap(([what, found, most]) =>
      found > most ? [`${what}: ${Math.round(found)} bytes per request, more than ${most}`] : [],
    ),
  ];
}

/**
 * An operator once nothing is open any more that was for a request: its descriptors are as few as before,
 * or do not change.
 */
async function quiet(operator: OperatorProcess, before?: Sample): Promise<Sample> {
  let last = await memoryOf(operator);
  return waitUntil(
    `operator ${operator.index} is quiet`,
    async () => {
      const now = await memoryOf(operator);
      const isQuiet = before === undefined ? now.files === last.files : now.files <= before.files;
      last = now;
      return isQuiet ? { ...now, ...sizes(operator) } : undefined;
    },
    { everyMs: QUIET_EVERY_MS, deadlineMs: QUIET_DEADLINE_MS },
  ).catch(async () => ({ ...(await memoryOf(operator)), ...sizes(operator) }));
}

function sizes({ folder }: OperatorProcess) {
  const directory = join(folder, 'data');
  let [databaseBytes, directoryBytes, directoryFiles] = [0, 0, 0];
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const found = statSync(join(directory, name), { throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    directoryFiles += 1;
    directoryBytes += found.size;
    if (name.startsWith('state.db')) databaseBytes += found.size;
  }
  return { databaseBytes, directoryBytes, directoryFiles };
}
