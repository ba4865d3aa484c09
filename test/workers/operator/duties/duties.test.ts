import { keccak256 } from 'viem';
import { describe, expect, it } from 'vitest';

import * as client from '../../../../workers/fhe/client.ts';
import { register as registerBlobs } from '../../../../workers/net/blobs/index.ts';
import { register as registerViews } from '../../../../workers/net/views/index.ts';
import { resultKey } from '../../../../workers/operator/duties/certify.ts';
import { duties } from '../../../../workers/operator/duties/duties.ts';
import { Slots } from '../../../../workers/operator/duties/slots.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { shareKey } from '../../../../workers/operator/openings/own-shares.ts';
import { describe as describeKey } from '../../../../workers/protocols/key-generation.ts';
import { signView } from '../../../../workers/operator/chain-view/views.ts';
import { aborted } from '../../../../workers/operator/waiting.ts';
import { digestOf } from '../fake-chain.ts';
import {
  startCommittee,
  stopped,
  testSignal,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';
import {
  addSet,
  encrypt,
  handle,
  idsOf,
  keyId,
  LATER,
  recordedBlob,
  plan,
  requestKey,
  set,
  sha256,
  sourcesOf,
  startWithKey,
  until,
  work,
} from './at-work.ts';

const requestId = digestOf('request');

const requestDecryption = ({ chain, epochId }: TestCommittee, positions: readonly number[]) =>
  chain.emit({
    eventName: 'PublicDecryptionRequested',
    args: { requestId, epochId, keyId, handles: [handle], positions, deadline: LATER },
  });

const FIRST_LIMBS = set.primes.length - 1;

describe('duties', () => {
  it('are a set-up while the epoch is not confirmed, and dealing while it is proposed', async () => {
    const proposed = await startCommittee(4, { proposedOnly: true });
    expect(idsOf(proposed.at(1))).toEqual([expect.stringMatching(/^deal\/0x[0-9a-f]{64}\/2$/)]);
    const { at, chain, epochId } = await startCommittee(4);
    expect(idsOf(at(1))).toEqual([`set-up/${epochId}/3`]);
    chain.emit({ eventName: 'EpochConfirmed', args: { epochId, member: 1 } });
    expect(idsOf(at(1))).toEqual([]);
    expect(idsOf(at(2))).toEqual([`set-up/${epochId}/3`]);
  });

  it('name requests with their block, and end with answer, deadline and epoch', async () => {
    const committee = await startCommittee(4);
    const { at, chain, epochId } = committee;
    chain.emit({ eventName: 'EpochConfirmed', args: { epochId, member: 1 } });
    requestKey(committee, 1n);
    expect(idsOf(at(1))).toEqual([]);
    expect(at(1).context.progress.get(keyId)).toBeUndefined();
    requestKey(committee);
    requestDecryption(committee, []);
    expect(idsOf(at(1))).toEqual([`key/${keyId}/6`, `decryption/${requestId}/7`]);
    const recorded = { keyId, digest: digestOf('digest'), signerBitmap: 7n };
    chain.emit({ eventName: 'PublicKeyRecorded', args: recorded });
    at(1).context.progress.advance(keyId, 'certifying');
    expect(idsOf(at(1))).toEqual([`decryption/${requestId}/7`]);
    expect(at(1).context.progress.get(keyId)?.state).toBe('recorded');
    chain.emit({ eventName: 'EpochRetired', args: { epochId } });
    expect(idsOf(at(1))).toEqual([`erase/${epochId}/9`]);
  });

  it('go on for an operator that is behind with a result, while it is paid for it', async () => {
    const committee = await startCommittee(4);
    const { at, chain, epochId } = committee;
    chain.emit({ eventName: 'EpochConfirmed', args: { epochId, member: 1 } });
    requestDecryption(committee, []);
    expect(idsOf(at(1))).toEqual([`decryption/${requestId}/5`]);
    const answer = { requestId, result: digestOf('result'), signerBitmap: 14n };
    chain.emit({ eventName: 'PublicDecryptionResponded', args: answer });
    expect(idsOf(at(1))).toEqual([`decryption/${requestId}/5`]);
    // One whose signature is there does not begin.
    expect(idsOf(at(2))).toEqual([`set-up/${epochId}/3`]);
    chain.emit({ eventName: 'RequestsSettled', args: { requestIds: [requestId] } });
    expect(idsOf(at(1))).toEqual([]);
    expect(at(1).context.progress.get(requestId)?.state).toBe('recorded');
  });

  it('end with a refund, and begin again with the next request of the same id', async () => {
    const committee = await startCommittee(4);
    const { at, chain, epochId } = committee;
    chain.emit({ eventName: 'EpochConfirmed', args: { epochId, member: 1 } });
    requestDecryption(committee, []);
    expect(idsOf(at(1))).toEqual([`decryption/${requestId}/5`]);
    chain.emit({ eventName: 'RequestExpired', args: { requestId, payer: '0x' } });
    expect(idsOf(at(1))).toEqual([]);
    expect(at(1).context.progress.get(requestId)?.state).toBe('expired');
    requestDecryption(committee, []);
    expect(idsOf(at(1))).toEqual([`decryption/${requestId}/7`]);
  });
});

describe('the secrets of an epoch that has ended', () => {
  it('are erased once 2t+1 operators see its end, not before', async () => {
    const { at, chain, epochId } = await startCommittee(4, { mute: [3, 4] });
    const { seats, context } = at(1);
    chain.emit({ eventName: 'EpochRetired', args: { epochId } });
    seats.refresh();
    const [job] = duties(sourcesOf(at(1)));
    const asked = Promise.withResolvers<void>();
    const agreed = Promise.withResolvers<void>();
    await registerViews(at(3).context.host, async (_, { height }) => {
      asked.resolve();
      await agreed.promise;
      const place = await at(3).seats.place(epochId, testSignal());
      return signView(at(3).context, place, at(3).chain.block(height)!);
    });
    const erased = job.run(testSignal());
    await asked.promise;
    expect(context.store.secrets.list('')).not.toEqual([]);
    agreed.resolve();
    await erased;
    expect(context.store.secrets.list('')).toEqual([]);
    expect(idsOf(at(1))).toEqual([]);
    // Done again before the list is made anew, it has nothing to ask.
    await job.run(AbortSignal.abort());
  });
});

describe('four operators', () => {
  it('generate a key and decrypt what is encrypted under it', async () => {
    const committee = await startWithKey();
    const { at, chain } = committee;
    await encrypt(committee, 1234n, FIRST_LIMBS);
    requestDecryption(committee, [0, 5]);
    const request = () => at(1).chain.now.requests.get(requestId)!;
    await until(at(1), () => request().state === 'answered');
    expect(request().result).toBe(`0x${1234n.toString(16).padStart(16, '0')}${'0'.repeat(16)}`);
    // Of whoever submitted: the others may be behind.
    const records = committee.operators.map(({ context }) => context.progress.get(requestId)!);
    const { milliseconds, error } = records.find((record) => 'certifying' in record.milliseconds)!;
    expect(Object.keys(milliseconds).slice(0, 2)).toEqual(['agreeing', 'opening']);
    expect(error).toBeUndefined();
    // Who signs a result has noted it.
    const { result } = request();
    const noted = committee.operators.map(({ context }) => context.store.results.hash(requestId));
    expect(noted.filter((hash) => hash === keccak256(result!)).length).toBeGreaterThanOrEqual(3);
    expect(new Set(noted.filter((hash) => hash !== undefined)).size).toBe(1);
    // Each purpose once, although all four are at it.
    const names = chain.calls.map(({ functionName }) => functionName);
    expect(names.filter((name) => name === 'recordPublicKey')).toHaveLength(1);
    expect(names.filter((name) => name === 'respond')).toHaveLength(1);
  });

  it('never sign a second result for a request', async () => {
    const committee = await startWithKey();
    const { at } = committee;
    await encrypt(committee, 5n, FIRST_LIMBS);
    at(1).context.store.results.commit(requestId, digestOf('another result'));
    requestDecryption(committee, [0]);
    await until(at(2), () => at(2).chain.now.requests.get(requestId)!.state === 'answered');
    const { context, lines } = at(1);
    const refused = () => lines.some(({ fields }) => fields['code'] === 'STORE_RESULT_CONFLICT');
    while (!refused()) await new Promise(setImmediate);
    expect(context.boards.results.get(resultKey(committee.epochId, requestId))).toBeUndefined();
    expect(committee.chain.calls.at(-1)?.args[2]).toBe(0b1110n);
  });

  it('publish the plaintext of a decryption of all coefficients', async () => {
    const committee = await startWithKey();
    const { at } = committee;
    await encrypt(committee, 77n, FIRST_LIMBS);
    requestDecryption(committee, []);
    const request = () => at(3).chain.now.requests.get(requestId)!;
    await until(at(3), () => request().state === 'answered');
    const plaintext = await recordedBlob(committee, request().result!);
    expect(new Set(client.decodeSlots(set, plaintext))).toEqual(new Set([77n]));
  });
});

describe('a request that cannot be served as it stands', () => {
  /** Runs the duty of the request at operator 1. */
  const runs = (operator: TestOperator, kind: 'key' | 'decryption') => {
    const job = duties(sourcesOf(operator)).find(({ id }) => id.startsWith(`${kind}/`))!;
    return job.run(testSignal());
  };
  const unservable = { code: OperatorErrorCode.REQUEST_UNSERVABLE };

  it.each([
    ['another decryption level', { decryptionLimbs: [plan.limbs + 1, 0, 0, 0] }],
    ['less flooding', { floodBits: [plan.floodBits - 1, 0, 0, 0] }],
    ['more noise', { maxNoiseBits: [plan.maxNoiseBits + 1, 0, 0, 0] }],
    ['another statistical security', { lambda: 40 }],
  ])('with %s on chain than computed here is given up', async (_, changes) => {
    const committee = await startCommittee(4);
    addSet(committee.chain, changes);
    requestKey(committee);
    const operator = committee.at(1);
    await expect(runs(operator, 'key')).rejects.toMatchObject(unservable);
    expect(operator.context.progress.get(keyId)?.error).toBe(unservable.code);
  });

  it('for a parameter set that the chain does not have is given up', async () => {
    const committee = await startCommittee(4);
    requestKey(committee);
    await expect(runs(committee.at(1), 'key')).rejects.toMatchObject(unservable);
  });

  it('for a ciphertext at another level than registered, or none at all, is given up', async () => {
    const committee = await startWithKey();
    const { at } = committee;
    await encrypt(committee, 1n, FIRST_LIMBS - 1);
    requestDecryption(committee, [0]);
    await expect(runs(at(1), 'decryption')).rejects.toMatchObject(unservable);
    const nonsense = Buffer.from('nonsense');
    await at(2).context.store.blobs.put(nonsense);
    const args = {
      handle,
      keyId,
      digest: sha256(nonsense),
      noiseBits: 1,
      owner: '0x',
      limbs: FIRST_LIMBS,
      origin: 0,
    };
    committee.chain.emit({ eventName: 'CiphertextRegistered', args });
    await expect(runs(at(1), 'decryption')).rejects.toMatchObject(unservable);
  });

  it('for bytes that nobody has yet is tried again', async () => {
    const committee = await startWithKey();
    const { at, chain } = committee;
    const args = {
      handle,
      keyId,
      digest: digestOf('bytes'),
      noiseBits: 1,
      owner: '0x',
      limbs: FIRST_LIMBS,
      origin: 0,
    };
    chain.emit({ eventName: 'CiphertextRegistered', args });
    requestDecryption(committee, [0]);
    const code = OperatorErrorCode.BLOB_UNAVAILABLE;
    await expect(runs(at(1), 'decryption')).rejects.toMatchObject({ code });
    expect(at(1).context.progress.get(requestId)).toMatchObject({ state: 'agreeing', error: code });
  });
});

describe('a request', () => {
  it('is given up at its deadline', async () => {
    const committee = await startCommittee(4, { mute: [2, 3, 4] });
    addSet(committee.chain);
    const deadline = BigInt(Math.floor(Date.now() / 1_000)) + 2n;
    requestKey(committee, deadline);
    const operator = committee.at(1);
    const job = duties(sourcesOf(operator)).find(({ id }) => id.startsWith('key/'))!;
    await job.run(testSignal());
    expect(operator.context.progress.get(keyId)?.state).toBe('expired');
    // A timer may be a fraction of a millisecond ahead of the clock that deadlines are read from.
    while (Date.now() < Number(deadline) * 1_000) await new Promise(setImmediate);
    const notes = operator.lines.length;
    await job.run(testSignal());
    expect(operator.lines).toHaveLength(notes);
  });

  it('of an epoch whose keys are not held takes no place from others', async () => {
    const committee = await startCommittee(4, { keyless: [1] });
    addSet(committee.chain);
    requestKey(committee);
    const operator = committee.at(1);
    const { requestSlots } = operator.context;
    const job = duties(sourcesOf(operator)).find(({ id }) => id.startsWith('key/'))!;
    const stop = new AbortController();
    const runs = Array.from({ length: 8 }, () => job.run(stop.signal));
    for (const run of runs) run.catch(() => undefined);
    expect(await requestSlots.run(testSignal(), async () => 'served')).toBe('served');
    stop.abort(stopped());
    for (const run of runs) await expect(run).rejects.toMatchObject(stopped());
  });

  it('whose input a peer only pretends to send takes no place from others', async () => {
    const requestSlots = new Slots(1, 60_000);
    const committee = await startCommittee(4, {
      mute: [2, 3, 4],
      deviations: { 1: { requestSlots } },
    });
    const { at, chain } = committee;
    addSet(chain);
    requestKey(committee);
    const args = {
      handle,
      keyId,
      digest: digestOf('bytes'),
      noiseBits: 1,
      owner: '0x',
      limbs: FIRST_LIMBS,
      origin: 0,
    };
    chain.emit({ eventName: 'CiphertextRegistered', args });
    requestDecryption(committee, [0]);
    const asked = Promise.withResolvers<void>();
    await registerBlobs(at(2).context.host, async (_peer, _digest, signal) => {
      asked.resolve();
      return aborted(signal);
    });
    const job = duties(sourcesOf(at(1))).find(({ id }) => id.startsWith('decryption/'))!;
    const stop = new AbortController();
    const run = job.run(stop.signal);
    run.catch(() => undefined);
    await asked.promise;
    expect(await requestSlots.run(testSignal(), async () => 'served')).toBe('served');
    stop.abort(stopped());
    await expect(run).rejects.toMatchObject(stopped());
  });

  it('leads to no share before 2t+1 operators have seen it', async () => {
    const committee = await startCommittee(4, { mute: [3, 4] });
    addSet(committee.chain);
    requestKey(committee);
    for (const index of [1, 2]) work(committee.at(index));
    const { progress, store, boards } = committee.at(1).context;
    while (progress.get(keyId)?.waitingFor.length !== 2) await new Promise(setImmediate);
    expect(progress.get(keyId)).toMatchObject({ state: 'agreeing', waitingFor: [3, 4] });
    const { id } = describeKey(committee.at(1).seat().session, { keyId, set });
    expect(boards.shares.get(shareKey(committee.epochId, id))).toBeUndefined();
    expect(store.openings.root(id)).toBeUndefined();
  });
});
