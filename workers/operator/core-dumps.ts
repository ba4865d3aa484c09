import { readFileSync } from 'node:fs';

/** Where Linux says what a process may do. */
const LIMITS = '/proc/self/limits';

/**
 * True if a crash of this process may write its memory, secrets and all, to a disk; undefined where the
 * system does not say.
 *
 * @param limits content of `/proc/self/limits`, which is read if it is not given
 */
export function mayDumpCore(limits = readLimits()): boolean | undefined {
  const soft = /^Max core file size\s+(\d+|unlimited)\s/mu.exec(limits)?.[1];
  return soft === undefined ? undefined : soft !== '0';
}

function readLimits(): string {
  try {
    return readFileSync(LIMITS, 'latin1');
  } catch {
    return '';
  }
}
