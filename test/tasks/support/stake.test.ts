import { custom, getAddress, keccak256, toHex, zeroAddress, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ClientErrorCode } from '../../../tasks/support/errors.ts';
import { listOffences } from '../../../tasks/support/evidence/collect.ts';
import { submitEvidence, submitOffence } from '../../../tasks/support/evidence/submit.ts';
import { openGateway, type Gateway } from '../../../tasks/support/gateway.ts';
import { listOperators } from '../../../tasks/support/registration.ts';
import {
  listConvictions,
  penaltiesOf,
  percent,
  treasuryOf,
} from '../../../tasks/support/slashing.ts';
import {
  beginUnbonding,
  collectOwed,
  owedTo,
  stakeOf,
  topUp,
  withdrawBond,
} from '../../../tasks/support/stake.ts';
import {
  equivocation,
  offenceId,
  signedResult,
  type Equivocation,
  type WrongShare,
} from '../../../workers/protocols/evidence.ts';
import { signRoot } from '../../contracts/support/evidence.ts';
import { operatorAccount, send } from '../../contracts/support/gateway.ts';
import { answering, fakeOperator, type Answer } from './fake-operator.ts';
import { realGateway, type RealGateway } from './real-gateway.ts';

let real: RealGateway;
let user: Gateway;
const hash = (name: string): Hex => keccak256(toHex(name));
const account = (index: number) => operatorAccount(index).address;
const SIGNATURE = `0x${'5a'.repeat(65)}` as const;

beforeAll(async () => {
  real = await realGateway();
  user = await real.as('user');
});

afterAll(async () => {
  await real?.[Symbol.asyncDispose]();
});

/** The deployment as an operator's owner sees it. */
const asOperator = (index: number): Promise<Gateway> =>
  openGateway({
    transport: custom(real.chain.client, { retryCount: 0 }),
    gateway: real.deployed.deployment.addresses.decryptionGateway,
    account: operatorAccount(index),
  });

async function twoRoots(index: number, opening: string): Promise<Equivocation> {
  const { deployment } = real.deployed;
  const subject = hash(opening);
  const [first, second] = await Promise.all(
    ['one', 'two'].map(async (name) => ({
      root: hash(name),
      signature: await signRoot(deployment, real.epochId, subject, index, hash(name)),
    })),
  );
  return equivocation(real.epochId, subject, index, first, second)!;
}

/** Answers as operators do. */
function holding(evidence: Equivocation): Answer {
  const { kind, epochId, subject, index } = evidence;
  const listed = { offenceId: offenceId(evidence), kind, epochId, subject, index, state: 'open' };
  const { slashingManager } = user;
  const found = { ...listed, chainId: String(user.chainId), slashingManager, evidence };
  return (request, response) =>
    answering(200, request.url === '/evidence' ? { evidence: [listed] } : found)(request, response);
}

test('an operator is slashed by what any other serves, and the beneficiary collects', async () => {
  const evidence = await twoRoots(2, 'opening');
  const id = offenceId(evidence);
  const beneficiary = getAddress(real.accountOf('outsider'));
  // The first operator serves what would not convict, under the same id.
  await using liar = await fakeOperator(
    holding({ ...evidence, first: { ...evidence.first, signature: SIGNATURE } }),
  );
  await using honest = await fakeOperator(holding(evidence));
  await real.moveOperator(1, liar.endpoint);
  await real.moveOperator(3, honest.endpoint);

  const { offences, unusable } = await listOffences(user);
  expect(offences).toMatchObject([{ offenceId: id, operator: account(2) }]);
  expect(offences[0].holders.map(({ operator }) => operator)).toEqual([account(1), account(3)]);
  expect(unusable.map(({ operator }) => operator)).toEqual([account(2), account(4)]);

  const before = await stakeOf(user, account(2));
  const conviction = await submitOffence(user, id, beneficiary);
  expect(conviction).toMatchObject({
    ...{ offenceId: id, kind: 'equivocation', operator: account(2), beneficiary },
    ...{ slashedWei: before.bondWei, rewardWei: before.bondWei / 20n, bondWei: 0n },
  });
  expect(await stakeOf(user, account(2))).toMatchObject({
    removed: true,
    eligible: false,
    bondWei: 0n,
  });
  expect(await listConvictions(user)).toEqual([conviction]);
  expect(await listConvictions(user, account(2))).toEqual([conviction]);
  expect(await listConvictions(user, account(1))).toEqual([]);
  expect((await listOperators(user)).map(({ removed }) => removed)).toEqual([
    ...[false, true, false, false],
  ]);
  expect((await treasuryOf(user)).owedWei).toBe(before.bondWei - conviction.rewardWei);

  // Again: nothing is sent, and the contract's word is handed on.
  const nonce = () => user.client.getTransactionCount({ address: real.accountOf('user') });
  const sent = await nonce();
  await expect(submitOffence(user, id, beneficiary)).rejects.toMatchObject({
    code: ClientErrorCode.EVIDENCE_REFUSED,
    message: expect.stringContaining('OperatorRegistryNothingToSlash') as string,
    metadata: {
      offenceId: id,
      errorName: 'SlashingManagerSignature, OperatorRegistryNothingToSlash',
    },
  });
  expect(await nonce()).toBe(sent);

  expect(await owedTo(user, beneficiary)).toBe(conviction.rewardWei);
  const outsider = await real.as('outsider');
  expect(await collectOwed(outsider)).toBe(conviction.rewardWei);
  expect(await collectOwed(outsider)).toBe(0n);
  await expect(topUp(await asOperator(2), 1n)).rejects.toMatchObject({
    code: ClientErrorCode.STAKE_STATE,
  });
});

