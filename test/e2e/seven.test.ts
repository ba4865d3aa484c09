import { beforeAll, beforeEach, expect, it } from 'vitest';

import { computeAndDecrypt, computingKeys } from '../../devnet/computing.ts';
import { runForUser } from '../../devnet/for-user.ts';
import { sampleSlots } from '../../devnet/round-trip.ts';
import { audit } from '../../tasks/support/audit/audit.ts';
import { convicted } from '../../tasks/support/audit/findings.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { Cluster } from './cluster.ts';

const set = parameterSet('insecure-bfv-1024-b17');

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(7, { set });
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

it('seven operators decrypt while one is dead and one lies, and name the liar', async () => {
  await cluster.operator(6).kill();
  await cluster.restart(3, { conduct: 'garbage' });

  const { roundTrip } = cluster;
  const { requestId, expected, decrypted } = await cluster.openedBy([1, 2, 3, 4, 5, 7], () =>
    roundTrip.run({ slots: sampleSlots(set, 70n) }),
  );
  expect(decrypted).toEqual(expected);
  expect((await roundTrip.run({ scalar: 271n })).decrypted).toEqual([271n]);

  const honest = [1, 2, 4, 5, 7];
  const faults = await cluster.namedFaults(requestId, honest.length);
  expect(faults).toEqual([
    expect.objectContaining({
      index: 3,
      reason: 'WRONG_SHARE',
      reportedBy: expect.arrayContaining(honest) as number[],
    }),
  ]);
});

it('seven operators make keys to compute with and answer one user, with the same two bad', async () => {
  const { governor, keyId, roundTrip } = cluster;
  const keys = await computingKeys(governor, set, keyId, [1]);
  const outcome = await computeAndDecrypt(roundTrip, cluster.epoch.committee);
  expect(outcome.operation).toBe('sum');
  expect(outcome.decrypted).toEqual(outcome.expected);
  const answer = await cluster.openedBy([3], () => runForUser(roundTrip, [1n, 2n, 3n]));
  expect(answer.decrypted).toEqual([1n, 2n, 3n]);
  // From then on somebody has the share that convicts it.
  await cluster.namedFaults(answer.requestId, 1);
  for (const requestId of [...keys.requests, answer.requestId]) {
    const report = await audit(governor, requestId);
    expect(report.failure).toBeUndefined();
    expect(convicted(report.operators)).toEqual([3]);
  }
});
