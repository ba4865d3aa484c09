import type { Address, Hex } from 'viem';

import { SdkError, SdkErrorCode } from '../../sdk/errors.ts';
import { jsonOf, request } from '../../sdk/http.ts';
import { ClientError, ClientErrorCode } from './errors.ts';

const ASK_TIMEOUT_MS = 3_000;

/** One seat of an epoch's committee, as the chain has it. */
export interface Member {
  /** Committee index, from 1. */
  index: number;
  operator: Address;
  signer: Address;
  /** Base URL of the operator's HTTP interface. */
  endpoint: string;
}

/** What an operator says about itself: `GET /healthz`. */
export interface Health {
  status: string;
  reasons: string[];
  signer: string;
  peerId: string;
  height: number;
  /** Its seats in live epochs, and whether it holds what it needs to serve there. */
  epochs: { epochId: Hex; index: number; phase: string; shares: boolean }[];
  /** Exchanged with other operators since it started. */
  traffic: { sentBytes: number; receivedBytes: number };
}

/** What an operator says about one request: `GET /requests/ID`. */
export interface RequestView {
  id: Hex;
  kind: string;
  state: string;
  /** Committee indices whose answer it awaits in this step. */
  waitingFor: number[];
  /** How much of the opening is done, of what takes many. */
  progress?: { done: number; total: number } | undefined;
  /** Code of what keeps it from going on. */
  error: string | undefined;
  /** Why it cannot be served at all. */
  reason?: string | undefined;
  faulty: { index: number; operator: string; reason: string }[];
  milliseconds: Record<string, number>;
}

/** A member with its answer, or with why there is none. */
export type Answered<T> = Member & ({ answer: T } | { failure: string });

/** Asks one operator for its health. 503 is an answer, too. @throws SdkError `BAD_ANSWER` */
export async function fetchHealth(endpoint: string): Promise<Health> {
  const answer = await request(endpoint, '/healthz', { timeoutMs: ASK_TIMEOUT_MS });
  const body = fieldsOf(jsonOf(answer, endpoint), endpoint);
  const traffic = fieldsOf(body.traffic ?? {}, endpoint);
  return {
    status: text(body.status),
    reasons: list(body.reasons).map(text),
    signer: text(body.signer),
    peerId: text(body.peerId),
    height: Number(body.height ?? 0),
    epochs: list(body.epochs).map((entry) => {
      const epoch = fieldsOf(entry, endpoint);
      return {
        epochId: text(epoch.epochId) as Hex,
        index: Number(epoch.index),
        phase: text(epoch.phase),
        shares: epoch.shares === 'held',
      };
    }),
    traffic: {
      sentBytes: Number(traffic.sentBytes ?? 0),
      receivedBytes: Number(traffic.receivedBytes ?? 0),
    },
  };
}

