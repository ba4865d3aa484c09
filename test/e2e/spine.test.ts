import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { user } from '../../devnet/accounts.ts';
import { sampleSlots } from '../../devnet/round-trip.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { requestOf, waitForDecryption } from '../../tasks/support/decryptions.ts';
import { ClientErrorCode } from '../../tasks/support/errors.ts';
import { keyOf } from '../../tasks/support/keys.ts';
import { Cluster, testSet } from './cluster.ts';

// Four real operator processes and a real L2; each test goes on where the one before has left them.

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

/** Encrypts sample slots, decrypts them and expects the same ones. */
async function expectDecryption(seed: bigint) {
  const outcome = await cluster.roundTrip.run({ slots: sampleSlots(testSet, seed) });
  expect(outcome.decrypted).toEqual(outcome.expected);
  return outcome;
}

describe('four operators', () => {
  it('have made a key that works with stock SEAL', async () => {
    const key = await keyOf(cluster.governor, cluster.keyId);
    expect(key.state).toBe('Active');
    expect(key.epochId).toBe(cluster.epoch.epochId);
  });

  it('decrypt slots', async () => {
    const { requestId } = await expectDecryption(1n);
    expect(await cluster.faults(requestId, 0)).toEqual([]);
  });

  it('decrypt one number', async () => {
    const { decrypted } = await cluster.roundTrip.run({ scalar: 31_415n });
    expect(decrypted).toEqual([31_415n]);
  });
});

describe('an operator that is killed', () => {
  it('is not missed', async () => {
    await cluster.operator(4).kill();
    const { signers } = await expectDecryption(2n);
    expect(signers).toEqual([1, 2, 3]);
  });

  it('serves again after a restart on its data, when it is needed', async () => {
    const operator = cluster.operator(4);
    operator.start();
    await operator.waitHealthy();
    expect(await cluster.operator(1).stop()).toBe(0);
    const { signers } = await expectDecryption(3n);
    expect(signers).toEqual([2, 3, 4]);
    cluster.operator(1).start();
    await cluster.operator(1).waitHealthy();
  });
});

describe('one operator that lies', () => {
  afterAll(() => cluster.restart(2));

  it.each([
    ['shifted', 'WRONG_SHARE'],
    ['garbage', 'WRONG_SHARE'],
    ['replayed', 'WRONG_SHARE'],
    ['wrong-length', 'NET_ANSWER_LENGTH_WRONG'],
  ])('by %s shares changes nothing and is named', async (conduct, reason) => {
    await cluster.restart(2, { conduct });
    // A replayed share needs one before it.
    if (conduct === 'replayed') await cluster.openedBy([2], () => expectDecryption(4n));
    const { requestId } = await cluster.openedBy([1, 2, 3, 4], () => expectDecryption(5n));
    const faults = await cluster.namedFaults(requestId, 3);
    expect(faults).toEqual([expect.objectContaining({ index: 2, reason, reportedBy: [1, 3, 4] })]);
  });

  it('to some only is named by those', async () => {
    await cluster.restart(2, { conduct: 'equivocating' });
    const { requestId } = await cluster.openedBy([1, 2, 3, 4], () => expectDecryption(6n));
    const faults = await cluster.namedFaults(requestId, 1);
    expect(faults).toEqual([
      expect.objectContaining({ index: 2, reason: 'WRONG_SHARE', reportedBy: [4] }),
    ]);
  });

  it('by silence is waited for in vain and not blamed', async () => {
    await cluster.restart(2, { conduct: 'silent' });
    const { requestId } = await expectDecryption(7n);
    expect(await cluster.faults(requestId, 0)).toEqual([]);
  });
});

describe('two operators that hold their shares back', () => {
  it('leave a request without a result, and the others say for whom they wait', async () => {
    await cluster.restart(3, { conduct: 'silent' });
    await cluster.restart(4, { conduct: 'silent' });
    const values = { scalar: 99n };
    const registered = await cluster.roundTrip.register(values);
    const requestId = await cluster.roundTrip.request(registered, values);
    for (const index of [1, 2]) {
      const view = await waitUntil(`operator ${index} waits for the silent ones`, async () => {
        const seen = await cluster.view(index, requestId);
        return seen?.state === 'opening' && seen.waitingFor.length === 2 ? seen : undefined;
      });
      expect(view.waitingFor).toEqual([3, 4]);
    }
    const gateway = await cluster.devnet.as(user);
    await expect(waitForDecryption(gateway, requestId, { timeoutMs: 1 })).rejects.toMatchObject({
      code: ClientErrorCode.WAIT_TIMED_OUT,
    });

    const { deadline } = await requestOf(gateway, requestId);
    const { timestamp } = await gateway.client.getBlock();
    const { control } = cluster.devnet.chain;
    await control.increaseTime({ seconds: deadline - Number(timestamp) + 1 });
    await control.mine({ blocks: 1 });
    await expect(
      waitForDecryption(gateway, requestId, { timeoutMs: 60_000 }),
    ).rejects.toMatchObject({ code: ClientErrorCode.REQUEST_EXPIRED });

    // Nor does it get one when they come to their senses too late.
    await cluster.restart(3);
    await cluster.restart(4);
    await expectDecryption(8n);
    expect((await requestOf(gateway, requestId)).state).toBe('Expired');
  });
});

describe('an operator that has lost its data', () => {
  it('says so, does not serve, and is not missed', async () => {
    const operator = cluster.operator(3);
    await operator.stop();
    operator.loseData();
    operator.start();
    const health = await operator.waitForHealth('missing its shares', ({ reasons }) =>
      reasons.includes('SHARES_MISSING'),
    );
    expect(health.status).toBe('degraded');
    expect(health.epochs).toEqual([
      expect.objectContaining({ epochId: cluster.epoch.epochId, index: 3, shares: false }),
    ]);
    const answer = await fetch(`${operator.endpoint}/readyz`);
    expect(answer.status).toBe(503);
    expect(operator.log()).toContain('"code":"SHARES_MISSING"');

    const { signers } = await expectDecryption(9n);
    expect(signers).toEqual([1, 2, 4]);
  });
});
