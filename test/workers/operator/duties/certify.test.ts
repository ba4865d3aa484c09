import { concat, hexToBytes, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import {
  collectQuorum,
  resultKey,
  waitForTurn,
} from '../../../../workers/operator/duties/certify.ts';
import { isSignedBy, sign } from '../../../../workers/operator/context.ts';
import { digestOf } from '../fake-chain.ts';
import {
  signerAccount,
  startCommittee,
  stopped,
  testSignal,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';

const requestId = digestOf('request');
const result = digestOf('result');

function statementOf({ seat }: TestOperator) {
  const { epochId } = seat().session;
  return (bytes: Hex) =>
    ({ type: 'PublicDecryptionResult', message: { epochId, requestId, result: bytes } }) as const;
}

/** An operator's part in certifying what it takes for the result. */
function certify(operator: TestOperator, bytes: Hex = result, signal = testSignal()) {
  const { context, seat } = operator;
  context.progress.begin(requestId, 'decryption');
  const statement = statementOf(operator);
  const quorum = collectQuorum(context, seat(), requestId, hexToBytes(bytes), statement, signal);
  quorum.catch(() => undefined);
  return quorum;
}

/** Offers a result of the right length with a signature of any kind. */
function offer({ at, epochId }: TestCommittee, index: number, signature: Hex): void {
  const { results } = at(index).context.boards;
  results.publish(resultKey(epochId, requestId), { signature, result: hexToBytes(result) });
}

describe('operators', () => {
  it.each([4, 7])('of %d collect 2t+1 signatures, in ascending order of index', async (n) => {
    const committee = await startCommittee(n);
    const { operators, at } = committee;
    const quorums = await Promise.all(operators.map((operator) => certify(operator)));
    const signatures = await Promise.all(
      operators.map((operator) => sign(operator.context, statementOf(operator)(result))),
    );
    for (const { signerBitmap, signatures: given } of quorums) {
      const signers = operators.filter(({ index }) => (signerBitmap >> BigInt(index - 1)) & 1n);
      expect(signers).toHaveLength(at(1).seat().session.committee.quorum);
      expect(given).toBe(concat(signers.map(({ index }) => signatures[index - 1])));
    }
  });

  it('leave out one that has another result', async () => {
    const { at } = await startCommittee(4);
    void certify(at(2), digestOf('another result'));
    const quorums = await Promise.all([1, 3, 4].map((index) => certify(at(index))));
    expect(quorums.map(({ signerBitmap }) => signerBitmap)).toEqual([0b1101n, 0b1101n, 0b1101n]);
  });

  it('leave out one whose result has another length', async () => {
    const { at } = await startCommittee(4);
    void certify(at(2), '0x01');
    const quorums = await Promise.all([1, 3, 4].map((index) => certify(at(index))));
    expect(quorums.map(({ signerBitmap }) => signerBitmap)).toEqual([0b1101n, 0b1101n, 0b1101n]);
  });

  it.each<[string, (operator: TestOperator) => Promise<Hex>]>([
    [
      'of somebody else',
      (operator) => {
        const context = { ...operator.context, account: signerAccount(1) };
        return sign(context, statementOf(operator)(result));
      },
    ],
    [
      'of another result',
      (operator) => sign(operator.context, statementOf(operator)(digestOf('another'))),
    ],
    [
      'in another form',
      async (operator) => {
        const signature = await sign(operator.context, statementOf(operator)(result));
        // v of 0 and 1 recovers the same signer elsewhere; the contracts refuse it.
        const v = Number(`0x${signature.slice(-2)}`) - 27;
        return `${signature.slice(0, -2)}0${v}` as Hex;
      },
    ],
  ])('leave out one whose signature is %s', async (_, signatureOf) => {
    const committee = await startCommittee(4);
    const { at } = committee;
    offer(committee, 2, await signatureOf(at(2)));
    const quorums = await Promise.all([1, 3, 4].map((index) => certify(at(index))));
    expect(quorums.map(({ signerBitmap }) => signerBitmap)).toEqual([0b1101n, 0b1101n, 0b1101n]);
  });

  it('say so when too few sign the same, and wait until they are told to stop', async () => {
    const { at } = await startCommittee(4);
    const stop = new AbortController();
    const quorum = certify(at(1), result, stop.signal);
    void certify(at(2));
    for (const index of [3, 4]) void certify(at(index), digestOf('another result'));
    const { progress } = at(1).context;
    while (progress.get(requestId)?.error === undefined) await new Promise(setImmediate);
    expect(progress.get(requestId)?.error).toBe('TOO_FEW_SIGNATURES');
    stop.abort(stopped());
    await expect(quorum).rejects.toMatchObject(stopped());
  });
});

describe('a signature', () => {
  it('is checked against the signer of the index', async () => {
    const { at } = await startCommittee(4);
    const { context, seat } = at(1);
    const statement = statementOf(at(1))(result);
    const signature = await sign(at(3).context, statement);
    const signed = await Promise.all(
      [1, 2, 3, 4].map((index) => isSignedBy(context, seat(), index, statement, signature)),
    );
    expect(signed).toEqual([false, false, true, false]);
    expect(await isSignedBy(context, seat(), 3, statement, '0x')).toBe(false);
  });
});

describe('turns', () => {
  it('start with the operator that the id names and go round', async () => {
    const { operators } = await startCommittee(4);
    const pausesFrom = async (id: Hex): Promise<number[]> => {
      const order: number[] = [];
      const submitDelayMs = 40;
      await Promise.all(
        operators.map(async ({ context, seat, index }) => {
          await waitForTurn({ ...context, submitDelayMs }, seat(), id, testSignal());
          order.push(index);
        }),
      );
      return order;
    };
    expect(await pausesFrom(`0x${'00'.repeat(31)}06`)).toEqual([3, 4, 1, 2]);
    expect(await pausesFrom(`0x${'00'.repeat(31)}04`)).toEqual([1, 2, 3, 4]);
  });
});
