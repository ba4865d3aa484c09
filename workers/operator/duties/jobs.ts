import { isKeyloomError } from '../../errors.ts';
import { StoreErrorCode } from '../../store/errors.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { pause } from '../waiting.ts';

/** A unit of work that stands for something on chain and may be done again from the start. */
export interface Job {
  /** What it stands for; two jobs with one id are the same. */
  id: string;
  run(signal: AbortSignal): Promise<void>;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** After this time a job that succeeded and is still asked for is done again. */
const REDO_PAUSE_MS = 60_000;

/** Errors that another attempt cannot mend. */
const permanent: readonly string[] = [
  OperatorErrorCode.REQUEST_UNSERVABLE,
  StoreErrorCode.OPENING_CONFLICT,
  StoreErrorCode.RESULT_CONFLICT,
];

/**
 * Keeps the running work equal to what the chain asks for.
 *
 * `reconcile` is told the whole list each time: it starts what is new, stops what is no longer asked
 * for and leaves the rest alone. A job that fails is run again after a pause that doubles; one that
 * succeeded is run again if the confirmed chain goes on asking for it, since a reorganisation may have
 * dropped what it sent. All jobs are idempotent, so a crash at any point is the same as a failure.
 */
export class Jobs {
  readonly #running = new Map<string, { stop: AbortController; ended: Promise<void> }>();
  readonly #hopeless = new Set<string>();
  readonly #log: Log;
  #wanted: readonly Job[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  reconcile(wanted: readonly Job[]): void {
    this.#wanted = wanted;
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, job] of this.#running) {
      if (!ids.has(id)) job.stop.abort(stopped());
    }
    for (const id of this.#hopeless) if (!ids.has(id)) this.#hopeless.delete(id);
    for (const job of wanted) {
      if (!this.#running.has(job.id) && !this.#hopeless.has(job.id)) this.#start(job);
    }
  }

  /** Stops everything and waits until it has ended. */
  async stop(): Promise<void> {
    this.#wanted = [];
    const ended = [...this.#running.values()].map((job) => {
      job.stop.abort(stopped());
      return job.ended;
    });
    await Promise.all(ended);
    this.#hopeless.clear();
  }

  #start(job: Job): void {
    const stop = new AbortController();
    const ended = this.#attempts(job, stop.signal).finally(() => {
      this.#running.delete(job.id);
      // It may have been asked for again while it was stopping.
      this.reconcile(this.#wanted);
    });
    this.#running.set(job.id, { stop, ended });
  }

  async #attempts(job: Job, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      let pauseMs = REDO_PAUSE_MS;
      try {
        await job.run(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
        failures += 1;
        const code = isKeyloomError(error) ? error.code : 'UNEXPECTED';
        // A part that it needs was stopped before it was: that is no failure to be looked into.
        if (code !== OperatorErrorCode.STOPPED)
          this.#log.error({ job: job.id, code, err: error, againInMs: pauseMs }, 'job failed');
        if (permanent.includes(code)) {
          this.#hopeless.add(job.id);
          return;
        }
      }
      await pause(pauseMs, signal).catch(() => undefined);
    }
  }
}

const stopped = (): OperatorError =>
  new OperatorError(OperatorErrorCode.STOPPED, 'this work is no longer asked for');
