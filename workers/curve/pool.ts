import { Worker } from 'node:worker_threads';
import { CurveError, CurveErrorCode } from './errors.ts';
import type { Answer, Task } from './tasks.ts';

interface Job {
  readonly task: Task;
  readonly transfer: ArrayBuffer[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
}

/** Threads that each run one task at a time, first come, first served. */
export class Pool {
  readonly #threads: Thread[];
  readonly #queue: Job[] = [];
  #failure: CurveError | undefined;

  private constructor(workers: Worker[]) {
    this.#threads = workers.map((worker) => ({ worker, job: undefined }));
    for (const thread of this.#threads) {
      thread.worker.on('message', (answer: Answer) => {
        const { job } = thread;
        thread.job = undefined;
        this.#next();
        job?.resolve(answer);
      });
      thread.worker.on('error', (cause) => this.#fail(cause));
      thread.worker.on('exit', () => this.#fail(undefined));
      thread.worker.unref();
    }
  }

  static async start(threads: number): Promise<Pool> {
    const workers = Array.from(
      { length: threads },
      () => new Worker(new URL('./thread.ts', import.meta.url)),
    );
    return new Pool(workers);
  }

  get threads(): number {
    return this.#threads.length;
  }

  /** Runs a task; the buffers in `transfer` belong to the thread from now on. */
  run(task: Task, transfer: ArrayBuffer[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#queue.push({ task, transfer, resolve, reject });
      this.#next();
    });
  }

  /** Rejects what waits and what runs, and ends the threads. */
  async close(): Promise<void> {
    this.#stop(new CurveError(CurveErrorCode.CLOSED, 'the curve threads were closed'));
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    for (const thread of this.#threads) {
      if (thread.job !== undefined) continue;
      const job = this.#queue.shift();
      if (job === undefined) return thread.worker.unref();
      thread.job = job;
      thread.worker.ref();
      thread.worker.postMessage(job.task, job.transfer);
    }
  }

  #fail(cause: unknown): void {
    this.#stop(
      new CurveError(CurveErrorCode.THREAD_DIED, 'a thread of the curve arithmetic ended', {
        cause,
      }),
    );
  }

  #stop(error: CurveError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const running = this.#threads.flatMap(({ job }) => (job === undefined ? [] : [job]));
    for (const job of [...running, ...this.#queue.splice(0)]) job.reject(error);
  }
}
