import { keccak256, toFunctionSelector, toHex, zeroHash, type Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';

import { operatorAccount } from '../../../contracts/support/gateway.ts';
import type { OperatorContext } from '../../../../workers/operator/context.ts';
import { Settled, Waiting } from '../../../../workers/operator/watchdog/submit.ts';
import { rankIn } from '../../../../workers/operator/watchdog/turns.ts';
import { watch } from '../../../../workers/operator/watchdog/watchdog.ts';
import { signedResult } from '../../../../workers/protocols/evidence.ts';
import { twins } from '../../../twins/answering.ts';
import { digestOf } from '../fake-chain.ts';
import { testSignal, type TestOperator } from '../harness.ts';
import { deployEpoch, type DeployedEpoch } from './on-chain.ts';
import { evidenceAt, openAll } from './opened.ts';

const LIAR = 2;
const keyId = digestOf('key');

let onChain: DeployedEpoch;
beforeEach(async () => {
  onChain = await deployEpoch(4);
});

/** A committee with evidence against one of it, at all others. */
async function withEvidence() {
  const deviations = { [LIAR]: { answering: twins['shifted'] } };
  const committee = await onChain.start({ deviations });
  await openAll(committee, keyId);
  const [{ evidence, id }] = await Promise.all(
    [1, 3, 4].map((index) => evidenceAt(committee.at(index), 'wrong-share')),
  );
  /** Indices in the order of their turns. */
  const order = [1, 3, 4].sort((a, b) => rankIn(4, id, LIAR, a) - rankIn(4, id, LIAR, b));
  return { ...committee, evidence, id, order };
}

/** Has an operator watch, with the real chain behind it. */
function watching(
  operator: TestOperator,
  changes: Partial<OperatorContext> = {},
  signal = testSignal(),
) {
  const context = { ...onChain.submitting(operator.context), ...changes };
  return watch(context, operator.chain, signal, 1);
}

const standing = ({ context }: TestOperator, id: Hex) => {
  const { state, why } = context.store.evidence.get(id)!;
  return { state, why };
};

async function settled(operator: TestOperator, id: Hex) {
  while (standing(operator, id).state !== 'settled') await new Promise(setImmediate);
  return standing(operator, id).why;
}

const sentBy = (index: number): Promise<number> =>
  onChain.chain.client.getTransactionCount({ address: operatorAccount(index).address });

const owedTo = (index: number): Promise<bigint> =>
  onChain.deployed.operatorRegistry.read.owedWei([operatorAccount(index).address]);

describe('a watchdog', () => {
  it('has the liar slashed and its own account rewarded', async () => {
    const { at, id, order } = await withEvidence();
    void watching(at(order[0]));
    expect(await settled(at(order[0]), id)).toBe(Settled.NO_BOND);
    expect(await onChain.convictionsOf(id)).toBe(1);
    expect(await onChain.bondOf(LIAR)).toBe(0n);
    expect(await owedTo(order[0])).toBeGreaterThan(0n);
    expect(at(order[0]).context.store.transactions.pending()).toEqual([]);
  });

  it('leaves it to those whose turn is before its own, so one transaction is enough', async () => {
    const { at, id, order } = await withEvidence();
    const before = await Promise.all(order.map(sentBy));
    // Long enough that nobody's turn comes but the first one's.
    for (const index of order) void watching(at(index), { submitDelayMs: 100_000 });
    await settled(at(order[0]), id);
    const after = await Promise.all(order.map(sentBy));
    expect(after.map((count, turn) => count - before[turn])).toEqual([1, 0, 0]);
    // The others learn of it when they look again.
    void watching(at(order[1]));
    expect(await settled(at(order[1]), id)).toBe(Settled.NO_BOND);
    expect(await sentBy(order[1])).toBe(before[1]);
  });

  it('takes its turn when the others are silent', async () => {
    const { at, id, order } = await withEvidence();
    void watching(at(order[2]), { submitDelayMs: 5 });
    expect(await settled(at(order[2]), id)).toBe(Settled.NO_BOND);
    expect(await owedTo(order[2])).toBeGreaterThan(0n);
  });

  it('submits once over a restart', async () => {
    const { at, id, order } = await withEvidence();
    const operator = at(order[0]);
    const before = await sentBy(order[0]);
    // It signs and journals, and cannot send.
    const sendRawTransaction = () => Promise.reject(new TypeError('the network is down'));
    const client = { ...onChain.gateway.client, sendRawTransaction };
    const gateway = { ...onChain.gateway, client: client as typeof onChain.gateway.client };
    const dying = onChain.submitting(operator.context, gateway);
    const over = new AbortController();
    const first = watch(dying, operator.chain, over.signal, 1);
    while (operator.context.store.transactions.pending().length === 0)
      await new Promise(setImmediate);
    over.abort();
    await first;
    expect(standing(operator, id).state).toBe('submitted');
    void watching(operator);
    expect(await settled(operator, id)).toBe(Settled.NO_BOND);
    expect(await sentBy(order[0])).toBe(before + 1);
  });

  it('sends nothing about an operator whose bond is gone', async () => {
    const { at, id, order, evidence } = await withEvidence();
    const { store } = at(order[0]).context;
    const other = { ...evidence, subject: digestOf('another opening') };
    store.evidence.keep(other);
    await onChain.submit(evidence);
    const before = await sentBy(order[0]);
    void watching(at(order[0]));
    await settled(at(order[0]), id);
    const states = () => store.evidence.list(9).map(({ why }) => why);
    while (states().includes(undefined)) await new Promise(setImmediate);
    expect(states().sort()).toEqual([Settled.NO_BOND, Settled.NO_BOND]);
    expect(await sentBy(order[0])).toBe(before);
  });

  it('goes on with the next offence where a part of the bond is left', async () => {
    const half = 5n * 10n ** 17n;
    await onChain.deployed.slashingManager.write.setPenalty([0, half, 0n]);
    const committee = await withEvidence();
    const { at, id, order } = committee;
    const operator = at(order[0]);
    const bondWei = await onChain.bondOf(LIAR);
    await openAll(committee, digestOf('second key'));
    const { evidence } = operator.context.store;
    while (evidence.count('open') < 2) await new Promise(setImmediate);
    void watching(operator, { submitDelayMs: 0 });
    expect(await settled(operator, id)).toBe(Settled.PUNISHED);
    while (evidence.count('settled') < 2) await new Promise(setImmediate);
    expect(evidence.list(9).map(({ why }) => why)).toEqual([Settled.PUNISHED, Settled.PUNISHED]);
    expect(await onChain.bondOf(LIAR)).toBe(bondWei - bondWei / 2n - bondWei / 4n);
  });

  it('never sends what the contract would reject, and says so as an error', async () => {
    const { at, id, order, evidence } = await withEvidence();
    const operator = at(order[0]);
    const before = await sentBy(order[0]);
    const { store } = operator.context;
    if (evidence.kind !== 'wrong-share') throw new TypeError('not a wrong share');
    // What a mistake would make: an honest operator's share as that of the accused.
    const framed = { ...evidence, subject: zeroHash, accused: evidence.accusers[0] };
    store.evidence.keep(framed);
    const [{ offenceId: wrong }] = store.evidence.list(1);
    store.evidence.advance(id, 'settled', 'left out');
    void watching(operator);
    while (standing(operator, wrong).state === 'open') await new Promise(setImmediate);
    expect(standing(operator, wrong)).toEqual({
      state: 'hopeless',
      why: 'SlashingManagerAccusers',
    });
    expect(operator.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(await sentBy(order[0])).toBe(before);
    expect(await onChain.bondOf(LIAR)).toBeGreaterThan(0n);
  });

  it.each([
    ['cost more', { maxCostWei: 1n, minRewardWei: 0n }, Waiting.COST_ABOVE_LIMIT],
    [
      'bring less',
      { maxCostWei: 10n ** 18n, minRewardWei: 10n ** 30n },
      Waiting.REWARD_BELOW_LIMIT,
    ],
  ])('sends nothing that would %s than its terms say', async (_, evidenceTerms, why) => {
    const { at, id, order } = await withEvidence();
    const operator = at(order[0]);
    const before = await sentBy(order[0]);
    const over = new AbortController();
    const watched = watching(operator, { evidenceTerms }, over.signal);
    while (standing(operator, id).why === undefined) await new Promise(setImmediate);
    expect(standing(operator, id)).toEqual({ state: 'open', why });
    const warned = operator.lines.filter(({ fields }) => fields['waitsFor'] === why);
    expect(warned).toMatchObject([{ level: 'warn', fields: evidenceTerms }]);
    expect(await sentBy(order[0])).toBe(before);
    over.abort();
    await watched;
    // With other terms it goes, and says so.
    void watching(operator);
    expect(await settled(operator, id)).toBe(Settled.NO_BOND);
  });
});

describe('a signed result', () => {
  const requestId = digestOf('request');
  const recorded = digestOf('right');
  const source = '0x00000000000000000000000000000000000000a1';

  /** An operator with evidence of what others signed, of a request that is not answered yet. */
  async function withResults(results: Readonly<Record<number, Hex>>) {
    const committee = await onChain.start();
    const { at, epochId, chain } = committee;
    const request = { epochId, requestId, source } as const;
    for (const [index, result] of Object.entries(results))
      at(1).context.store.evidence.keep(
        signedResult(request, Number(index), result, `0x${'5a'.repeat(65)}`),
      );
    chain.emit({
      eventName: 'PublicDecryptionRequested',
      args: { requestId, epochId, handles: [], positions: [], deadline: 0n },
    });
    const simulated: unknown[] = [];
    const call = (request: { data?: Hex }) => {
      simulated.push(request.data?.slice(0, 10));
      return Promise.reject(new TypeError('the network is down'));
    };
    const gateway = {
      ...onChain.gateway,
      client: { ...onChain.gateway.client, call } as unknown as typeof onChain.gateway.client,
    };
    const context = onChain.submitting(at(1).context, gateway);
    void watch({ ...context, submitDelayMs: 0 }, at(1).chain, testSignal(), 1);
    const record = () =>
      chain.emit({ eventName: 'PublicDecryptionResponded', args: { requestId, result: recorded } });
    return { ...committee, simulated, record };
  }

  it('waits until a result is recorded; that it is another one makes it evidence', async () => {
    const { at, simulated, record } = await withResults({ 2: digestOf('wrong') });
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(simulated).toEqual([]);
    record();
    while (simulated.length === 0) await new Promise(setImmediate);
    const proveWrongResult = toFunctionSelector(
      'proveWrongResult(address,bytes32,uint8,bytes32,bytes,address)',
    );
    expect(simulated[0]).toBe(proveWrongResult);
    // An endpoint that is down says nothing about it.
    expect(at(1).context.store.evidence.list(9)).toMatchObject([{ index: 2, state: 'open' }]);
  });

  it('is nothing if it is the recorded one: it was this operator that had another', async () => {
    const { at, simulated, record } = await withResults({ 3: recorded });
    record();
    const { evidence } = at(1).context.store;
    while (evidence.count('open') > 0) await new Promise(setImmediate);
    expect(evidence.list(9)).toMatchObject([{ state: 'settled', why: Settled.RESULT_RIGHT }]);
    expect(simulated).toEqual([]);
  });
});

describe('turns', () => {
  it('are one each for all but the accused, in an order of the offence', () => {
    const orders = new Set<string>();
    for (let draw = 0; draw < 40; draw++) {
      const id = keccak256(toHex(`offence ${draw}`));
      const ranks = [1, 3, 4, 5, 6, 7].map((index) => rankIn(7, id, 2, index));
      expect([...ranks].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      orders.add(ranks.join());
    }
    expect(orders.size).toBeGreaterThan(30);
  });
});
