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

/** What the thread is told; one task at a time. */
export type ThreadOrder = ThreadTask | 'stop';

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

/** How long a thread that checks is kept for the next check: starting one costs more than a small check. */
const IDLE_MS = 20_000;

/**
 * Contributes and checks in threads: the operator goes on serving. A contribution has a thread that exists
 * for it alone, so that what it had in memory, secrets first, is gone with it.
 */
export class CeremonyComputer {
  /** A thread that has checked and may check again. */
  #idle: { readonly thread: ComputingThread; readonly timer: NodeJS.Timeout } | undefined;

  /** @throws OperatorError COMPUTATION_FAILED, the signal's reason */
  async contribute(task: ContributionTask, options: Options): Promise<MadeContribution> {
    options.signal.throwIfAborted();
    const thread = new ComputingThread();
    try {
      const message = await thread.run({ kind: 'contribute', task }, options);
      if (message.kind !== 'made') throw failed('a contribution came to nothing');
      return message.made;
    } finally {
      await thread.end();
    }
  }

  /**
   * @returns undefined if nothing is wrong
   * @throws OperatorError COMPUTATION_FAILED, the signal's reason
   */
  async check(task: CheckTask, options: Options): Promise<RefusedContribution | undefined> {
    options.signal.throwIfAborted();
    const thread = this.#take() ?? new ComputingThread();
    try {
      const message = await thread.run({ kind: 'check', task }, options);
      if (message.kind !== 'checked') throw failed('a check came to nothing');
      await this.#keep(thread);
      return message.refused;
    } catch (error) {
      await thread.end();
      throw error;
    }
  }

  /** Ends the thread that waits for the next check, if there is one. */
  async close(): Promise<void> {
    await this.#take()?.end();
  }

  #take(): ComputingThread | undefined {
    const idle = this.#idle;
    this.#idle = undefined;
    clearTimeout(idle?.timer);
    return idle?.thread;
  }

  /** One is enough: checks at the same time are rare. */
  async #keep(thread: ComputingThread): Promise<void> {
    if (this.#idle !== undefined) return thread.end();
    const timer = setTimeout(() => void this.close(), IDLE_MS);
    this.#idle = { thread, timer };
  }
}

/** A thread that does one task after the other. */
class ComputingThread {
  readonly #worker = new Worker(new URL('./thread.ts', import.meta.url));
  readonly #gone = once(this.#worker, 'exit').catch(() => undefined);

  async run(task: ThreadTask, { signal, onProgress }: Options): Promise<ThreadMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<ThreadMessage>();
    const worker = this.#worker;
    const listeners = new AbortController();
    const stop = (): void => reject(signal.reason as Error);
    const onMessage = (message: ThreadMessage): void => {
      if (message.kind === 'progress') onProgress?.(message.done, message.total);
      else if (message.kind === 'failed') reject(failed(message.message));
      else resolve(message);
    };
    const onError = (error: unknown): void =>
      reject(failed('the thread of a ceremony failed', error));
    const onExit = (): void => reject(failed('the thread of a ceremony has ended'));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal.addEventListener('abort', stop, { once: true, signal: listeners.signal });
    try {
      worker.postMessage(task);
      return await promise;
    } finally {
      listeners.abort();
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    }
  }

  /** Lets the thread wipe what it has and leave, if it has not left already. */
  async end(): Promise<void> {
    const late = AbortSignal.timeout(STOP_MS);
    this.#worker.postMessage('stop');
    await Promise.race([this.#gone, once(late, 'abort')]);
    if (late.aborted) await this.#worker.terminate();
  }
}

function failed(message: string, cause?: unknown): OperatorError {
  return new OperatorError(OperatorErrorCode.COMPUTATION_FAILED, message, { cause });
}
