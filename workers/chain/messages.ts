import { BaseError } from 'viem';

/** All messages in a chain of errors, where nodes put the only thing that tells refusals apart. */
export function messageOf(error: unknown): string {
  if (!(error instanceof BaseError)) return String(error);
  const messages: string[] = [];
  error.walk((cause) => {
    if (cause instanceof Error) messages.push(cause.message);
    return false;
  });
  return messages.join('\n');
}
