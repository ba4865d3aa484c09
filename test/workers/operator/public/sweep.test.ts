import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { expect, it } from 'vitest';

import { initialState } from '../../../../workers/ceremony/state.ts';
import { KEPT_AFTER_DEADLINE, sweepBlobs } from '../../../../workers/operator/public/sweep.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee } from '../harness.ts';

const sha256 = (data: string): Hex => `0x${createHash('sha256').update(data).digest('hex')}`;
const keyId = digestOf('key');

it('answers and keys of users go some time after the deadline, and nothing else', async () => {
  const { at, chain: fake, epochId } = await startCommittee(4);
  const { context, chain } = at(1);
  const { store } = context;
  const put = async (data: string): Promise<Hex> => store.blobs.put(Buffer.from(data));
  const request = (name: string, deadline: bigint, user: string): void => {
    const args = { requestId: digestOf(name), epochId, keyId, handles: [], packed: true, deadline };
    const publicKeyDigest = sha256(user);
    fake.emit({ eventName: 'UserDecryptionRequested', args: { ...args, publicKeyDigest } });
  };
  const names = ['user', 'busy user', 'answer', 'unrecorded', 'late answer', 'shared'];
  for (const name of [...names, 'ciphertext', 'unnamed']) await put(name);
  request('old', 100n, 'user');
  request('older', 50n, 'busy user');
  request('late', 200n, 'busy user');
  const respond = (name: string, ...answers: string[]): void => {
    const result: Hex = `0x${answers.map((answer) => sha256(answer).slice(2)).join('')}`;
    const args = { requestId: digestOf(name), result };
    fake.emit({ eventName: 'UserDecryptionResponded', args });
  };
  respond('old', 'answer', 'shared', 'ciphertext');
  respond('late', 'late answer', 'shared');
  store.entries.record(digestOf('older'), 0, sha256('unrecorded'));
  const digest = sha256('ciphertext');
  const registered = { handle: digestOf('h'), keyId, digest, limbs: 1, noiseBits: 1, owner: '0x' };
  fake.emit({ eventName: 'CiphertextRegistered', args: { ...registered, origin: 0 } });

  const held = async (): Promise<string[]> => {
    const present = [];
    for (const name of [...names, 'ciphertext', 'unnamed'])
      if (await store.blobs.has(sha256(name))) present.push(name);
    return present;
  };
  await sweepBlobs(store, chain, 50n + KEPT_AFTER_DEADLINE);
  expect(await held()).toEqual([...names, 'ciphertext', 'unnamed']);
  await sweepBlobs(store, chain, 101n + KEPT_AFTER_DEADLINE);
  const rest = ['busy user', 'late answer', 'shared', 'ciphertext', 'unnamed'];
  expect(await held()).toEqual(rest);
  await sweepBlobs(store, chain, 201n + KEPT_AFTER_DEADLINE);
  expect(await held()).toEqual(['ciphertext', 'unnamed']);
});

it('of a ceremony that is over only the file of the result stays', async () => {
  const { at, chain: fake, epochId } = await startCommittee(4);
  const { context, chain } = at(1);
  const { store } = context;
  const files = ['first', 'offered', 'last'];
  const ceremony = (name: string): Hex => digestOf(name);
  const held = async (name: string): Promise<string[]> => {
    const present = [];
    for (const file of files) if (await store.blobs.has(sha256(name + file))) present.push(file);
    return present;
  };
  for (const name of ['running', 'recorded', 'revoked']) {
    const ceremonyId = ceremony(name);
    fake.emit({ eventName: 'CrsRequested', args: { ceremonyId, epochId, power: 8, deadline: 9n } });
    for (const [at, file] of files.entries()) {
      await store.blobs.put(Buffer.from(name + file));
      store.entries.record(ceremonyId, at, sha256(name + file));
    }
    for (const [position, file] of ['first', 'last'].entries()) {
      const next = { ...initialState(8), digest: sha256(name + file) };
      const args = { ceremonyId, position, index: position + 1, next };
      fake.emit({ eventName: 'ContributionRecorded', args });
    }
    if (name === 'running') continue;
    const stateHash = digestOf('state');
    fake.emit({ eventName: 'CrsRecorded', args: { ceremonyId, stateHash, signerBitmap: 7n } });
  }
  fake.emit({ eventName: 'CrsRevoked', args: { ceremonyId: ceremony('revoked') } });

  await sweepBlobs(store, chain, 100n);
  expect(await held('running')).toEqual(files);
  expect(await held('recorded')).toEqual(['last']);
  expect(await held('revoked')).toEqual([]);
});
