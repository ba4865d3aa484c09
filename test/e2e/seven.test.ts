import { beforeAll, beforeEach, expect, it } from 'vitest';

import { sampleSlots } from '../../devnet/round-trip.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { Cluster, testSet } from './cluster.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(7);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

it('seven operators decrypt while one is dead and one lies, and name the liar', async () => {
  await cluster.operator(6).kill();
  await cluster.restart(3, { conduct: 'garbage' });

  const { roundTrip } = cluster;
  const { requestId, expected, decrypted } = await roundTrip.run({
    slots: sampleSlots(testSet, 70n),
  });
  expect(decrypted).toEqual(expected);
  expect((await roundTrip.run({ scalar: 271n })).decrypted).toEqual([271n]);

  const honest = [1, 2, 4, 5, 7];
  const faults = await waitUntil('all honest operators name operator 3', async () => {
    const named = await cluster.faults(requestId);
    return named.some(({ reportedBy }) => reportedBy.length === honest.length) ? named : undefined;
  });
  expect(faults).toEqual([
    expect.objectContaining({
      index: 3,
      reason: 'WRONG_SHARE',
      reportedBy: expect.arrayContaining(honest) as number[],
    }),
  ]);
});
