import process from 'node:process';
import { median } from './report.ts';

/** What some work cost this process, in milliseconds. */
export interface Cost {
  /** Of all its threads, in user and system mode. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Starts measuring; the returned function says what has been spent since. */
export function startCost(): () => Cost {
  const before = process.cpuUsage();
  const started = performance.now();
  return () => {
    const wallMs = performance.now() - started;
    const { user, system } = process.cpuUsage(before);
    return { cpuMs: (user + system) / 1e3, wallMs };
  };
}

export function sumOf(costs: readonly Cost[]): Cost {
  return costs.reduce(
    (sum, { cpuMs, wallMs }) => ({ cpuMs: sum.cpuMs + cpuMs, wallMs: sum.wallMs + wallMs }),
    { cpuMs: 0, wallMs: 0 },
  );
}

export function medianOf(costs: readonly Cost[]): Cost {
  return {
    cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
    wallMs: median(costs.map(({ wallMs }) => wallMs)),
  };
}
