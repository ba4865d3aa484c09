import type { Hex } from 'viem';

/** An operator that deviated in a request, as this one saw it. */
export interface NamedFault {
  index: number;
  operator: string;
  reason: string;
}

/** A request as this operator sees it; served at `GET /requests/ID`. */
export interface RequestProgress {
  id: Hex;
  kind: 'key' | 'evaluation-keys' | 'ceremony' | 'decryption' | 'user-decryption';
  /** The step it is at; in a ceremony there are others than elsewhere, and they come again and again. */
  state:
    | 'agreeing'
    | 'opening'
    | 'waiting'
    | 'contributing'
    | 'checking'
    | 'certifying'
    | 'submitting'
    | 'recorded'
    | 'expired';
  /** Committee indices whose answer is awaited in this step. */
  waitingFor: number[];
  faulty: NamedFault[];
  /** How much of the opening is done, of what takes many; of a contribution, how many points. */
  progress?: { done: number; total: number };
  /** Code of what keeps it from going on. */
  error?: string;
  /** Why it cannot be served at all. */
  reason?: string;
  /** Milliseconds from the first sight of the request to the end of each step. */
  milliseconds: Record<string, number>;
}

/** Who is told when an entry begins and when it advances. */
export type ProgressListener = (progress: Readonly<RequestProgress>) => void;

/** The latest requests, by id; older ones are forgotten here (the chain remembers them). */
export class ProgressBook {
  readonly #entries = new Map<Hex, { progress: RequestProgress; startedAt: number }>();
  readonly #maxEntries: number;
  readonly #onRequest: ProgressListener;

  constructor(maxEntries: number, onRequest: ProgressListener = () => undefined) {
    this.#maxEntries = maxEntries;
    this.#onRequest = onRequest;
  }

  /** All entries, oldest first. */
  *entries(): Generator<Readonly<RequestProgress>> {
    for (const { progress } of this.#entries.values()) yield progress;
  }

  get(id: Hex): RequestProgress | undefined {
    return this.#entries.get(id)?.progress;
  }

  /** Ids of entries that are not known to be recorded. */
  unsettled(): Hex[] {
    const entries = [...this.#entries.values()];
    return entries.flatMap(({ progress }) => (progress.state === 'recorded' ? [] : [progress.id]));
  }

  /** Begins or continues an entry; one that expired begins anew, for it was asked for again. */
  begin(id: Hex, kind: RequestProgress['kind']): void {
    const present = this.#entries.get(id);
    if (present !== undefined && present.progress.state !== 'expired') return;
    this.#entries.delete(id);
    const progress: RequestProgress = {
      id,
      kind,
      state: 'agreeing',
      waitingFor: [],
      faulty: [],
      milliseconds: {},
    };
    this.#entries.set(id, { progress, startedAt: performance.now() });
    this.#onRequest(progress);
    // What goes on stays, however much it is: a request that is forgotten is not finished, nor paid for.
    for (const [oldest, { progress: its }] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries) break;
      if (its.state === 'recorded' || its.state === 'expired') this.#entries.delete(oldest);
    }
  }

  /** Ends the step an entry is at and enters the next. */
  advance(id: Hex, state: RequestProgress['state']): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.progress.state === state) return;
    const { progress, startedAt } = entry;
    progress.milliseconds[progress.state] = Math.round(performance.now() - startedAt);
    progress.state = state;
    progress.waitingFor = [];
    this.#onRequest(progress);
    // What kept it from going on did not; but it says why a request ended without a result.
    if (state === 'expired') return;
    delete progress.error;
    delete progress.reason;
  }

  /** Notes how far the opening has come. */
  count(id: Hex, done: number, total: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.progress.progress = { done, total };
  }

  /**
   * Notes what keeps an entry from going on.
   *
   * @param reason for people, of what no other attempt will mend
   */
  trouble(id: Hex, error: string, reason?: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.progress.error = error;
    if (reason !== undefined) entry.progress.reason = reason;
  }

  waitFor(id: Hex, indices: Iterable<number>): void {
    const entry = this.#entries.get(id);
    if (entry) entry.progress.waitingFor = [...indices].sort((a, b) => a - b);
  }

  blame(id: Hex, fault: NamedFault): void {
    const faulty = this.#entries.get(id)?.progress.faulty;
    if (faulty?.some(({ index, reason }) => index === fault.index && reason === fault.reason))
      return;
    faulty?.push(fault);
  }
}
