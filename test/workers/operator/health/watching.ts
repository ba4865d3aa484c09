import { tmpdir } from 'node:os';

import type { HealthLimits } from '../../../../workers/operator/config/config.ts';
import { ChainMonitor } from '../../../../workers/operator/health/chain.ts';
import { HealthReport } from '../../../../workers/operator/health/health.ts';
import { PeerMonitor } from '../../../../workers/operator/health/peers.ts';
import type { FakeChain } from '../fake-chain.ts';
import { testSignal, type TestOperator } from '../harness.ts';

export const limits: HealthLimits = {
  ...{ stalledSeconds: 120, lagSeconds: 60, clockSeconds: 30, freeBytes: 0 },
};

/** An operator that is watched, with clocks that a test sets. */
export async function watched(
  operator: TestOperator,
  fake: FakeChain,
  changes: Partial<HealthLimits> = {},
) {
  const { context, chain, seats } = operator;
  const clocks = { now: Number(fake.timestamp) * 1_000, steady: 0 };
  const owner = context.account.address;
  const monitors = {
    chainMonitor: new ChainMonitor(context, 0, () => owner, {
      timeOfDay: () => clocks.now,
      steady: () => clocks.steady,
    }),
    peerMonitor: new PeerMonitor(context, seats),
  };
  const dataDir = tmpdir();
  const sources = { context, chain, seats, ...monitors, dataDir };
  const health = new HealthReport({ ...sources, limits: { ...limits, ...changes } });
  /** Reads the chain to its head. */
  const read = (): void => {
    const height = BigInt(fake.blocks.length);
    context.store.blocks.append([], { height, hash: fake.blocks.at(-1).hash });
  };
  read();
  await monitors.chainMonitor.look();
  await monitors.peerMonitor.try(testSignal());
  return {
    ...sources,
    ...{ health, clocks, read },
    /** Lets time pass on all clocks, and looks at the chain again. */
    pass: async (seconds: number): Promise<void> => {
      clocks.now += 1_000 * seconds;
      clocks.steady += 1_000 * seconds;
      await monitors.chainMonitor.look();
    },
    reasons: async () => (await health.report()).reasons,
  };
}
