import { AdvisedError } from '../sdk/errors.ts';
import { isKeyloomError } from '../workers/errors.ts';

/** An error for a person: its code, what happened, what to do. */
export function explain(error: unknown): string {
  if (!isKeyloomError(error))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const advice = error instanceof AdvisedError ? error.advice : undefined;
  return [`${error.code}: ${error.message}`, ...(advice === undefined ? [] : [advice])].join('\n');
}