test('what nobody serves, or would prove something else, is not submitted', async () => {
  await expect(submitOffence(user, hash('no offence'), account(1))).rejects.toMatchObject({
    code: ClientErrorCode.EVIDENCE_UNAVAILABLE,
  });
  const { epochId } = real;
  const request = { epochId, requestId: hash('request'), source: zeroAddress };
  const { decryptionGateway } = real.deployed.deployment.addresses;
  const index = 3;
  const elsewhere = signedResult(request, index, '0x12', SIGNATURE);
  const proof = { index, signature: SIGNATURE, chunk: '0x', path: [] } as const;
  const otherOpening: WrongShare = {
    ...{ kind: 'wrong-share' as const, epochId, subject: hash('opening'), index, position: 0 },
    opening: {
      ...{ itemPrefix: hash('item'), generations: hash('g'), parameterSetId: hash('set') },
      ...{ step: 1, digit: 0, galoisElement: 0, limbs: 1, width: 1, polynomials: 1 },
      positionsDigest: hash('all'),
    },
    ...{ accusers: [], accused: proof },
  };
  const refusals = [
    [elsewhere, /takes no requests of this deployment/],
    [{ ...elsewhere, source: decryptionGateway }, /the request is not one of the epoch/],
    [otherOpening, /another opening/],
    [{ ...otherOpening, epochId: hash('no epoch') }, /no epoch/],
  ] as const;
  for (const [evidence, message] of refusals)
    await expect(
      submitEvidence(user, offenceId(evidence), evidence, account(1)),
    ).rejects.toMatchObject({
      code: ClientErrorCode.EVIDENCE_REFUSED,
      message: expect.stringMatching(message) as string,
    });
});

test('penalties are in percent', async () => {
  const penalties = await penaltiesOf(user);
  expect(
    penalties.map(({ kind, ...one }) => [kind, percent(one.slashWad), percent(one.rewardWad)]),
  ).toEqual([
    ...['wrong-share', 'equivocation', 'wrong-result'].map((kind) => [kind, '100 %', '5 %']),
    ['wrong-contribution', '50 %', '5 %'],
  ]);
  expect(percent(12_500_000_000_000_000n)).toBe('1.25 %');
});

test('a bond grows, and leaves once the seat and the delay are over', async () => {
  const operator = await asOperator(4);
  const { bondWei, minimumBondWei } = await stakeOf(user, account(4));
  expect(await topUp(operator, 5n)).toBe(bondWei + 5n);
  expect(bondWei).toBe(minimumBondWei);
  // As on a network where nobody mints.
  await expect(topUp({ ...operator, chainId: 1n }, 5n)).rejects.toMatchObject({
    code: ClientErrorCode.INSUFFICIENT_FUNDS,
  });

  await expect(withdrawBond(operator)).rejects.toMatchObject({ code: ClientErrorCode.STAKE_STATE });
  expect(await beginUnbonding(operator)).toBe(0);
  await expect(beginUnbonding(operator)).rejects.toMatchObject({
    code: ClientErrorCode.STAKE_STATE,
    metadata: { state: 'Unbonding' },
  });
  await expect(withdrawBond(operator)).rejects.toMatchObject({
    code: ClientErrorCode.STAKE_LOCKED,
    metadata: { seats: 1 },
  });

  await send(real.chain, undefined, real.deployed.epochManager, 'retire', [real.epochId]);
  const { withdrawableAt } = await stakeOf(user, account(4));
  expect(withdrawableAt).toBeGreaterThan(0);
  await expect(withdrawBond(operator)).rejects.toMatchObject({
    code: ClientErrorCode.STAKE_LOCKED,
    metadata: { withdrawableAt },
  });
  await real.chain.networkHelpers.time.increaseTo(withdrawableAt);
  expect(await withdrawBond(operator)).toBe(bondWei + 5n);
  expect(await stakeOf(user, account(4))).toMatchObject({ state: 'Withdrawn', bondWei: 0n });
  await expect(topUp(user, 5n)).rejects.toMatchObject({
    code: ClientErrorCode.STAKE_STATE,
    metadata: { state: 'None' },
  });
});
