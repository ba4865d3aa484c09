import { poll } from '../sdk/polling.ts';
import { DevnetError, DevnetErrorCode } from './errors.ts';

export interface WaitOptions {
  deadlineMs?: number;
  everyMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Asks `condition` until it answers something other than undefined, and returns that.
 *
 * @throws DevnetError DEADLINE_PASSED naming `what`, or whatever `condition` or `signal` throws
 */
export function waitUntil<T>(
  what: string,
  condition: () => T | undefined | Promise<T | undefined>,
  options: WaitOptions = {},
): Promise<T> {
  const { deadlineMs = 120_000, everyMs = 50, signal } = options;
  return poll(
    async () => condition(),
    { timeoutMs: deadlineMs, pollMs: everyMs, signal },
    () => {
      const message = `Waited ${deadlineMs} ms in vain until ${what}.`;
      return new DevnetError(DevnetErrorCode.DEADLINE_PASSED, message, { metadata: { what } });
    },
  );
}
