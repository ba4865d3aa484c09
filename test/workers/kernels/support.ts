import { expect } from 'vitest';

/** What an error of this code looks like to `toThrow`. */
export function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}
