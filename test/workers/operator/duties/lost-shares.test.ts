import type { Hex } from 'viem';
import { expect, it } from 'vitest';

import { generateEvaluationKeys } from '../../../../workers/operator/duties/evaluation-key-job.ts';
import { entriesOf } from '../../../../workers/protocols/evaluation-keys.ts';
import type { Step } from '../../../../workers/protocols/opening.ts';
import { digestOf } from '../fake-chain.ts';
import { testSignal } from '../harness.ts';
import { finished, keyId, LATER, set, startWithKey, until } from './at-work.ts';

const requestId = digestOf('evaluation keys');
const elements = [3, 2047];
const zero: Hex = `0x${'00'.repeat(32)}`;

it('shares of finished entries that a power cut has taken are offered again', async () => {
  const { at, chain, epochId } = await startWithKey();
  const args = { requestId, epochId, keyId, requester: '0x', deadline: LATER, elements };
  chain.emit({
    eventName: 'EvaluationKeysRequested',
    args: { ...args, kind: 2, targetKeyId: zero },
  });
  const entry = () => at(1).chain.now.evaluationKeys.get(requestId)!;
  await until(at(1), () => entry().state === 'recorded');
  await finished(at(1), requestId, elements.length);

  const { context, seat, keyShares } = at(1);
  const { transcripts } = context.store;
  const request = { kind: 'galois' as const, keyId, elements };
  const openings = entriesOf(seat().session, request, set, () => 0).flatMap(({ digits, digit }) =>
    Array.from({ length: digits }, (_, number) => {
      const [{ opening }] = digit(number).next().value as readonly Step[];
      return opening.id;
    }),
  );
  const kept = await Promise.all(openings.map((id) => transcripts.get(id, 1)));

  // The power cut: of everything that was kept before, nothing is there any more.
  const get = transcripts.get.bind(transcripts);
  const put = transcripts.put.bind(transcripts);
  const again = new Map<Hex, Parameters<typeof put>[2]>();
  transcripts.get = async (id, index) => (index === 1 ? again.get(id) : get(id, index));
  transcripts.put = async (id, index, share) => {
    if (index !== 1) return put(id, index, share);
    again.set(id, share);
    return share;
  };
  await generateEvaluationKeys(context, seat(), keyShares, entry(), set, testSignal());
  expect(openings.map((id) => again.get(id))).toEqual(kept);
});
