import { BaseError, HttpRequestError, TimeoutError, WebSocketRequestError } from 'viem';
import { setTimeout as delay } from 'node:timers/promises';
import { ChainError, ChainErrorCode } from './errors.ts';

/** Longest pause between two attempts at an endpoint that fails. */
const maxBackoffMs = 30_000;

/** The coded form of a failed RPC request; coded errors pass. */
export function rpcError(error: unknown): ChainError {
  if (error instanceof ChainError) return error;
  const unreachable =
    error instanceof BaseError &&
    error.walk(
      (cause) =>
        cause instanceof HttpRequestError ||
        cause instanceof TimeoutError ||
        cause instanceof WebSocketRequestError,
    ) !== null;
  return unreachable
    ? new ChainError(ChainErrorCode.RPC_UNREACHABLE, 'The RPC endpoint does not answer.', {
        cause: error,
      })
    : new ChainError(ChainErrorCode.RPC_FAILED, 'The RPC endpoint answered with an error.', {
        cause: error,
      });
}

/** Pause after the given number of failures in a row: doubles from `pollMs` to half a minute. */
export function backoffMs(pollMs: number, failures: number): number {
  return Math.min(pollMs * 2 ** Math.min(failures, 16), Math.max(pollMs, maxBackoffMs));
}

/** Waits, or returns at once when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // Only an abort ends it early; the caller looks at the signal.
  }
}
