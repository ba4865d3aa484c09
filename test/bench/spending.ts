import process from 'node:process';

import type { OperatorProcess } from '../../devnet/operator-process.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { processorTime } from '../load/probed.ts';

/** What an operator has used since its process started. */
export interface Spending {
  /** NaN where the system does not say it as Linux does. */
  readonly cpuMs: number;
  /** To other operators: questions and answers with their frames. */
  readonly sentBytes: number;
}

/** Operators that have sent nothing for so long are done. */
const QUIET_MS = 1_500;
const SETTLED_DEADLINE_MS = 60_000;

/** What the mean operator uses while something is done, until all operators are quiet again. */
export async function meanSpending(
  operators: readonly OperatorProcess[],
  work: () => Promise<void>,
): Promise<Spending> {
  const before = await spendings(operators);
  await work();
  const after = await settled(operators);
  const mean = (used: (spending: Spending) => number): number =>
    after.reduce((sum, spending, at) => sum + used(spending) - used(before[at]), 0) / after.length;
  return { cpuMs: mean(({ cpuMs }) => cpuMs), sentBytes: mean(({ sentBytes }) => sentBytes) };
}

/** A result is on chain before all operators are done with it. */
async function settled(operators: readonly OperatorProcess[]): Promise<Spending[]> {
  let last = await spendings(operators);
  return waitUntil(
    'the operators have nothing more to send',
    async () => {
      const now = await spendings(operators);
      const quiet = now.every(({ sentBytes }, at) => sentBytes === last[at].sentBytes);
      last = now;
      return quiet ? now : undefined;
    },
    { everyMs: QUIET_MS, deadlineMs: SETTLED_DEADLINE_MS },
  );
}

function spendings(operators: readonly OperatorProcess[]): Promise<Spending[]> {
  return Promise.all(
    operators.map(async (operator) => {
      const { traffic } = await operator.waitHealthy();
      return { cpuMs: cpuMsOf(operator.pid), sentBytes: traffic.sentBytes };
    }),
  );
}

function cpuMsOf(pid: number | undefined): number {
  return pid === undefined || process.platform !== 'linux' ? NaN : processorTime(pid).all;
}
