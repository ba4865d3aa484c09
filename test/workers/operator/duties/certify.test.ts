import { concat, hexToBytes, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import {
  collectQuorum,
  resultKey,
  waitForTurn,
} from '../../../../workers/operator/duties/certify.ts';
import {
  answerHonestly,
  isSignedBy,
  sign,
  type Answering,
} from '../../../../workers/operator/context.ts';
import { signedResult } from '../../../../workers/protocols/evidence.ts';
import { twins } from '../../../twins/answering.ts';
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
    ({
      type: 'Result',
      contract: 'decryptionGateway',
      message: { epochId, requestId, result: bytes },
    }) as const;
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
  const own = { signature, result: hexToBytes(result), statement: statementOf(at(index)) };
  results.publish(resultKey(epochId, requestId), own);
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

describe('a peer that signs another result', () => {
  const evidenceAt = ({ context }: TestOperator) => {
    const { evidence } = context.store;
    return evidence.list(9).map(({ offenceId }) => evidence.get(offenceId)?.evidence);
  };

  it('leaves evidence at all others, although there is a quorum without it', async () => {
    const { at, epochId } = await startCommittee(4, {
      deviations: { 2: { answering: twins['wrong-result'] } },
    });
    await Promise.all([1, 2, 3, 4].map((index) => certify(at(index))));
    const wrong: Hex = `0x${result.slice(2, -2)}${(Number(`0x${result.slice(-2)}`) ^ 1).toString(16).padStart(2, '0')}`;
    const signature = await sign(at(2).context, statementOf(at(2))(wrong));
    const source = at(1).context.gateway.addresses.decryptionGateway;
    const expected = signedResult({ epochId, requestId, source }, 2, wrong, signature);
    for (const index of [1, 3, 4]) {
      while (evidenceAt(at(index)).length === 0) await new Promise(setImmediate);
      expect(evidenceAt(at(index))).toEqual([expected]);
    }
    expect(evidenceAt(at(2))).toEqual([]);
  });

  it('leaves it also when its answer comes after the quorum, and the job is over', async () => {
    const certified = Promise.withResolvers<void>();
    const late: Answering = {
      ...answerHonestly,
      result: async (...question) => {
        await certified.promise;
        return twins['wrong-result'].result(...question);
      },
    };
    const { at } = await startCommittee(4, { deviations: { 2: { answering: late } } });
    const job = new AbortController();
    void certify(at(2));
    await Promise.all([1, 3, 4].map((index) => certify(at(index), result, job.signal)));
    expect(evidenceAt(at(1))).toEqual([]);
    job.abort(stopped());
    certified.resolve();
    while (evidenceAt(at(1)).length === 0) await new Promise(setImmediate);
    expect(evidenceAt(at(1))).toMatchObject([{ kind: 'wrong-result', index: 2 }]);
  });

  it('leaves none without a signature of its own', async () => {
    const committee = await startCommittee(4);
    const { at } = committee;
    offer(committee, 2, await sign(at(3).context, statementOf(at(3))(digestOf('another'))));
    await Promise.all([1, 3, 4].map((index) => certify(at(index))));
    while (!at(1).lines.some(({ message }) => message === 'result with a wrong signature'))
      await new Promise(setImmediate);
    expect(evidenceAt(at(1))).toEqual([]);
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
