import { getAddress, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { requestPublicDecryption } from '../../../tasks/support/decryptions.ts';
import { ClientErrorCode } from '../../../tasks/support/errors.ts';
import { requestEvaluationKeys } from '../../../tasks/support/evaluation-keys.ts';
import { earningsOf, quoteOf, quotesOf } from '../../../tasks/support/fees.ts';
import type { Gateway } from '../../../tasks/support/gateway.ts';
import { labelOf, requestKey } from '../../../tasks/support/keys.ts';
import {
  amountText,
  depositFees,
  depositOf,
  feeTokenOf,
  walletBalanceOf,
  withdrawFees,
  type Token,
} from '../../../tasks/support/payments.ts';
import { recordOf, unsettledRequests } from '../../../tasks/support/requests.ts';
import { describeFee } from '../../../tasks/status/fee.ts';
import { encrypt } from '../../../sdk/index.ts';
import { registerCiphertext } from '../../../tasks/support/ciphertexts.ts';
import { Operation } from '../../../workers/sharing/ids.ts';
import {
  firstMembers,
  operatorAccount,
  send,
  signaturesOf,
} from '../../contracts/support/gateway.ts';
import { realGateway, SET, type RealGateway } from './real-gateway.ts';

let real: RealGateway;
let governor: Gateway;
let user: Gateway;
let token: Token;
let keyId: Hex;
/** Of the user. */
let handle: Hex;
let payer: `0x${string}`;

beforeAll(async () => {
  real = await realGateway();
  governor = await real.as('governor');
  user = await real.as('user');
  payer = real.accountOf('user');
  token = await feeTokenOf(governor);
  const key = await real.makeKey('key');
  ({ keyId } = key);
  const bytes = encrypt(SET, key.publicKey, { scalar: 1n });
  ({ handle } = await registerCiphertext(governor, { keyId, bytes, owner: payer }));
});

afterAll(async () => {
  await real?.[Symbol.asyncDispose]();
});

const decrypt = (by: Gateway, said: string[] = []): Promise<Hex> =>
  requestPublicDecryption(by, {
    handles: [handle],
    positions: [0],
    onProgress: (text) => said.push(text),
  });
const deposit = (account = payer) => depositOf(governor, account);
const wallet = (account = payer) => walletBalanceOf(governor, token, account);
const fee = () => quoteOf(governor, Operation.publicDecryption, 1);

async function answer(requestId: Hex): Promise<void> {
  const { deployment, decryptionGateway } = real.deployed;
  const message = { epochId: real.epochId, requestId, result: '0x0000000000000001' } as const;
  const signatures = await signaturesOf(
    deployment,
    { type: 'Result', contract: 'decryptionGateway', message },
    3,
  );
  await send(real.chain, operatorAccount(1), decryptionGateway, 'respond', [
    ...[requestId, message.result, firstMembers(3), signatures],
  ]);
}

describe('the fee of a request', () => {
  test('is minted on a local network, and deposited exactly', async () => {
    expect([await deposit(), await wallet()]).toEqual([0n, 0n]);
    const said: string[] = [];
    const requestId = await decrypt(user, said);
    expect(said).toEqual(['the fee is 0.01 DEVNET, the deposit 0 DEVNET: depositing 0.01 DEVNET']);
    expect([await deposit(), await wallet()]).toEqual([0n, 0n]);
    expect(await recordOf(user, 'decryptionGateway', requestId)).toMatchObject({
      ...{ state: 'Pending', operation: Operation.publicDecryption, epochId: real.epochId },
      ...{
        feeWei: await fee(),
        account: getAddress(payer),
        signers: [],
      },
    });
  });

  test('comes out of the deposit first, then out of the wallet, and only the rest is minted', async () => {
    const half = (await fee()) / 2n;
    await depositFees(user, { token, account: payer, amountWei: half });
    await real.deployed.bondToken.write.mint([payer, 7n]);
    const said: string[] = [];
    await decrypt(user, said);
    expect(said).toEqual([
      'the fee is 0.01 DEVNET, the deposit 0.005 DEVNET: depositing 0.005 DEVNET',
    ]);
    expect([await deposit(), await wallet()]).toEqual([0n, 0n]);
    await depositFees(user, { token, account: payer, amountWei: 2n * half + 1n });
    await decrypt(user, said);
    expect(said).toHaveLength(1);
    expect([await deposit(), await wallet()]).toEqual([1n, 0n]);
    await withdrawFees(user, 1n);
  });

  test('that nobody can pay is refused with what is missing', async () => {
    // As on a network where nobody mints.
    const elsewhere = { ...user, chainId: 1n };
    await real.deployed.bondToken.write.mint([payer, 5n]);
    await expect(decrypt(elsewhere)).rejects.toMatchObject({
      code: ClientErrorCode.FEE_UNAFFORDABLE,
      advice: expect.stringContaining(token.address) as string,
      metadata: { walletWei: 6n, amountWei: await fee(), missingWei: (await fee()) - 6n },
    });
    expect([await deposit(), await wallet()]).toEqual([0n, 6n]);
  });

  test('is not deposited for what is refused anyway', async () => {
    const outsider = await real.as('outsider');
    await expect(decrypt(outsider)).rejects.toMatchObject({ code: ClientErrorCode.NOT_AUTHORISED });
    expect(await deposit(real.accountOf('outsider'))).toBe(0n);
  });

  test('is what was quoted', async () => {
    const quotes = await quotesOf(governor, SET, { handles: 1, steps: [1, -1] });
    const quoted = (what: string) => quotes.find((quote) => quote.what === what)!.feeWei;
    const charged = async (...[contract, id]: [Parameters<typeof recordOf>[1], Hex]) =>
      (await recordOf(governor, contract, id)).feeWei;
    const one = await decrypt(user);
    const requestId = await requestPublicDecryption(user, { handles: [handle] });
    const label = labelOf('quoted');
    const key = await requestKey(governor, { epochId: real.epochId, set: SET, label });
    const relin = await requestEvaluationKeys(governor, { kind: 'relinearization', keyId });
    const elements = [3, 5];
    const galois = await requestEvaluationKeys(governor, { kind: 'galois', keyId, elements });
    expect([
      await charged('decryptionGateway', one),
      await charged('decryptionGateway', requestId),
      await charged('keyManager', key.keyId),
      await charged('evaluationKeyManager', relin.requestId),
      await charged('evaluationKeyManager', galois.requestId),
    ]).toEqual([
      quoted('decryption of one coefficient of one ciphertext'),
      quoted('decryption of one ciphertext'),
      quoted('key'),
      quoted('relinearization key'),
      quoted('Galois keys of 2 elements'),
    ]);
    for (const { feeWei } of quotes) expect(feeWei).toBeGreaterThan(0n);
  });
});

describe('a balance', () => {
  test('is deposited for others, and not withdrawn beyond what is there', async () => {
    const outsider = real.accountOf('outsider');
    await depositFees(governor, { token, account: outsider, amountWei: 10n });
    expect(await deposit(outsider)).toBe(10n);
    const by = await real.as('outsider');
    await expect(withdrawFees(by, 11n)).rejects.toMatchObject({
      code: ClientErrorCode.FEE_UNAFFORDABLE,
    });
    await withdrawFees(by, 10n);
    expect([await deposit(outsider), await wallet(outsider)]).toEqual([0n, 10n]);
  });

  test('of an operator grows by what it serves, once that is settled', async () => {
    const requestId = await decrypt(user);
    const others = await unsettledRequests(governor);
    expect(others.map(({ id }) => id)).not.toContain(requestId);
    const described = async () =>
      (await describeFee(governor, 'decryptionGateway', requestId)).lines;
    expect(await described()).toEqual(['fee 0.01 DEVNET: in escrow']);
    const [first, second] = [1, 2].map((index) => operatorAccount(index).address);
    const before = {
      first: await earningsOf(governor, first),
      second: await earningsOf(governor, second),
    };
    await answer(requestId);
    const answered = await unsettledRequests(governor);
    expect(answered.map(({ id }) => id)).toEqual([...others.map(({ id }) => id), requestId]);
    expect(await described()).toEqual([
      expect.stringMatching(/^fee 0\.01 DEVNET: to be settled once attestations end, /),
      'served by operators 1, 2, 3',
    ]);
    // 30 of 100 quanta are for the submitter, who gets what does not divide, too.
    const [feeWei, quantum] = [await fee(), 10n ** 14n];
    const each = (feeWei - 30n * quantum) / 3n;
    const pending = {
      first: await earningsOf(governor, first),
      second: await earningsOf(governor, second),
    };
    expect(pending.second!.unsettledWei - before.second!.unsettledWei).toBe(each);
    expect(pending.first!.unsettledWei - before.first!.unsettledWei).toBe(feeWei - 2n * each);
    expect(pending.second!.unsettledRequests - before.second!.unsettledRequests).toBe(1);

    await real.chain.networkHelpers.time.increase(3_601);
    const { decryptionGateway } = real.deployed;
    await send(real.chain, undefined, decryptionGateway, 'settle', [[requestId]]);
    expect(await described()).toEqual(['fee 0.01 DEVNET: settled', 'served by operators 1, 2, 3']);
    const paid = await earningsOf(governor, second);
    expect(paid).toEqual({
      ...before.second,
      balanceWei: before.second!.balanceWei + each,
    });
    expect(await deposit(first)).toBe(before.first!.balanceWei + feeWei - 2n * each);
    expect(await earningsOf(governor, payer)).toBeUndefined();
  });

  test('of a payer gets back what was not answered, but for what is retained', async () => {
    const before = await deposit();
    const requestId = await decrypt(user);
    await real.chain.networkHelpers.time.increase(3_601);
    const described = async () =>
      (await describeFee(governor, 'decryptionGateway', requestId)).lines;
    expect(await described()).toEqual(['fee 0.01 DEVNET: to be refunded']);
    const { decryptionGateway } = real.deployed;
    await send(real.chain, undefined, decryptionGateway, 'expire', [[requestId]]);
    expect(await described()).toEqual(['fee 0.01 DEVNET: refunded']);
    expect((await deposit()) - before).toBe(((await fee()) * 9n) / 10n);
  });
});

test('amounts are in tokens', () => {
  expect(amountText(token, 1_234_500_000_000_000_000n)).toBe('1.2345 DEVNET');
});
