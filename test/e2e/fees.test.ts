import type { Address, Hex } from 'viem';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { governor, user } from '../../devnet/accounts.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { requestPublicDecryption, waitForDecryption } from '../../tasks/support/decryptions.ts';
import { depositOf } from '../../tasks/support/payments.ts';
import { recordOf, unsettledRequests, type RequestRecord } from '../../tasks/support/requests.ts';
import { send } from '../../tasks/support/transactions.ts';
import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { Cluster } from './cluster.ts';

// Four real operators that look after their fees; each test goes on where the one before has left them.

/** Of deploy/parameters/devnet.json: how long operators may attest, and how long they may answer. */
const ATTESTATION_SECONDS = 60;
const RESPONSE_SECONDS = 3_600;
const SALT: Hex = `0x${'5a'.repeat(32)}`;
const QUANTUM_WEI = 10n ** 14n;
/** What the submitter of an answer gets first. */
const REIMBURSED_WEI = 30n * QUANTUM_WEI;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4);
});
afterAll(() => cluster?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

/** Moves the chain's clock: what the contracts judge by, and so what the operators do. */
async function pass(seconds: number): Promise<void> {
  const { control } = cluster.devnet.chain;
  await control.increaseTime({ seconds });
  await control.mine({ blocks: 1 });
}

const balances = (accounts: readonly Address[]): Promise<bigint[]> =>
  Promise.all(accounts.map((account) => depositOf(cluster.governor, account)));
const owners = (): Address[] => cluster.members.map(({ operator }) => operator);
const signers = (): Address[] => cluster.members.map(({ signer }) => signer);
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

async function when(
  what: string,
  request: Parameters<typeof recordOf>[1],
  id: Hex,
  accept: (record: RequestRecord) => boolean,
): Promise<RequestRecord> {
  return waitUntil(what, async () => {
    const record = await recordOf(cluster.governor, request, id);
    return accept(record) ? record : undefined;
  });
}

const everythingIsSettled = (): Promise<true> =>
  waitUntil('everything is settled', async () => {
    const left = await unsettledRequests(cluster.governor);
    return left.length === 0 ? true : undefined;
  });

it('pay the one that was left out of an answer the same as the others', async () => {
  const { requestId, signers: signed } = await cluster.roundTrip.run({ scalar: 7n });
  expect(signed).toHaveLength(3);
  await pass(ATTESTATION_SECONDS / 2);
  const everybody = ({ signers: served }: RequestRecord): boolean => served.length === 4;
  const key = await when('all attest to the key', 'keyManager', cluster.keyId, everybody);
  const answer = await when('all attest', 'decryptionGateway', requestId, everybody);
  expect(await balances([...owners(), ...signers()])).toEqual(Array(8).fill(0n));

  await pass(ATTESTATION_SECONDS);
  const isSettled = ({ account }: RequestRecord): boolean => account === undefined;
  await when('the key is settled', 'keyManager', cluster.keyId, isSettled);
  await when('the decryption is settled', 'decryptionGateway', requestId, isSettled);
  const each = (key.feeWei - REIMBURSED_WEI) / 4n + (answer.feeWei - REIMBURSED_WEI) / 4n;
  // Beside their parts, whoever submitted the two answers has a reimbursement for the gas of each.
  const reimbursed = (await balances(owners())).map((balance) => balance - each);
  for (const extra of reimbursed) expect(extra % REIMBURSED_WEI).toBe(0n);
  expect(sum(reimbursed)).toBe(2n * REIMBURSED_WEI);
  expect(await balances(signers())).toEqual([0n, 0n, 0n, 0n]);
  expect(await unsettledRequests(cluster.governor)).toEqual([]);
  const settledBy = cluster.operators.filter((one) => one.log().includes('"work":"settle"'));
  expect(settledBy.length).toBeGreaterThan(0);
});

it('give back what was paid for a request that nobody answers, and take it again', async () => {
  const gateway = await cluster.devnet.as(user);
  const { handle } = await cluster.roundTrip.register({ scalar: 8n });
  for (const index of [3, 4]) await cluster.operator(index).stop();
  const asked = { handles: [handle], positions: [0], salt: SALT };
  const [before, treasury] = await balances([user.address, governor.address]);
  const requestId = await requestPublicDecryption(gateway, asked);
  const { feeWei } = await recordOf(gateway, 'decryptionGateway', requestId);
  expect(await balances([user.address])).toEqual([before - feeWei]);

  await pass(RESPONSE_SECONDS + 1);
  const isRefunded = ({ state, account }: RequestRecord): boolean =>
    state === 'Expired' && account === undefined;
  await when('the fee is refunded', 'decryptionGateway', requestId, isRefunded);
  // A tenth is retained: what cannot be answered must cost something.
  expect(await balances([user.address, governor.address])).toEqual([
    before - feeWei / 10n,
    treasury + feeWei / 10n,
  ]);

  for (const index of [3, 4]) {
    cluster.operator(index).start();
    await cluster.operator(index).waitHealthy();
  }
  expect(await requestPublicDecryption(gateway, asked)).toBe(requestId);
  const { plaintexts } = await waitForDecryption(gateway, requestId, { timeoutMs: 60_000 });
  expect(plaintexts[0]?.coefficients).toEqual([8n]);
});

it('attest and settle after a restart of all of them', async () => {
  await pass(2 * ATTESTATION_SECONDS);
  await everythingIsSettled();
  const before = await balances(owners());
  // So long that nothing is attested to before, however slow this machine is.
  const seconds = 36_000;
  await send(cluster.governor, {
    address: cluster.governor.addresses.decryptionGateway,
    abi: decryptionGatewayAbi,
    functionName: 'setWindows',
    args: [BigInt(RESPONSE_SECONDS), BigInt(seconds)],
  });
  const { requestId } = await cluster.roundTrip.run({ scalar: 9n });
  await waitUntil('all have the result', async () => {
    const views = await cluster.views(requestId);
    const states = views.map((view) => ('answer' in view ? view.answer?.state : undefined));
    return states.every((state) => state === 'recorded') ? true : undefined;
  });
  for (const operator of cluster.operators) await operator.stop();
  expect((await recordOf(cluster.governor, 'decryptionGateway', requestId)).signers).toHaveLength(
    3,
  );
  const log = () => cluster.operators.map((operator) => operator.log()).join('\n');
  const attested = log().split('"work":"attest"').length;
  for (const operator of cluster.operators) operator.start();
  for (const operator of cluster.operators) await operator.waitHealthy();

  const { deadline } = await recordOf(cluster.governor, 'decryptionGateway', requestId);
  const { timestamp } = await cluster.governor.client.getBlock();
  await pass(deadline - Number(timestamp) - 25);
  await when('all attest', 'decryptionGateway', requestId, (record) => record.signers.length === 4);
  await pass(ATTESTATION_SECONDS);
  await everythingIsSettled();
  expect(log().split('"work":"attest"')).toHaveLength(attested + 1);
  const earned = (await balances(owners())).map((balance, at) => balance - before[at]);
  const least = earned.reduce((a, b) => (a < b ? a : b));
  expect(least).toBeGreaterThan(0n);
  // All the same, but for the gas of the one answer.
  expect(earned.map((one) => one - least).sort()).toEqual([0n, 0n, 0n, REIMBURSED_WEI]);
});
