import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sampleSlots } from '../../devnet/round-trip.ts';
import { waitUntilSlashed } from '../../devnet/slashed.ts';
import { operatorAt } from '../../tasks/support/registration.ts';
import { listConvictions } from '../../tasks/support/slashing.ts';
import { owedTo } from '../../tasks/support/stake.ts';
import { Cluster, testSet } from './cluster.ts';

// Seven real operators. One after the other becomes a liar, in each of the ways that leave evidence, and is
// slashed by the others without anybody's help, while requests are answered. At most one lies at a time.

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(7);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

const expectDecryption = async (seed: bigint) => {
  const outcome = await cluster.roundTrip.run({ slots: sampleSlots(testSet, seed) });
  expect(outcome.decrypted).toEqual(outcome.expected);
  return outcome;
};

const others = (index: number): number[] => [1, 2, 3, 4, 5, 6, 7].filter((one) => one !== index);

describe('an operator is slashed by the others', () => {
  it.each([
    { index: 1, conduct: 'shifted', proven: ['wrong-share', 'equivocation'] },
    { index: 2, conduct: 'garbage', proven: ['wrong-share', 'equivocation'] },
    { index: 3, conduct: 'replayed', proven: ['wrong-share', 'equivocation'] },
    { index: 4, conduct: 'equivocating', proven: ['wrong-share', 'equivocation'] },
    { index: 5, conduct: 'wrong-result', proven: ['wrong-result'] },
  ])('for $conduct', async ({ index, conduct, proven }) => {
    const { operator } = cluster.members[index - 1];
    const { bondWei } = await operatorAt(cluster.governor, operator);
    expect(bondWei).toBeGreaterThan(0n);
    await cluster.restart(index, { conduct });
    // A replayed share needs one before it.
    if (conduct === 'replayed') await cluster.openedBy([index], () => expectDecryption(1n));
    await cluster.openedBy([1, 2, 3, 4, 5, 6, 7], () => expectDecryption(2n));

    const conviction = await waitUntilSlashed(cluster.governor, operator);
    expect(conviction).toMatchObject({ slashedWei: bondWei, bondWei: 0n });
    expect(proven).toContain(conviction.kind);
    const { rewardWei, beneficiary } = conviction;
    expect(rewardWei).toBe(bondWei / 20n);
    const honest = others(index).map((one) => cluster.members[one - 1].operator);
    expect(honest).toContain(beneficiary);
    expect(await owedTo(cluster.governor, beneficiary)).toBeGreaterThanOrEqual(rewardWei);
    expect((await operatorAt(cluster.governor, operator)).bondWei).toBe(0n);

    // It keeps its seat, and serves again once it is honest.
    await cluster.restart(index);
    await expectDecryption(3n);
  });

  it('and nobody else is', async () => {
    for (const index of [6, 7]) {
      const { operator } = cluster.members[index - 1];
      expect((await operatorAt(cluster.governor, operator)).bondWei).toBeGreaterThan(0n);
    }
    expect(await listConvictions(cluster.governor)).toHaveLength(5);
  });
});
