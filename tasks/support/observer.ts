import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from 'viem';

import {
  askAll,
  fetchRequestView,
  type Answered,
  type Member,
  type RequestView,
} from './operators.ts';

const INTERVAL_MS = 1_000;

/** Tells in the background what the operators say about a request; stop it with `stop` or `using`. */
export interface Observer extends Disposable {
  stop(): void;
  /** One sentence on what each operator says right now. */
  summary(): Promise<string>;
}

/** Asks all members about a request once a second and reports what they say, until stopped. */
export function observeRequest(
  members: readonly Member[],
  id: Hex,
  report: (phase: string, text: string) => void,
): Observer {
  const stopped = new AbortController();
  const ask = async (signal?: AbortSignal): Promise<string> =>
    describeViews(await askAll(members, (endpoint) => fetchRequestView(endpoint, id, signal)));
  const observe = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const text = await ask(stopped.signal);
      if (stopped.signal.aborted) return;
      report('Pending', text);
      await delay(INTERVAL_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  void observe();
  const stop = (): void => stopped.abort();
  return { stop, summary: () => ask(), [Symbol.dispose]: stop };
}

/** Who says what about a request, operators of one mind together. */
export function describeViews(views: readonly Answered<RequestView | undefined>[]): string {
  const groups = new Map<string, number[]>();
  for (const view of views) {
    const says = sayingOf(view);
    groups.set(says, [...(groups.get(says) ?? []), view.index]);
  }
  return [...groups]
    .map(
      ([says, indices]) =>
        `${indices.length === 1 ? 'operator' : 'operators'} ${indices.join(', ')}: ${says}`,
    )
    .join('; ');
}

function sayingOf(view: Answered<RequestView | undefined>): string {
  if ('failure' in view) return 'no answer';
  if (view.answer === undefined) return 'not seen yet';
  const { state, waitingFor, progress, error, reason } = view.answer;
  const step =
    progress === undefined || !['opening', 'contributing'].includes(state)
      ? state
      : `${state} ${progress.done}/${progress.total}`;
  if (error !== undefined) return `${step} (${reason ?? error})`;
  return waitingFor.length === 0 ? step : `${step}, waiting for ${waitingFor.join(', ')}`;
}
