import { setTimeout as delay } from 'node:timers/promises';

import { DevnetErrorCode } from '../../devnet/errors.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { describeViews } from '../../tasks/support/observer.ts';
import { fetchHealth } from '../../tasks/support/operators.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import type { Cluster } from '../e2e/cluster.ts';
import type { Auditor } from './auditor.ts';
import type { Faults } from './faults.ts';
import {
  isOwed,
  isOwedOnceHealed,
  isPending,
  isRequest,
  type Item,
  type Ledger,
} from './ledger.ts';
import type { Load } from './load.ts';
import { reportOf, type PhaseReport, type Report, type Violation } from './report.ts';
import type { RunOptions } from './run.ts';
import { describeSpell, type Phase, type Plan, type Spell } from './schedule.ts';

/** Requests that are answered before a spell ends in which service must go on. */
const ANSWERED_IN_SPELL = 2;
/** What is owed is answered within this, or it has stalled: for a machine that has much else to do. */
const PATIENCE_MS = 180_000;
/** More than the response window of deploy/parameters/devnet.json. */
const BEYOND_DEADLINES_SECONDS = 3_700;
/** Registrations that are signed once more at the end. */
const SIGNED_AGAIN = 8;

/** What a course is run on. */
export interface Parts {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly load: Load;
  readonly auditor: Auditor;
}

/** One run of a plan, phase by phase, with what is to be seen of it. */
export class Course {
  readonly #plan: Plan;
  readonly #parts: Parts;
  readonly #options: RunOptions;
  readonly #violations: Violation[] = [];
  readonly #phases: PhaseReport[] = [];
  readonly #faultCounts: Record<string, number> = {};
  readonly #started = performance.now();
  #at: Pick<Phase, 'round' | 'kind'> = { round: 0, kind: 'calm' };

  constructor(plan: Plan, parts: Parts, options: RunOptions) {
    this.#plan = plan;
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<Report> {
    const { faults, load } = this.#parts;
    const { signal } = this.#options;
    load.start((error) => this.#violations.push({ code: 'LOAD_FAILED', what: String(error) }));
    try {
      for (const phase of this.#plan.phases) {
        const seconds = (performance.now() - this.#started) / 1000;
        // Once it has begun, a round is gone through.
        if (phase.kind === 'calm' && phase.round > 1 && seconds >= 60 * this.#plan.minutes) break;
        await this.#phase(phase);
      }
      await this.#finish();
    } catch (error) {
      if (!signal.aborted) this.#violations.push({ code: 'NOT_HEALED', what: String(error) });
    }
    faults.abandon();
    await load.stop();
    return this.#report();
  }

  async #report(): Promise<Report> {
    const { auditor, ledger, faults } = this.#parts;
    const plan = this.#plan;
    await auditor.collect(faults.operators);
    return reportOf({
      ...{ plan, phases: this.#phases, items: ledger.items, faults: this.#faultCounts },
      conflicts: auditor.conflicts(plan.liars),
      liarsConflicts: auditor.conflicts([]).length - auditor.conflicts(plan.liars).length,
      statements: auditor.book.size,
      accusations: await auditor.accusations(),
      violations: [
        ...this.#violations,
        ...faults.unclean.map((what): Violation => ({ code: 'UNCLEAN_STOP', what })),
      ],
      wasInterrupted: this.#options.signal.aborted,
      seconds: (performance.now() - this.#started) / 1000,
    });
  }

  async #phase(phase: Phase): Promise<void> {
    const { auditor, faults, ledger } = this.#parts;
    const { round, kind } = phase;
    this.#at = phase;
    const began = performance.now();
    const before = this.#answeredFrom(0);
    for (const spell of phase.spells) await this.#spell(phase, spell);
    if (kind === 'healed') await this.#makeUp();
    // What at most t have been in the way of is answered before others are afflicted.
    if (kind !== 'many')
      await this.#over(ledger.pending().filter((item) => isOwed(item, this.#plan.t)));
    await auditor.collect(faults.operators);
    const answered = this.#answeredFrom(0) - before;
    const seconds = Math.round((performance.now() - began) / 1000);
    this.#phases.push({ round, kind, seconds, answered });
    const open = ledger.pending().filter(isRequest).length;
    this.#say(`round ${round}, ${kind}: ${answered} answered in ${seconds} s, ${open} open`);
  }

  async #spell({ kind, round }: Phase, spell: Spell): Promise<void> {
    const { faults, ledger } = this.#parts;
    this.#say(`round ${round}, ${kind}: ${describeSpell(spell)}`);
    const begun = await this.#begin(spell);
    await Promise.all([begun.effects, this.#pass(spell.holdMs)]);
    if (kind !== 'many') await this.#answersFrom(ledger.items.length);
    if (spell.passDeadlines) await this.#passDeadlines();
    await faults.endAll(this.#options.signal);
    ledger.relieve();
  }

  /** Begins each fault at its time. @returns `effects`: settles once all have taken effect */
  async #begin({ afflictions }: Spell): Promise<{ effects: Promise<unknown> }> {
    const { faults, ledger } = this.#parts;
    let passed = 0;
    const effects: Promise<void>[] = [];
    for (const { operator, afterMs, fault } of afflictions.toSorted(
      (a, b) => a.afterMs - b.afterMs,
    )) {
      await this.#pass(afterMs - passed);
      passed = afterMs;
      ledger.afflict(operator, fault.kind === 'lie');
      const name = fault.kind === 'lie' ? `lie: ${fault.conduct}` : fault.kind;
      this.#faultCounts[name] = (this.#faultCounts[name] ?? 0) + 1;
      effects.push(faults.begin(operator, fault));
    }
    const all = Promise.all(effects);
    // It is awaited later.
    all.catch(() => {});
    return { effects: all };
  }

  /**
   * Everybody is back. What is open is answered, or its deadline has passed and it expires; what more than t have
   * lied about has no quorum any more, so its deadline is made to pass.
   */
  async #makeUp(): Promise<void> {
    const { faults, ledger, load } = this.#parts;
    const { t } = this.#plan;
    await Promise.all(
      faults.operators.map((operator) =>
        operator.waitForHealth('serving with all others', isWell, {
          deadlineMs: PATIENCE_MS,
          signal: this.#options.signal,
        }),
      ),
    );
    await this.#answersFrom(ledger.items.length);
    const spoilt = ledger.pending().filter((item) => !isOwedOnceHealed(item, t));
    await this.#over(ledger.pending().filter((item) => isOwedOnceHealed(item, t)));
    if (!spoilt.some(isPending)) return;
    await load.pause();
    await this.#over(ledger.pending().filter((item) => isOwedOnceHealed(item, t)));
    await this.#passDeadlines();
    await this.#over(spoilt);
    load.resume();
  }

  /** The load ends; every key is used once more, and everything is looked at again. */
  async #finish(): Promise<void> {
    const { auditor, faults, ledger, load } = this.#parts;
    await load.pause();
    this.#say(`using each of ${load.keys.length} keys once more`);
    await load.probeKeys();
    await this.#over(ledger.items);
    this.#say('collecting all that was signed');
    await auditor.collect(faults.operators, true);
    await auditor.registerAgain(SIGNED_AGAIN);
    for (const { index, endpoint } of faults.operators) {
      const { reasons, epochs } = await fetchHealth(endpoint);
      const isWhole = epochs.length > 0 && epochs.every(({ shares }) => shares);
      if (isWell({ reasons }) && isWhole) continue;
      const what = `operator ${index}: ${reasons.join(', ')}${isWhole ? '' : ', without its shares'}`;
      this.#violations.push({ code: 'NOT_HEALED', what });
    }
  }

  async #passDeadlines(): Promise<void> {
    const { cluster, ledger } = this.#parts;
    const { control } = cluster.devnet.chain;
    ledger.passDeadlines();
    await control.increaseTime({ seconds: BEYOND_DEADLINES_SECONDS });
    await control.mine({ blocks: 1 });
  }

  /** Some requests that are sent from now on are answered. */
  async #answersFrom(number: number): Promise<void> {
    await this.#inTime('requests are answered again', () =>
      this.#answeredFrom(number) >= ANSWERED_IN_SPELL ? true : undefined,
    );
  }

