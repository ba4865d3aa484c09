import { startCost } from '../bench/cost.ts';
import type { LoadedCommittee } from './committee.ts';
import { processorTime } from './probed.ts';

/** What some work took, in milliseconds; processor time in user and system mode. */
export interface Spent {
  readonly wallMs: number;
  /** Of each operator's process. */
  readonly operators: readonly number[];
  /** Of the thread of each that runs JavaScript. */
  readonly mainThreads: readonly number[];
  readonly chain: number;
  /** This process, which asks. */
  readonly client: number;
}

/** Measures all processes while something is done. Only on Linux. */
export async function spending<T>(
  { devnet, operators }: LoadedCommittee,
  work: () => Promise<T>,
): Promise<{ spent: Spent; value: T }> {
  const pids = [devnet.chain.process.pid, ...operators.map(({ pid }) => pid!)];
  const before = pids.map(processorTime);
  const own = startCost();
  const value = await work();
  const { wallMs, cpuMs } = own();
  const used = pids.map(processorTime).map(({ all, main }, at) => ({
    all: all - before[at].all,
    main: main - before[at].main,
  }));
  const [chain, ...rest] = used;
  const spent = {
    ...{ wallMs, client: cpuMs, chain: chain.all },
    ...{ operators: rest.map(({ all }) => all), mainThreads: rest.map(({ main }) => main) },
  };
  return { spent, value };
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Processor time of all processes. */
export const totalOf = ({ operators, chain, client }: Spent): number =>
  sum(operators) + chain + client;
