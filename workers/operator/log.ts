import pino from 'pino';
import { BaseError } from 'viem';

import { isKeyloomError } from '../errors.ts';

/** JSON lines on standard output. Callers pass public values only. */
export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'> & {
  child(bindings: Record<string, unknown>): Log;
};

/**
 * Errors are logged as code, message and public metadata, with their causes and without stacks. Of
 * viem's messages only the first line: the others quote the RPC URL, which may hold an access key.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  if (!isKeyloomError(error)) {
    const message = error instanceof BaseError ? error.shortMessage : error.message;
    return { name: error.name, message, ...cause };
  }
  const { code, message, metadata, culprits } = error;
  return { code, message, ...metadata, ...(culprits.length > 0 ? { culprits } : {}), ...cause };
}

export function createLog(level: string, bindings: Record<string, unknown>): Log {
  return pino({
    level,
    base: bindings,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: {
      err: (error: unknown) =>
        JSON.parse(
          JSON.stringify(describeError(error), (_, value: unknown) =>
            typeof value === 'bigint' ? value.toString() : value,
          ),
        ) as unknown,
    },
  });
}
