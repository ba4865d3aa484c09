import { parentPort } from 'node:worker_threads';

import { contribute } from '../../ceremony/contribute.ts';
import { CeremonyError } from '../../ceremony/errors.ts';
import { initialFile, parsePowersFile, recordsOf } from '../../ceremony/file.ts';
import { findFlaw } from '../../ceremony/flaw.ts';
import { withoutLastRecord } from '../../ceremony/records.ts';
import { ContributionSecrets } from '../../ceremony/secrets.ts';
import { verifyContribution, verifyFile } from '../../ceremony/verify.ts';
import { Curve } from '../../curve/curve.ts';
import type {
  CheckTask,
  ContributionTask,
  ThreadMessage,
  ThreadOrder,
  ThreadTask,
} from './computer.ts';

// The thread of one contribution, or of checks one after the other (./computer.ts). Its own threads do the
// arithmetic.

/** Progress is told once per so many points. */
const PROGRESS_POINTS = 4_096;

const stopping = new AbortController();

const say = (message: ThreadMessage): void => parentPort?.postMessage(message);

async function contributed(curve: Curve, task: ContributionTask): Promise<ThreadMessage> {
  const { place, base, beacon } = task;
  const { signal } = stopping;
  const { state, bytes } = base;
  const file = bytes === undefined ? initialFile(state.power) : parsePowersFile(bytes);
  const secrets =
    beacon === undefined
      ? ContributionSecrets.draw()
      : await ContributionSecrets.fromBeacon(beacon, signal);
  let told = 0;
  const onProgress = (done: number, total: number): void => {
    if (done - told < PROGRESS_POINTS && done !== total) return;
    told = done;
    say({ kind: 'progress', done, total });
  };
  const made = await contribute(curve, { file, state }, place, secrets, { signal, onProgress });
  return {
    kind: 'made',
    made: { bytes: made.file.bytes, state: made.state, proof: made.proof },
  };
}

async function checked(curve: Curve, task: CheckTask): Promise<ThreadMessage> {
  const { signal } = stopping;
  const { bytes, state, proven } = task;
  try {
    const previous = {
      state: task.previous,
      records: task.records ?? withoutLastRecord(recordsOf(bytes, state.power)),
    };
    if (proven === undefined) await verifyFile(curve, task, previous, { signal });
    else await verifyContribution(curve, { ...task, ...proven }, previous, { signal });
    return { kind: 'checked', refused: undefined };
  } catch (error) {
    if (!(error instanceof CeremonyError)) throw error;
    const { code, message } = error;
    const flaw = await findFlaw(curve, bytes, state);
    return { kind: 'checked', refused: { code, message, flaw } };
  }
}

async function perform({ kind, task }: ThreadTask): Promise<void> {
  try {
    const curve = await started;
    say(kind === 'contribute' ? await contributed(curve, task) : await checked(curve, task));
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

/** Wipes what the task has in memory, by aborting it, and leaves. */
async function stop(): Promise<void> {
  stopping.abort();
  await running;
  await (await started).close();
  parentPort?.close();
}

const started = Curve.start();
let running = Promise.resolve();
parentPort?.on('message', (order: ThreadOrder) => {
  if (order === 'stop') void stop();
  else running = perform(order);
});
