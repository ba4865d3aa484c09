import type { Accusation } from './auditor.ts';
import {
  isOwed,
  isRequest,
  registrationKinds,
  requestKinds,
  type Item,
  type Kind,
} from './ledger.ts';
import type { PhaseKind, Plan } from './schedule.ts';
import type { Conflict } from './statements.ts';

/** Something that must not be, found while it runs. */
export interface Violation {
  /** What it is, as in docs/chaos.md. */
  readonly code:
    | 'WRONG'
    | 'LOST'
    | 'DOUBLE_SIGNED'
    | 'STALLED'
    | 'EXPIRED_IN_SERVICE'
    | 'REFUSED_IN_SERVICE'
    | 'HONEST_ACCUSED'
    | 'NOT_HEALED'
    | 'UNCLEAN_STOP'
    | 'LOAD_FAILED';
  readonly what: string;
}

/** How a phase went. */
export interface PhaseReport {
  readonly round: number;
  readonly kind: PhaseKind;
  readonly seconds: number;
  /** Requests that were answered while it lasted. */
  readonly answered: number;
}

/** What a run knows when it ends. */
export interface Outcome {
  readonly plan: Plan;
  /** Of all phases that there were, the last one perhaps not to its end. */
  readonly phases: readonly PhaseReport[];
  readonly items: readonly Item[];
  readonly conflicts: readonly Conflict[];
  /** Of liars: they show that there was something to be found. */
  readonly liarsConflicts: number;
  readonly statements: number;
  readonly accusations: readonly Accusation[];
  readonly violations: readonly Violation[];
  readonly faults: Readonly<Record<string, number>>;
  readonly wasInterrupted: boolean;
  readonly seconds: number;
}

/** How many things of each kind have come to what. */
export type Counts = Record<
  'sent' | 'answered' | 'expired' | 'wrong' | 'lost' | 'refused' | 'open',
  number
>;

/** The JSON document of a run (docs/chaos.md, Report). */
export interface Report {
  readonly version: 1;
  readonly seed: number;
  readonly minutes: number;
  readonly operators: number;
  readonly t: number;
  readonly liars: readonly number[];
  readonly restored: number;
  readonly result: 'passed' | 'failed' | 'interrupted';
  readonly seconds: number;
  readonly requests: Counts & { doubleSigned: number; byKind: Record<Kind, Counts> };
  /** From the request to its answer on chain, where no more than t operators were in its way. */
  readonly milliseconds: { readonly p50: number; readonly p99: number };
  readonly faults: Readonly<Record<string, number>>;
  readonly phases: readonly PhaseReport[];
  /** Subjects of which there is something signed, by signer, in all. */
  readonly statements: number;
  readonly liarsConflicts: number;
  readonly convicted: readonly number[];
  readonly accused: readonly number[];
  readonly violations: readonly Violation[];
  readonly repeat: string;
}

/** Sums a run up. Requests that are open at its end are lost, unless it was interrupted. */
export function reportOf(outcome: Outcome): Report {
  const { plan, wasInterrupted, items, conflicts } = outcome;
  const violations = [
    ...outcome.violations,
    ...items.flatMap((item) => violationsOf(item, plan.t, wasInterrupted)),
    ...conflicts.map(({ signer, subject }): Violation => {
      return { code: 'DOUBLE_SIGNED', what: `operator ${signer}, ${subject}` };
    }),
    ...outcome.accusations
      .filter(({ accused }) => !plan.liars.includes(accused))
      .map(({ accused, by, kind }): Violation => {
        return { code: 'HONEST_ACCUSED', what: `operator ${accused} by ${by} of ${kind}` };
      }),
  ];
  const passed = wasInterrupted ? 'interrupted' : 'passed';
  const named = (by: (accusation: Accusation) => boolean): number[] =>
    [...new Set(outcome.accusations.filter(by).map(({ accused }) => accused))].sort();
  const kinds = [...requestKinds, ...registrationKinds];
  return {
    ...{ version: 1, seed: plan.seed, minutes: plan.minutes, operators: plan.n, t: plan.t },
    ...{ liars: plan.liars, restored: plan.restored },
    result: violations.length > 0 ? 'failed' : passed,
    seconds: Math.round(outcome.seconds),
    requests: {
      ...countsOf(items.filter(isRequest), wasInterrupted),
      doubleSigned: conflicts.length,
      byKind: Object.fromEntries(
        kinds.map((kind) => [
          kind,
          countsOf(
            items.filter((item) => item.kind === kind),
            wasInterrupted,
          ),
        ]),
      ) as Record<Kind, Counts>,
    },
    milliseconds: quantiles(items, plan.t),
    ...{ faults: outcome.faults, phases: outcome.phases, statements: outcome.statements },
    liarsConflicts: outcome.liarsConflicts,
    convicted: named(({ by }) => by === 'chain'),
    accused: named(({ by }) => by !== 'chain'),
    violations,
    repeat: repeating(plan),
  };
}

