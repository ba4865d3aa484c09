import type { Hex } from 'viem';

import { poll } from '../../sdk/polling.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { observeRequest } from './observer.ts';
import { operatorWatch, unansweredWait } from './operators.ts';
import { progressReporter, type WaitOptions } from './waiting.ts';

/** Something on chain that a committee has to answer: what waits for it needs to know. */
export interface Awaited<Result> {
  /** Id under which operators tell how far they are. */
  readonly id: Hex;
  readonly epochId: Hex;
  /** For messages: `key 0x…`, `request 0x…`. */
  readonly what: string;
  /** What to do if the deadline passes. */
  readonly advice: string;
  /** For the last progress message. */
  readonly done: string;
  /** The result, or the deadline (Unix seconds) while there is none. Throws if there will be none. */
  read(): Promise<{ readonly result: Result } | { readonly deadline: number }>;
}

/**
 * Waits until a committee has answered, telling meanwhile what the operators say.
 * @throws ClientError `REQUEST_EXPIRED`, `TOO_FEW_OPERATORS`, `WAIT_TIMED_OUT`, and what `read` throws
 */
export async function waitForResult<Result>(
  gateway: Gateway,
  awaited: Awaited<Result>,
  options: WaitOptions,
): Promise<Result> {
  const { id, what, advice } = awaited;
  const report = progressReporter(options.onProgress);
  const epoch = await epochOf(gateway, awaited.epochId);
  const members = await membersOf(gateway, epoch);
  const { quorum } = epoch.committee;
  const watch = operatorWatch(members, quorum, { failFast: options.failFast });
  using observer = observeRequest(members, id, report);
  const found = await poll(
    async () => {
      const state = await awaited.read();
      if ('result' in state) return state;
      if (await hasPassed(gateway, state.deadline))
        throw new ClientError(
          ClientErrorCode.REQUEST_EXPIRED,
          `the deadline of ${what} has passed; ${await observer.summary()}`,
          { advice, metadata: { id } },
        );
      await watch();
      return undefined;
    },
    options,
    async () =>
      unansweredWait(members, quorum, `${what} is still pending; ${await observer.summary()}`),
  );
  observer.stop();
  report('Done', awaited.done);
  return found.result;
}

/** Whether the newest block is past a deadline in Unix seconds. */
export async function hasPassed(gateway: Gateway, deadline: number): Promise<boolean> {
  return (await chainTime(gateway)) > deadline;
}

/** Unix seconds of the newest block. */
export async function chainTime(gateway: Gateway): Promise<number> {
  return Number((await gateway.client.getBlock()).timestamp);
}
