import { expect, it } from 'vitest';

import { answerHonestly, type Answering } from '../../../../workers/operator/context.ts';
import { collectShares } from '../../../../workers/operator/openings/collect.ts';
import { Openers } from '../../../../workers/operator/openings/openers.ts';
import { openThroughOpener } from '../../../../workers/operator/openings/open-through.ts';
import { OpenedValues } from '../../../../workers/operator/openings/opened-values.ts';
import { witnessCommitted } from '../../../../workers/operator/watchdog/witness.ts';
import * as keyGeneration from '../../../../workers/protocols/key-generation.ts';
import { littleEndian, seededBytes } from '../../sharing/reference.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee, testSignal, type TestOperator } from '../harness.ts';
import { compare, evidenceOf, offer, openingOf } from './opened.ts';

/** Rounds of openings at the same time, and openings in each. */
const ROUNDS = 6;
const OPENINGS = 4;

/**
 * Honest operators that come late, answer in any order, are restarted at any moment, lose shares and
 * collect the same again never have evidence against each other.
 */
it.each([1, 2, 3])('honest operators leave no evidence (%d)', async (seed) => {
  const bytes = seededBytes(`honest ${seed}`);
  const below = (limit: number): number => Number(littleEndian(bytes(8)) % BigInt(limit));
  const turns = async (most: number): Promise<void> => {
    for (let left = below(most); left > 0; left--) await new Promise(setImmediate);
  };
  const lingering: Answering['share'] = async (...question) => {
    await turns(40);
    return answerHonestly.share(...question);
  };
  const answering = { ...answerHonestly, share: lingering };
  const n = seed === 3 ? 7 : 4;
  const committee = await startCommittee(n, {
    deviations: Object.fromEntries(Array.from({ length: n }, (_, at) => [at + 1, { answering }])),
  });
  const { operators } = committee;

  /** What a restart takes: everything that is not in the store. */
  const restart = ({ context }: TestOperator): void => {
    context.boards.shares.clear();
    (context as { values: OpenedValues }).values = new OpenedValues();
  };
  /** One operator's part in an opening, in one way or another. */
  const take = async (operator: TestOperator, name: string): Promise<void> => {
    const { context, seat } = operator;
    const keyId = digestOf(name);
    const opening = openingOf(operator, keyId);
    await turns(30);
    await offer(operator, keyId);
    if (below(4) === 0) restart(operator);
    const signal = testSignal();
    const collecting = () => collectShares(context, seat(), keyId, opening, signal);
    if (below(3) > 0) await Promise.all([collecting(), collecting()]);
    else {
      const { share } = keyGeneration.share(opening, seat().randomness);
      const openers = new Openers(seat(), context.valuePatienceMs);
      await openThroughOpener(context, seat(), keyId, opening, share, openers, signal);
    }
    if (below(3) === 0) await collecting();
  };

  for (let round = 0; round < ROUNDS; round++) {
    const names = Array.from({ length: OPENINGS }, (_, at) => `${seed}/${round}/${at}`);
    await Promise.all(names.flatMap((name) => operators.map((operator) => take(operator, name))));
    for (const operator of operators) {
      const keyIds = names.map(digestOf);
      await compare(operator, ...keyIds);
      for (const left of operator.context.store.openings.toCompare(999))
        await witnessCommitted(operator.context, operator.seat(), left);
    }
  }
  for (const operator of operators) {
    expect(evidenceOf(operator)).toEqual([]);
    expect(operator.context.store.faults.list()).toEqual([]);
  }
});