/** The command that does the same again. */
export const repeating = ({ seed, minutes, n }: Plan): string =>
  `npm run chaos -- --seed ${seed} --minutes ${minutes} --operators ${n}`;

/** 0 if nothing must be mended, 130 if it was interrupted before it could be known, else 1. */
export const exitCodeOf = ({ result }: Report): number =>
  ({ passed: 0, failed: 1, interrupted: 130 })[result];

function countsOf(items: readonly Item[], wasInterrupted: boolean): Counts {
  const count = (...states: readonly Item['state'][]): number =>
    items.filter(({ state }) => states.includes(state)).length;
  const left = count('sending', 'open', 'unread');
  return {
    sent: items.length - count('unsent'),
    ...{ answered: count('answered'), expired: count('expired'), wrong: count('wrong') },
    refused: count('refused'),
    lost: wasInterrupted ? 0 : left,
    open: wasInterrupted ? left : 0,
  };
}

function violationsOf(item: Item, t: number, wasInterrupted: boolean): Violation[] {
  const { kind, number, id, state, why } = item;
  const what = `${kind} ${number} ${id ?? ''} ${why ?? ''}`.trimEnd();
  switch (state) {
    case 'wrong':
      return [{ code: 'WRONG', what }];
    case 'sending':
    case 'open':
    case 'unread':
      return wasInterrupted ? [] : [{ code: 'LOST', what: `${what} (${state})` }];
    case 'unsent':
      return [{ code: 'LOAD_FAILED', what }];
    case 'expired':
      return isOwed(item, t) ? [{ code: 'EXPIRED_IN_SERVICE', what }] : [];
    case 'refused':
      return isOwed(item, t) ? [{ code: 'REFUSED_IN_SERVICE', what }] : [];
    case 'answered':
      return [];
  }
}

function quantiles(items: readonly Item[], t: number): Report['milliseconds'] {
  const times = items
    .filter((item) => isRequest(item) && item.afflicted.size <= t)
    .flatMap(({ tookMs }) => tookMs ?? [])
    .sort((a, b) => a - b);
  const at = (part: number): number => Math.round(times[Math.floor(part * times.length)] ?? 0);
  return { p50: at(0.5), p99: at(0.99) };
}

/** A report for people. */
export function textOf(report: Report): string {
  const { requests, milliseconds, violations, liars, convicted, phases } = report;
  const kinds = Object.entries(requests.byKind).map(
    ([kind, { sent, answered, expired, refused }]) =>
      `  ${kind.padEnd(14)}${sent} sent, ${answered} answered, ${expired + refused} expired or refused`,
  );
  return [
    '',
    `${report.result}: seed ${report.seed}, ${phases.length} phases in ${report.seconds} s`,
    `requests: ${requests.sent} sent, ${requests.answered} answered, ${requests.expired} expired, ` +
      `${requests.open} open`,
    `must be 0: ${requests.wrong} wrong, ${requests.lost} lost, ${requests.doubleSigned} double-signed`,
    ...kinds,
    `answered within ${milliseconds.p50} ms (p50), ${milliseconds.p99} ms (p99), with no more than t operators in the way`,
    `liars: ${liars.join(', ')}; convicted: ${convicted.join(', ') || 'nobody'}; ` +
      `${report.liarsConflicts} of ${report.statements} statements contradict each other, all of them liars'`,
    ...violations.map(({ code, what }) => `${code}: ${what}`),
    ...(report.result === 'failed' ? [`Again: ${report.repeat}`] : []),
    '',
  ].join('\n');
}
