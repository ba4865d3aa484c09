import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Beacon } from '../../ceremony/records.ts';
import type { StatedFile } from '../../ceremony/verify.ts';
import type { ContributionPlace, UpdateProof } from '../../ceremony/proof.ts';
import type { Flaw } from '../../ceremony/flaw.ts';
import type { PowersState } from '../../ceremony/state.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';

/** A state, and the file that it stands for. */
export interface Base {
  readonly state: PowersState;
  /** Absent before the first contribution, where there is no file. */
  readonly bytes: Uint8Array | undefined;
}

/** What is to be contributed to. */
export interface ContributionTask {
  readonly place: ContributionPlace;
  /** Checked by this operator. */
  readonly base: Base;
  /** What everybody draws the secrets from; absent for secrets of one's own. */
  readonly beacon?: Beacon;
}

/** A contribution with its file. */
export interface MadeContribution {
  readonly bytes: Uint8Array;
  readonly state: PowersState;
  readonly proof: UpdateProof;
}

/** What is to be checked. */
export interface CheckTask extends StatedFile {
  /** Absent of a contribution that the contract has recorded: it has checked the proof. */
  readonly proven?: { readonly proof: UpdateProof; readonly place: ContributionPlace };
  /** The state before it. */
  readonly previous: PowersState;
  /** Section 7 of the file before it; absent where that was not checked here: then 2t+1 others have. */
  readonly records?: Uint8Array;
}

/** Why a contribution is refused. */
export interface RefusedContribution {
  /** Of a `CeremonyError`. */
  readonly code: string;
  readonly message: string;
  /** What a contract can see of it, if it can. */
  readonly flaw: Flaw | undefined;
}

export type ThreadTask =
  | { readonly kind: 'contribute'; readonly task: ContributionTask }
  | { readonly kind: 'check'; readonly task: CheckTask };

/** What the thread says, the last thing last. */
export type ThreadMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'made'; readonly made: MadeContribution }
  | { readonly kind: 'checked'; readonly refused: RefusedContribution | undefined }
  | { readonly kind: 'failed'; readonly message: string };

interface Options {
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** How long a thread that was told to stop may take to wipe its secrets. */
const STOP_MS = 10_000;

/**
 * Contributes and checks, each in a thread that exists for it alone: the operator goes on serving, and
 * what the thread had in memory, secrets first, is gone with it.
 */
export class CeremonyComputer {
  /** @throws OperatorError COMPUTATION_FAILED, the signal's reason */
  async contribute(task: ContributionTask, options: Options): Promise<MadeContribution> {
    const message = await run({ kind: 'contribute', task }, options);
    if (message.kind !== 'made') throw failed('a contribution came to nothing');
    return message.made;
  }

  /**
   * @returns undefined if nothing is wrong
   * @throws OperatorError COMPUTATION_FAILED, the signal's reason
   */
  async check(task: CheckTask, options: Options): Promise<RefusedContribution | undefined> {
    const message = await run({ kind: 'check', task }, options);
    if (message.kind !== 'checked') throw failed('a check came to nothing');
    return message.refused;
  }
}

async function run(task: ThreadTask, { signal, onProgress }: Options): Promise<ThreadMessage> {
  signal.throwIfAborted();
  const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: task });
  const { promise, resolve, reject } = Promise.withResolvers<ThreadMessage>();
  thread.on('message', (message: ThreadMessage) => {
    if (message.kind === 'progress') onProgress?.(message.done, message.total);
    else if (message.kind === 'failed') reject(failed(message.message));
    else resolve(message);
  });
  thread.on('error', (error) => reject(failed('the thread of a ceremony failed', error)));
  thread.on('exit', () => reject(failed('the thread of a ceremony has ended')));
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    await end(thread);
  }
}

/** Lets the thread wipe what it has and leave, if it has not left already. */
async function end(thread: Worker): Promise<void> {
  const gone = once(thread, 'exit', { signal: AbortSignal.timeout(STOP_MS) });
  thread.postMessage('stop');
  await gone.catch(() => thread.terminate());
}

function failed(message: string, cause?: unknown): OperatorError {
  return new OperatorError(OperatorErrorCode.COMPUTATION_FAILED, message, { cause });
}
