import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { waitUntil } from '../../devnet/wait.ts';
import { operatorAt } from '../../tasks/support/registration.ts';
import { listConvictions } from '../../tasks/support/slashing.ts';
import { contributorsOf, expectNothingChanged, hold, LIAR, malices } from './ceremonies.ts';
import { Cluster } from './cluster.ts';

// Every way in which one contributor of a ceremony can be malicious, and three that collude.

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

describe('a malicious contributor', () => {
  it.each(malices)('$conduct changes nothing', (malice) => expectNothingChanged(cluster, malice));
});

describe('more malicious operators than there may be', () => {
  it('have a wrong contribution recorded, and lose it and their bonds to the honest one', async () => {
    const gateway = cluster.governor;
    const guilty = [1, LIAR, 3];
    const bonds = await Promise.all(
      guilty.map((index) => operatorAt(gateway, cluster.members[index - 1].operator)),
    );
    const before = (await listConvictions(gateway)).length;
    for (const index of guilty)
      await cluster.restart(index, { conduct: index === LIAR ? 'colluding-liar' : 'colluding' });
    // An honest one that is there proves what is wrong before it is recorded, if it is fast.
    const honest = cluster.operator(4);
    await honest.stop();
    const ceremony = await hold(cluster, 'colluding', {
      onLook: ({ contributions }) => {
        const isRecorded = contributions.some(({ index }) => index === LIAR);
        if (isRecorded && honest.pid === undefined) honest.start();
      },
      isWasted: async ({ slot }) => slot?.index === honest.index && honest.pid === undefined,
      isSettled: ({ excluded }) => excluded !== 0,
    });
    expect(ceremony.excluded).toBe(1 << (LIAR - 1));
    expect(await contributorsOf(cluster, ceremony)).toEqual([1, 3, 4]);

    const convictions = await waitUntil('all who signed are slashed', async () => {
      const all = (await listConvictions(gateway)).slice(before);
      return all.length === guilty.length ? all : undefined;
    });
    for (const { kind, operator, slashedWei } of convictions) {
      expect(kind).toBe('wrong-contribution');
      const bond = bonds.find((one) => one.operator === operator)?.bondWei ?? 0n;
      expect(slashedWei).toBe(bond / 2n);
    }
  });
});
