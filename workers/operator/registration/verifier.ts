import { Worker } from 'node:worker_threads';
import type { Address, Hex } from 'viem';

import type { NeededKey } from '../../computations/keys.ts';
import type { ErrorMetadata } from '../../errors.ts';
import type { InputProof } from '../../proofs/input-proof.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { FairQueue } from './fair-queue.ts';

/** An encryption with its proof, by all that the proof is about. */
export interface EncryptionTask {
  readonly kind: 'encryption';
  /** Of a parameter set. */
  readonly set: string;
  /** Size of the committee. */
  readonly n: number;
  readonly publicKey: Uint8Array;
  readonly chainId: bigint;
  readonly contract: Address;
  readonly owner: Address;
  readonly ciphertext: Uint8Array;
  readonly proof: InputProof;
}

/** A program with all that it computes with. */
export interface ComputationTask {
  readonly kind: 'computed';
  readonly set: string;
  readonly n: number;
  readonly program: Uint8Array;
  /** One for each input of the program, in its order: the file of a ciphertext. */
  readonly inputs: readonly {
    readonly keyId: Hex;
    /** SHA-256 */
    readonly digest: Hex;
    readonly path: string;
    readonly limbs: number;
    /** Bound at this level. */
    readonly noise: bigint;
  }[];
  readonly resultKey: Hex;
  /** Files of what the program needs of evaluation keys: too many to be in memory at once. */
  readonly entries: readonly {
    readonly key: NeededKey;
    /** SHA-256 */
    readonly digest: Hex;
    readonly path: string;
  }[];
}

export type VerifierTask = EncryptionTask | ComputationTask;

/** What the thread found to be so. */
export interface Verified {
  readonly limbs: number;
  /** Bound at this level. */
  readonly noise: bigint;
  /** That of the task, or what was computed. */
  readonly ciphertext: Uint8Array;
}

/** What the thread says of a task. */
export type ThreadMessage =
  | ({ readonly kind: 'verified' } & Verified)
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly metadata: ErrorMetadata;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** What one operator verifies at most at once, and for how long. */
export interface VerifierLimits {
  /** Tasks that wait, besides those that the chain asks for. */
  readonly waiting: number;
  /** Longest time for a task. */
  readonly taskMs: number;
}

export const defaultVerifierLimits: VerifierLimits = { waiting: 128, taskMs: 120_000 };

interface Waiting {
  readonly task: VerifierTask;
  readonly resolve: (verified: Verified) => void;
  readonly reject: (error: unknown) => void;
  /** `performance.now()` */
  readonly since: number;
}

/**
 * Verifies, one task after the other, in one thread that goes on living: what anybody may post must not
 * keep the operator from serving. If a task takes the thread down, or longer than it may, the task fails
 * and the next one has a new thread.
 */
export class Verifier {
  readonly #limits: VerifierLimits;
  readonly #script: URL;
  readonly #queue: FairQueue<Waiting>;
  #thread: Worker | undefined;
  #running: Waiting | undefined;
  #isClosed = false;

  constructor(
    limits: VerifierLimits = defaultVerifierLimits,
    script: URL = new URL('./thread.ts', import.meta.url),
  ) {
    this.#limits = limits;
    this.#script = script;
    this.#queue = new FairQueue(limits.waiting);
  }

  /**
   * Verifies what anybody may have chosen.
   *
   * @param options.asker for whom; undefined for what the chain asks for, which comes first
   * @param options.signal ends the waiting; what has begun is finished
   * @throws OperatorError PROOF_REFUSED with the cause, OPERATOR_BUSY, COMPUTATION_FAILED; the signal's reason
   */
  async verify(
    task: VerifierTask,
    { asker, signal }: { asker?: string | undefined; signal: AbortSignal },
  ): Promise<Verified> {
    signal.throwIfAborted();
    if (this.#isClosed) throw stopped();
    const { promise, resolve, reject } = Promise.withResolvers<Verified>();
    const waiting: Waiting = { task, resolve, reject, since: performance.now() };
    const dropped = this.#queue.push(asker, waiting);
    dropped?.reject(
      new OperatorError(
        OperatorErrorCode.OPERATOR_BUSY,
        'this operator has as much to verify as it takes on',
      ),
    );
    const abandon = (): void => {
      if (this.#queue.remove(waiting)) reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abandon, { once: true });
    this.#next();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  /** What waits, how much of it is being verified, and for how long the oldest has waited. */
  get queue(): {
    readonly waiting: number;
    readonly taken: number;
    readonly oldestSeconds: number;
  } {
    const waiting = [...this.#queue.items()];
    const now = performance.now();
    const since = waiting.reduce((first, one) => Math.min(first, one.since), now);
    return {
      waiting: waiting.length,
      taken: this.#running === undefined ? 0 : 1,
      oldestSeconds: (now - since) / 1_000,
    };
  }

  /** Ends the thread. What waits or is being verified rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
      next.reject(stopped());
    this.#running?.reject(stopped());
    await this.#thread?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#running = next;
    const thread = (this.#thread ??= this.#start());
    const overdue = setTimeout(() => void thread.terminate(), this.#limits.taskMs);
    const settle = (): void => {
      clearTimeout(overdue);
      thread.off('message', hear);
      thread.off('exit', fall);
      this.#running = undefined;
      this.#next();
    };
    const hear = (message: ThreadMessage): void => {
      if (message.kind === 'verified') {
        const { limbs, noise, ciphertext } = message;
        next.resolve({ limbs, noise, ciphertext });
      } else if (message.kind === 'refused') next.reject(refused(message));
      else {
        next.reject(failed(message.message));
        // Whatever it stumbled over may have left its memory in disorder.
        this.#forget(thread);
        void thread.terminate();
      }
      settle();
    };
    const fall = (): void => {
      next.reject(failed('the verifying thread has ended'));
      settle();
    };
    thread.on('message', hear);
    thread.on('exit', fall);
    thread.postMessage(next.task);
  }

  #start(): Worker {
    const thread = new Worker(this.#script);
    // Else nothing would hear of it, and the process would end; its end is heard of where it matters.
    thread.on('error', () => undefined);
    // First of all that listen: whoever goes on then finds no thread and starts another.
    thread.on('exit', () => this.#forget(thread));
    thread.unref();
    return thread;
  }

  #forget(thread: Worker): void {
    if (this.#thread === thread) this.#thread = undefined;
  }
}

function refused({ code, message, metadata }: ThreadMessage & { kind: 'refused' }): OperatorError {
  return new OperatorError(OperatorErrorCode.PROOF_REFUSED, `${message} (${code})`, {
    metadata: { ...metadata, cause: code },
  });
}

const failed = (message: string): OperatorError =>
  new OperatorError(OperatorErrorCode.COMPUTATION_FAILED, message);

const stopped = (): OperatorError =>
  new OperatorError(OperatorErrorCode.STOPPED, 'the operator is shutting down');
