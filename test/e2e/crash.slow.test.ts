import { sha256, stringToHex } from 'viem';
import { beforeAll, beforeEach, expect, it } from 'vitest';

import { operatorOwner } from '../../devnet/accounts.ts';
import { RoundTrip } from '../../devnet/round-trip.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { proposeEpoch, waitForEpoch, type Epoch } from '../../tasks/support/epochs.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../../tasks/support/keys.ts';
import { fetchHealth } from '../../tasks/support/operators.ts';
import { documentedWritePoints } from '../faults/documented.ts';
import { Cluster, testSet } from './cluster.ts';
import { CrashingOperator, journaledRoots, rootsHeldBy } from './crashing.ts';

// Operator 4 is killed at each kind of write that it comes to: before it, in the middle or behind it, in
// turns. It is started again each time, and takes part to the end. test/workers/store/write-points.test.ts
// has every moment of every write.

const CRASHING = 4;
/** A start takes seconds, and there is one for each kind of write. */
const TIMEOUT_MS = 1_500_000;

let cluster: Cluster;
let crashing: CrashingOperator;
let epoch: Epoch;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  const operator = cluster.operator(CRASHING);
  await operator.stop();
  const peers = [1, 2].map((index) => cluster.operator(index));
  crashing = new CrashingOperator(operator, peers);
  crashing.start();
  return async () => {
    await crashing.stop();
    await cluster.close();
  };
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

it('completes the set-up of an epoch', async () => {
  const proposalId = await proposeEpoch(cluster.governor, {
    operators: cluster.operators.map(({ index }) => operatorOwner(index).address),
    salt: sha256(stringToHex('set up by one that crashes')),
  });
  epoch = await waitForEpoch(cluster.governor, proposalId, { timeoutMs: TIMEOUT_MS });
  const { endpoint } = crashing.operator;
  await waitUntil(
    'the operator that crashes has its keys',
    async () => {
      const health = await fetchHealth(endpoint).catch(() => undefined);
      const seat = health?.epochs.find(({ epochId }) => epochId === epoch.epochId);
      return seat?.shares === true ? true : undefined;
    },
    { deadlineMs: TIMEOUT_MS },
  );
});

it('makes a key and decrypts, with nobody else to take its place', async () => {
  const { governor, devnet } = cluster;
  await cluster.operator(3).stop();
  const request = { epochId: epoch.epochId, set: testSet, label: labelOf('crash') };
  const { keyId } = await requestKey(governor, request);
  await waitForKey(governor, keyId, { timeoutMs: TIMEOUT_MS });
  cluster.operator(3).start();
  await cluster.operator(3).waitHealthy();
  const publicKey = await downloadPublicKey(governor, keyId);
  const roundTrip = new RoundTrip(devnet, testSet, keyId, publicKey);
  const values = { scalar: 31_337n };
  const registered = await roundTrip.register(values);
  await cluster.operator(3).stop();
  const outcome = await roundTrip.decrypt(registered, values);
  expect(outcome).toMatchObject({ decrypted: [31_337n], signers: [1, 2, CRASHING] });
});

it('has signed nothing that its journal does not have, and nothing twice', async () => {
  await crashing.stop();
  expect(crashing.failures).toEqual([]);
  expect(crashing.unjournaled).toEqual([]);
  expect(crashing.deaths.length).toBeGreaterThan(15);
  const journaled = journaledRoots(crashing.operator);
  for (const index of [1, 2]) {
    const held = rootsHeldBy(cluster.operator(index), CRASHING);
    expect(held.size).toBeGreaterThan(0);
    for (const [opening, root] of held) expect(journaled.get(opening)).toBe(root);
    const answer = await fetch(`${cluster.operator(index).endpoint}/evidence`);
    expect(await answer.json()).toEqual({ evidence: [] });
  }
  const points = documentedWritePoints();
  expect([...crashing.names].filter((name) => !points.includes(name))).toEqual([]);
});

it('finds nothing damaged at its next start', async () => {
  crashing.operator.start();
  const health = await crashing.operator.waitHealthy();
  expect(health.epochs).toHaveLength(2);
  expect(health.epochs.every(({ shares }) => shares)).toBe(true);
});