/** One operator's view of a request; undefined where it does not know it. @throws SdkError `BAD_ANSWER` */
export async function fetchRequestView(
  endpoint: string,
  id: Hex,
  signal?: AbortSignal,
): Promise<RequestView | undefined> {
  const answer = await request(endpoint, `/requests/${id}`, { timeoutMs: ASK_TIMEOUT_MS, signal });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200)
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: status ${answer.status}`, {
      metadata: { status: answer.status },
    });
  const body = fieldsOf(jsonOf(answer, endpoint), endpoint);
  return {
    id: text(body.id) as Hex,
    kind: text(body.kind),
    state: text(body.state),
    waitingFor: list(body.waitingFor).map(Number),
    progress: progressOf(body.progress, endpoint),
    error: body.error === undefined ? undefined : text(body.error),
    reason: body.reason === undefined ? undefined : text(body.reason),
    faulty: list(body.faulty).map((entry) => {
      const fault = fieldsOf(entry, endpoint);
      return {
        index: Number(fault.index),
        operator: text(fault.operator),
        reason: text(fault.reason),
      };
    }),
    milliseconds: Object.fromEntries(
      Object.entries(fieldsOf(body.milliseconds ?? {}, endpoint)).map(([name, value]) => [
        name,
        Number(value),
      ]),
    ),
  };
}

/** Asks all members at once; nobody's silence keeps the others' answers back. */
export async function askAll<T>(
  members: readonly Member[],
  ask: (endpoint: string) => Promise<T>,
): Promise<Answered<T>[]> {
  return Promise.all(
    members.map(async (member) => {
      try {
        return { ...member, answer: await ask(member.endpoint) };
      } catch (cause) {
        return { ...member, failure: (cause as Error).message };
      }
    }),
  );
}

/** An operator whose shares disagreed, according to more operators than can be malicious. */
export interface NamedFault {
  index: number;
  operator: string;
  reason: string;
  /** Committee indices of those who say so. */
  reportedBy: number[];
}

/**
 * The operators that more than t members report as faulty. t or fewer reports prove nothing: they
 * may all come from liars.
 */
export function faultsNamed(
  views: readonly Answered<RequestView | undefined>[],
  t: number,
): NamedFault[] {
  const named = new Map<number, NamedFault>();
  for (const view of views) {
    if (!('answer' in view)) continue;
    for (const fault of view.answer?.faulty ?? []) {
      const entry = named.get(fault.index) ?? { ...fault, reportedBy: [] };
      if (!entry.reportedBy.includes(view.index)) entry.reportedBy.push(view.index);
      named.set(fault.index, entry);
    }
  }
  return [...named.values()]
    .filter((fault) => fault.reportedBy.length > t)
    .sort((a, b) => a.index - b.index);
}

/**
 * Refuses to go on unless a quorum of an epoch's members answer and hold their shares.
 * @throws ClientError `TOO_FEW_OPERATORS`; culprits are the indices of those that cannot serve
 */
export async function requireQuorum(
  epoch: { epochId: Hex; committee: { n: number; quorum: number } },
  members: readonly Member[],
): Promise<void> {
  const { n, quorum } = epoch.committee;
  const answers = await askAll(members, fetchHealth);
  const unable = answers.filter((one) => !('answer' in one) || !serves(one.answer, epoch.epochId));
  if (n - unable.length < quorum) throw tooFewOperators(n, quorum, unable);
}

const serves = (health: Health, epochId: Hex): boolean =>
  health.epochs.some((seat) => seat.epochId === epochId && seat.shares);

/** The error of {@link requireQuorum}, with one reason per operator. */
export function tooFewOperators(
  n: number,
  quorum: number,
  unable: readonly Answered<Health>[],
): ClientError {
  const reasons = unable.map((one) =>
    'failure' in one
      ? `operator ${one.index} does not answer (${one.failure})`
      : `operator ${one.index} cannot serve (${one.answer.reasons.join(', ') || 'no shares of this epoch'})`,
  );
  return new ClientError(
    ClientErrorCode.TOO_FEW_OPERATORS,
    `${n - unable.length} of ${n} operators can serve, ${quorum} are needed: ${reasons.join('; ')}`,
    {
      advice: 'Wait for those operators, or tell whoever runs them.',
      metadata: { able: n - unable.length, quorum },
      culprits: unable.map(({ index }) => index),
    },
  );
}

const WATCH_INTERVAL_MS = 4_000;
const WATCH_ROUNDS = 3;

/**
 * To be called whenever a wait asks again: throws `TOO_FEW_OPERATORS` once fewer than a quorum have
 * answered several times in a row. Does nothing unless `failFast`.
 */
export function operatorWatch(
  members: readonly Member[],
  quorum: number,
  options: { failFast?: boolean | undefined; intervalMs?: number },
): () => Promise<void> {
  const intervalMs = options.intervalMs ?? WATCH_INTERVAL_MS;
  let failures = 0;
  let next = performance.now() + intervalMs;
  return async () => {
    if (options.failFast !== true || performance.now() < next) return;
    const unable = (await askAll(members, fetchHealth)).filter((one) => 'failure' in one);
    failures = members.length - unable.length < quorum ? failures + 1 : 0;
    if (failures === WATCH_ROUNDS) throw tooFewOperators(members.length, quorum, unable);
    next = performance.now() + intervalMs;
  };
}

/** Why nothing came: `TOO_FEW_OPERATORS` if too few of them answer, else `WAIT_TIMED_OUT`. */
export async function unansweredWait(
  members: readonly Member[],
  quorum: number,
  what: string,
): Promise<ClientError> {
  const unable = (await askAll(members, fetchHealth)).filter((one) => 'failure' in one);
  if (members.length - unable.length < quorum)
    return tooFewOperators(members.length, quorum, unable);
  return new ClientError(ClientErrorCode.WAIT_TIMED_OUT, what, {
    advice: 'It may still complete: look with `kms status ID`, or wait longer with --timeout.',
  });
}

function fieldsOf(value: unknown, endpoint: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: not the promised JSON`);
}

function progressOf(value: unknown, endpoint: string): RequestView['progress'] {
  if (value === undefined) return undefined;
  const { done, total } = fieldsOf(value, endpoint);
  return { done: Number(done), total: Number(total) };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
