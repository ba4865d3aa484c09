import { keccak256, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { duties } from '../../../../workers/operator/duties/duties.ts';
import type { Job } from '../../../../workers/operator/duties/jobs.ts';
import { Slots } from '../../../../workers/operator/duties/slots.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { ProgressBook } from '../../../../workers/operator/progress.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee, testSignal, type TestCommittee, type TestOperator } from '../harness.ts';
import {
  addSet,
  encrypt,
  handle,
  idsOf,
  keyId,
  LATER,
  plan,
  recordedBlob,
  requestKey,
  sourcesOf,
  until,
  work,
} from './at-work.ts';

// What others have answered, and an operator that comes late is still paid for.

const requestId = digestOf('request');
/** Of operators 1 to 3: number 4 was left out. */
const THREE = 0b0111n;

const requested = ({ epochId }: TestCommittee, deadline = LATER) => ({
  eventName: 'PublicDecryptionRequested' as const,
  args: { requestId, epochId, keyId, handles: [handle], positions: [0], deadline },
});
const answered = (result: Hex = digestOf('result')) => ({
  eventName: 'PublicDecryptionResponded' as const,
  args: { requestId, result, signerBitmap: THREE },
});

/** The jobs of an operator that are for requests. */
const requestJobsOf = (operator: TestOperator): string[] =>
  idsOf(operator).filter((id) => !id.startsWith('set-up/'));

const jobOf = (operator: TestOperator, kind: string): Job =>
  duties(sourcesOf(operator)).find(({ id }) => id.startsWith(`${kind}/`))!;

describe('what others have answered', () => {
  it('is a duty of those whose signature is not there, although it came with its answer', async () => {
    const committee = await startCommittee(4);
    const { at, chain } = committee;
    chain.emit(requested(committee), answered());
    expect(requestJobsOf(at(4))).toEqual([`decryption/${requestId}/4`]);
    expect(requestJobsOf(at(1))).toEqual([]);
    expect(at(1).context.progress.get(requestId)).toBeUndefined();
  });

  it('is no duty any more once there is a result of its own, or its bit', async () => {
    const committee = await startCommittee(4);
    const { at, chain } = committee;
    chain.emit(requested(committee), answered());
    const { context } = at(4);
    expect(requestJobsOf(at(4))).toHaveLength(1);
    context.store.results.commit(requestId, keccak256(digestOf('result')));
    expect(requestJobsOf(at(4))).toEqual([]);
    expect(context.progress.get(requestId)?.state).toBe('recorded');

    const other = await startCommittee(4);
    other.chain.emit(requested(other), answered());
    const signer = other.at(4).context.account.address;
    other.chain.emit({ eventName: 'RequestsAttested', args: { requestIds: [requestId], signer } });
    expect(requestJobsOf(other.at(4))).toEqual([]);
  });

  it('is one after the request’s own deadline, not after that of attestations', async () => {
    const committee = await startCommittee(4);
    const { at, chain } = committee;
    chain.emit(requested(committee, 1n), answered());
    // It is tried: nobody has the ciphertext.
    const code = OperatorErrorCode.REQUEST_UNSERVABLE;
    await expect(jobOf(at(4), 'decryption').run(testSignal())).rejects.toMatchObject({ code });
    chain.attestableUntil = 1n;
    expect(requestJobsOf(at(4))).toHaveLength(1);
    await jobOf(at(4), 'decryption').run(testSignal());
    expect(requestJobsOf(at(4))).toEqual([]);
    expect(at(4).context.progress.get(requestId)?.state).toBe('recorded');
  });

  it('waits for what is late before it, and takes no place of what is still asked for', async () => {
    const lateSlots = new Slots(1, 60_000);
    const committee = await startCommittee(4, { deviations: { 4: { lateSlots } } });
    const { at, chain } = committee;
    chain.emit(requested(committee), answered());
    const end = Promise.withResolvers<void>();
    const before = lateSlots.run(testSignal(), () => end.promise);
    const { requestSlots } = at(4).context;
    chain.outage = new TypeError('the endpoint is asked');
    const run = jobOf(at(4), 'decryption').run(testSignal());
    let isOver = false;
    run.catch(() => (isOver = true));
    expect(await requestSlots.run(testSignal(), async () => 'served')).toBe('served');
    expect(isOver).toBe(false);
    end.resolve();
    await before;
    await expect(run).rejects.toThrow(TypeError);
    expect(at(4).context.progress.get(requestId)?.error).toBe('UNEXPECTED');
  });
});

describe('an operator that was away', () => {
  it('finishes what others have answered, and forgot nothing with its memory', async () => {
    const progress = new ProgressBook(64);
    const committee = await startCommittee(4, { deviations: { 4: { progress } } });
    const { at, chain } = committee;
    const [one, four] = [at(1), at(4)];
    addSet(chain);
    for (const index of [1, 2, 3]) work(at(index));
    requestKey(committee);
    await until(one, () => one.chain.now.keys.get(keyId)?.state === 'active');
    const publicKey = await recordedBlob(committee, one.chain.now.keys.get(keyId)!.digest!);
    await encrypt({ ...committee, publicKey }, 1234n, plan.limbs);
    chain.emit(requested(committee));
    await until(one, () => one.chain.now.requests.get(requestId)?.state === 'answered');
    expect(four.context.store.results.hash(requestId)).toBeUndefined();
    // Nothing is left on the others’ boards: they have restarted as well.
    for (const index of [1, 2, 3]) {
      at(index).context.boards.shares.clear();
      at(index).context.boards.results.clear();
    }
    work(four);
    const { results } = four.context.store;
    while (results.hash(requestId) === undefined) await new Promise(setImmediate);
    expect(results.hash(requestId)).toBe(keccak256(one.chain.now.requests.get(requestId)!.result!));
  });
});
