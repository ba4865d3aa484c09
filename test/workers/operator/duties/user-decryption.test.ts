import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import * as client from '../../../../workers/fhe/client.ts';
import { duties } from '../../../../workers/operator/duties/duties.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { twins } from '../../../twins/answering.ts';
import { digestOf } from '../fake-chain.ts';
import { testSignal, type TestOperator } from '../harness.ts';
import {
  encrypt,
  handle,
  keyId,
  LATER,
  recordedBlob,
  requestKey,
  set,
  sha256,
  sourcesOf,
  startWithKey,
  until,
  type WithKey,
} from './at-work.ts';

const requestId = digestOf('user decryption');
const limbs = set.primes.length - 1;
const user = client.createKeyPair(set);
const stranger = client.createKeyPair(set);

const entryOf = ({ chain }: TestOperator) => chain.now.userDecryptions.get(requestId)!;

/** Asks for ciphertexts to be decrypted for whoever has the secret key of a public one. */
function ask(
  { chain, epochId }: WithKey,
  handles: readonly Hex[],
  packed: boolean,
  publicKey = user.publicKey,
  id = requestId,
): void {
  const args = {
    ...{ requestId: id, epochId, keyId, handles, packed, deadline: LATER },
    ...{ user: '0x', requester: '0x', publicKeyDigest: sha256(publicKey) },
  };
  chain.emit({ eventName: 'UserDecryptionRequested', args });
}

/** The answers that were recorded, as operator 1 has them. */
async function answers(committee: WithKey): Promise<Uint8Array[]> {
  const { at } = committee;
  await until(at(1), () => entryOf(at(1)).state === 'answered');
  const result = entryOf(at(1)).result!;
  const digests = Array.from(
    { length: (result.length - 2) / 64 },
    (_, at): Hex => `0x${result.slice(2 + 64 * at, 66 + 64 * at)}`,
  );
  return Promise.all(digests.map((digest) => recordedBlob(committee, digest)));
}

/** What a person reads in an answer: its first coefficients. */
const read = (answer: Uint8Array, { secretKey }: client.KeyPair, count: number): bigint[] =>
  client.decodeCoefficients(set, client.decrypt(set, secretKey, answer)).slice(0, count);

/** Registers ciphertexts of numbers, and gives their handles. */
async function encryptAll(committee: WithKey, ...scalars: bigint[]): Promise<Hex[]> {
  const handles: Hex[] = [];
  for (const scalar of scalars) {
    handles.push(digestOf(`handle of ${scalar}`));
    await encrypt(committee, scalar, limbs, handles.at(-1));
  }
  return handles;
}

describe('a user decryption', () => {
  it('packs several numbers into one answer, which the user alone reads', async () => {
    const committee = await startWithKey();
    const handles = await encryptAll(committee, 77n, 1n, 120000n);
    await committee.at(3).context.store.blobs.put(user.publicKey);
    ask(committee, handles, true);
    const [answer, ...more] = await answers(committee);
    expect(more).toEqual([]);
    expect(read(answer, user, 3)).toEqual([77n, 1n, 120000n]);
    expect(read(answer, stranger, 3)).not.toEqual([77n, 1n, 120000n]);
    const names = committee.chain.calls.map(({ functionName }) => functionName);
    expect(names.filter((name) => name === 'respond')).toHaveLength(1);
    expect(committee.at(1).context.progress.get(requestId)?.kind).toBe('user-decryption');
  });

  it('gives an answer per ciphertext otherwise', async () => {
    const committee = await startWithKey();
    const handles = await encryptAll(committee, 5n, 6n);
    await committee.at(3).context.store.blobs.put(user.publicKey);
    ask(committee, handles, false);
    const [first, second] = await answers(committee);
    expect(read(first, user, 2)).toEqual([5n, 0n]);
    expect(read(second, user, 2)).toEqual([6n, 0n]);
  });

  it.each(['silent', 'garbage', 'equivocating', 'replayed', 'wrong-length'])(
    'is not kept from the user by a twin that is %s',
    async (name) => {
      const deviations = { 2: { answering: twins[name] } };
      const committee = await startWithKey({ deviations });
      const handles = await encryptAll(committee, 5n, 6n);
      await committee.at(3).context.store.blobs.put(user.publicKey);
      ask(committee, handles, true);
      const [answer] = await answers(committee);
      expect(read(answer, user, 2)).toEqual([5n, 6n]);
    },
  );

  it('asked for again, in another request, has the same answer byte for byte', async () => {
    const committee = await startWithKey();
    const { at } = committee;
    const handles = await encryptAll(committee, 9n);
    await at(3).context.store.blobs.put(user.publicKey);
    ask(committee, handles, true);
    const [first] = await answers(committee);
    const again = digestOf('again');
    ask(committee, handles, true, user.publicKey, again);
    await until(at(1), () => at(1).chain.now.userDecryptions.get(again)?.state === 'answered');
    expect(at(1).chain.now.userDecryptions.get(again)?.result).toBe(sha256(first));
  });
});

describe('a user decryption that cannot be served', () => {
  const runs = (operator: TestOperator) =>
    duties(sourcesOf(operator))
      .find(({ id }) => id.startsWith('user-decryption/'))!
      .run(testSignal());

  it.each<[string, Uint8Array, string]>([
    ['truncated', user.publicKey.slice(0, -1), ''],
    ['with bytes after its end', Buffer.concat([user.publicKey, Buffer.alloc(1)]), ''],
    ['with a residue above its prime', user.publicKey.with(-1, 255), 'NOT_CANONICAL'],
    ['that is a secret key', user.secretKey, ''],
    ['that is no key at all', Buffer.from('nonsense'), ''],
  ])('for a key %s says so and is never signed', async (_, publicKey, cause) => {
    const committee = await startWithKey();
    const handles = await encryptAll(committee, 1n);
    await committee.at(1).context.store.blobs.put(publicKey);
    ask(committee, handles, true, publicKey);
    const code = OperatorErrorCode.REQUEST_UNSERVABLE;
    await expect(runs(committee.at(1))).rejects.toMatchObject({ code });
    const { progress, boards } = committee.at(1).context;
    expect(progress.get(requestId)).toMatchObject({ error: code });
    expect(progress.get(requestId)?.reason).toContain('public key');
    expect(progress.get(requestId)?.reason).toContain(cause);
    expect(boards.results.get(`${committee.epochId}/${requestId}`)).toBeUndefined();
  });

  it('because nobody has the key yet is tried again', async () => {
    const committee = await startWithKey();
    const handles = await encryptAll(committee, 1n);
    ask(committee, handles, true);
    const code = OperatorErrorCode.BLOB_UNAVAILABLE;
    await expect(runs(committee.at(1))).rejects.toMatchObject({ code });
    await committee.at(2).context.store.blobs.put(user.publicKey);
    expect(read((await answers(committee))[0], user, 1)).toEqual([1n]);
  });

  it('for a ciphertext under another key says so', async () => {
    const committee = await startWithKey();
    await encrypt(committee, 1n, limbs);
    const { at, chain, epochId } = committee;
    const other = digestOf('another key');
    requestKey(committee, LATER, other);
    const args = { requestId, epochId, keyId: other, handles: [handle], packed: true };
    const publicKeyDigest = sha256(user.publicKey);
    chain.emit({
      eventName: 'UserDecryptionRequested',
      args: { ...args, publicKeyDigest, deadline: LATER },
    });
    const code = OperatorErrorCode.REQUEST_UNSERVABLE;
    await expect(runs(at(1))).rejects.toMatchObject({ code });
    expect(at(1).context.progress.get(requestId)?.reason).toContain('under its key');
  });
});