  /** All of these come to an end. */
  async #over(items: readonly Item[]): Promise<void> {
    const isOver = (item: Item): boolean => !isPending(item) && item.state !== 'unread';
    await this.#inTime('what is open is over', () => (items.every(isOver) ? true : undefined));
    for (const item of items) {
      if (isOver(item) || item.id === undefined) continue;
      const views = describeViews(await this.#parts.cluster.views(item.id));
      this.#say(`${item.kind} ${item.number} (${item.id}) is ${item.state}: ${views}`);
    }
  }

  /** Waits for what must come; that it does not is noted, and the run goes on. */
  async #inTime(what: string, condition: () => true | undefined): Promise<void> {
    const { signal } = this.#options;
    try {
      await waitUntil(what, condition, { deadlineMs: PATIENCE_MS, everyMs: 200, signal });
    } catch (error) {
      if (!isKeyloomError(error, DevnetErrorCode.DEADLINE_PASSED)) throw error;
      const { round, kind } = this.#at;
      this.#violations.push({ code: 'STALLED', what: `round ${round}, ${kind}: ${error.message}` });
      this.#say(`STALLED: ${error.message}`);
    }
  }

  #answeredFrom(number: number): number {
    const { items } = this.#parts.ledger;
    const states: readonly Item['state'][] = ['unread', 'answered'];
    return items.slice(number).filter((item) => isRequest(item) && states.includes(item.state))
      .length;
  }

  async #pass(ms: number): Promise<void> {
    await delay(Math.max(0, ms), undefined, { signal: this.#options.signal });
  }

  #say(text: string): void {
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    this.#options.onProgress(`${String(seconds).padStart(4)} s  ${text}`);
  }
}

/** Slashed operators keep their seats. */
const isWell = ({ reasons }: { readonly reasons: readonly string[] }): boolean =>
  reasons.every((reason) => reason === 'SLASHED');
