import type { Hex } from 'viem';
import { beforeAll, beforeEach, expect, it } from 'vitest';

import { runForUser } from '../../devnet/for-user.ts';
import { sampleSlots } from '../../devnet/round-trip.ts';
import { waitUntilSlashed } from '../../devnet/slashed.ts';
import { Cluster, testSet } from './cluster.ts';

// The whole round trip on an execution client that is not Hardhat's node: see docs/chain-trouble.md.

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4, { chain: { client: 'anvil' } });
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

it('is another client than that of the other tests', async () => {
  const version = await cluster.governor.client.request({ method: 'web3_clientVersion' });
  expect(version).toMatch(/^anvil\//);
});

it('has results recorded, for all and for a user alone', async () => {
  const { roundTrip } = cluster;
  const slots = await roundTrip.run({ slots: sampleSlots(testSet, 1n) });
  expect(slots.decrypted).toEqual(slots.expected);
  const own = await runForUser(roundTrip, [31_415n, 2n]);
  expect(own.decrypted).toEqual(own.expected);
});

it('charges the loser of a race less than half of what the winner pays', async () => {
  const { roundTrip, governor } = cluster;
  const { requestId } = await roundTrip.run({ scalar: 5n });
  const { client, wallet, addresses, deploymentBlock } = governor;
  const logs = await client.getLogs({
    address: addresses.decryptionGateway,
    fromBlock: deploymentBlock,
  });
  const answer = logs.findLast(({ topics }) => (topics as readonly Hex[]).includes(requestId));
  const { input, to } = await client.getTransaction({ hash: answer!.transactionHash });
  const won = await client.getTransactionReceipt({ hash: answer!.transactionHash });
  // Without an estimate, which would show that it reverts: as if both had been in one mempool.
  const hash = await wallet!.sendTransaction({ to, data: input, gas: won.gasUsed });
  const lost = await client.waitForTransactionReceipt({ hash });
  expect(lost.status).toBe('reverted');
  expect(lost.gasUsed * 2n).toBeLessThan(won.gasUsed);
});

it('judges evidence', async () => {
  const { operator } = cluster.members[1];
  await cluster.restart(2, { conduct: 'shifted' });
  const { decrypted } = await cluster.openedBy([1, 2, 3, 4], () =>
    cluster.roundTrip.run({ scalar: 99n }),
  );
  expect(decrypted).toEqual([99n]);
  const { kind, bondWei } = await waitUntilSlashed(cluster.governor, operator);
  expect(['wrong-share', 'equivocation']).toContain(kind);
  expect(bondWei).toBe(0n);
});
