import type { Hex } from 'viem';
import { describe, expect, it, vi } from 'vitest';

import { serializeProgram } from '../../../../workers/computations/format.ts';
import type { Step } from '../../../../workers/computations/program.ts';
import { decodeCoefficients, decrypt } from '../../../../workers/fhe/client.ts';
import { FheErrorCode } from '../../../../workers/fhe/errors.ts';
import { entryLength } from '../../../../workers/fhe/evaluation-keys.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { fetchInputs } from '../../../../workers/operator/duties/inputs.ts';
import { sha256 } from '../../../../workers/operator/registration/pending-blobs.ts';
import { numberOfOrigin } from '../../../../workers/proofs/origins.ts';
import { sealEvaluationKeys } from '../../fhe/evaluation.ts';
import { digestOf } from '../fake-chain.ts';
import { testSignal, type TestCommittee } from '../harness.ts';
import {
  encrypted,
  keyId,
  keys,
  LATER,
  owner,
  post,
  register,
  set,
  startWithKey,
  type Posted,
} from './at-the-door.ts';

const zero = `0x${'00'.repeat(32)}`;
/** In front of the entries of a file of SEAL's. */
const prefixLength = 56;

/** Two numbers, posted to operator 1 only and registered. Their handles ascend. */
async function twoInputs(committee: TestCommittee, [a, b] = [3n, 4n]) {
  const handles: Hex[] = [];
  for (const scalar of [a, b]) {
    const posted = await encrypted(committee, scalar);
    const signed = await post(committee.at(1), posted);
    register(committee, posted, signed);
    handles.push(signed.handle);
  }
  return handles.sort();
}

const programOf = (inputs: readonly Hex[], ...steps: Step[]): Posted => ({
  header: { keyId, owner, origin: 'computed' },
  ciphertext: new Uint8Array(),
  proof: serializeProgram({ inputs, steps }),
});

const sum: Step = { operation: 'add', left: 0, right: 1 };
const product: Step = { operation: 'multiply', left: 0, right: 1 };

/** Records an evaluation key that SEAL has made; operator 3 has it. */
async function addEvaluationKey(
  { chain, epochId, at }: TestCommittee,
  kind: 1 | 2,
  entry: Uint8Array,
  elements: number[] = [],
): Promise<void> {
  await at(3).context.store.blobs.put(entry);
  const requestId = digestOf(`evaluation keys ${kind}`);
  const args = { requestId, epochId, keyId, kind, targetKeyId: zero, elements };
  chain.emit(
    { eventName: 'EvaluationKeysRequested', args: { ...args, requester: '0x', deadline: LATER } },
    { eventName: 'EvaluationKeysRecorded', args: { requestId, digests: sha256(entry) } },
  );
}

const valueOf = (ciphertext: Uint8Array): bigint =>
  decodeCoefficients(set, decrypt(set, keys.secretKey, ciphertext))[0];

describe('a computed ciphertext', () => {
  it('is computed by each operator, which verifies the inputs first', async () => {
    const committee = await startWithKey();
    const posted = programOf(await twoInputs(committee), sum);
    const [first, ...others] = await Promise.all(
      [1, 2, 3].map((index) => post(committee.at(index), posted)),
    );
    const { inputs } = first;
    expect(first).toMatchObject({ limbs: 4, noiseBits: 44, inputs });
    for (const other of others)
      expect(other).toMatchObject({ handle: first.handle, noiseBits: 44, inputs });
    const { store } = committee.at(2).context;
    expect(valueOf(await store.blobs.get(first.digest))).toBe(7n);
    // Operator 2 was not given them: it has found out from the proofs.
    for (const handle of inputs) expect(store.verdicts.get(handle)?.noiseBits).toBe(43);
    expect(await post(committee.at(1), posted)).toEqual(first);
  });

  it('is computed with evaluation keys that are on chain', async () => {
    const committee = await startWithKey();
    const handles = await twoInputs(committee);
    const rotated: Step = { operation: 'rotateRows', of: 2, steps: 1 };
    const posted = programOf(handles, sum, rotated);
    const code = OperatorErrorCode.PROOF_REFUSED;
    await expect(post(committee.at(1), posted)).rejects.toMatchObject({
      ...{ code, metadata: { kind: 'galois' } },
    });
    const { galois } = sealEvaluationKeys(set, keys.secretKey, [1]);
    const at = prefixLength + 8;
    await addEvaluationKey(committee, 2, galois.slice(at, at + entryLength(set)), [3]);
    const signed = await post(committee.at(1), posted);
    const { blobs } = committee.at(1).context.store;
    // A number in coefficient 0 is one in all slots.
    expect(valueOf(await blobs.get(signed.digest))).toBe(7n);
  });

  it('with more noise than may be decrypted is refused before it is computed', async () => {
    const committee = await startWithKey();
    const posted = programOf(await twoInputs(committee), product);
    const { relinearization } = sealEvaluationKeys(set, keys.secretKey, [1]);
    await addEvaluationKey(committee, 1, relinearization.slice(prefixLength));
    await expect(post(committee.at(1), posted)).rejects.toMatchObject({
      code: OperatorErrorCode.PROOF_REFUSED,
      metadata: { cause: FheErrorCode.NOISE_TOO_LARGE, noiseBits: 82, maxNoiseBits: 81 },
    });
  });

  it('waits for its inputs to be confirmed, but not for ever', async () => {
    const committee = await startWithKey();
    const input = await encrypted(committee, 5n);
    const signed = await post(committee.at(1), input);
    const posted = programOf([signed.handle], { operation: 'negate', of: 0 });
    const gone = new AbortController();
    const abandoned = post(committee.at(2), posted, { signal: gone.signal });
    const answer = post(committee.at(1), posted);
    gone.abort();
    const code = OperatorErrorCode.INPUT_NOT_REGISTERED;
    await expect(abandoned).rejects.toMatchObject({ code });
    register(committee, input, signed);
    expect((await answer).inputs).toEqual([signed.handle]);
  });

  it('from what is vouched for is as that was said to be, and not for the store', async () => {
    const committee = await startWithKey();
    const { ciphertext } = await encrypted(committee, 5n);
    await committee.at(1).context.store.blobs.put(ciphertext);
    const handle = digestOf('vouched');
    const args = { handle, keyId, digest: sha256(ciphertext), limbs: 4, owner, source: zero };
    const vouched = { origin: numberOfOrigin('vouched'), proofDigest: zero, noiseBits: 12 };
    committee.chain.emit({ eventName: 'CiphertextRegistered', args: { ...args, ...vouched } });
    const posted = programOf([handle], { operation: 'multiplyScalar', of: 0, scalar: -4n });
    const signed = await post(committee.at(1), posted);
    expect(signed.noiseBits).toBe(15);
    const { store } = committee.at(1).context;
    expect(store.verdicts.get(signed.handle)).toBeUndefined();
    const verification = committee.at(1).context.verification;
    expect(verification.known(signed.handle)?.vouched).toBe(true);
    // What the chain said goes with that state of the chain.
    const { chain } = committee.at(1);
    chain.rebuild(committee.chain.blocks);
    expect(verification.known(signed.handle)).toBeUndefined();
  });

  it('is not served if it is registered as something else than it computes', async () => {
    const committee = await startWithKey();
    const { at } = committee;
    const posted = programOf(await twoInputs(committee), sum);
    const signed = await post(at(1), posted);
    const { ciphertext } = await encrypted(committee, 9n);
    for (const index of [1, 2]) await at(index).context.store.blobs.put(ciphertext);
    // Such a handle takes 2t+1 corrupted signers.
    const handle = digestOf('forged');
    register(committee, posted, signed, { handle, digest: sha256(ciphertext) });
    const { context, chain, seat } = at(2);
    const entry = chain.now.ciphertexts.get(handle)!;
    const fetched = fetchInputs(context, seat(), [entry], undefined, set, testSignal());
    const code = OperatorErrorCode.REQUEST_UNSERVABLE;
    await expect(fetched).rejects.toMatchObject({ code, metadata: { handle } });
    expect(context.store.verdicts.get(handle)).toBeUndefined();
  });

  it('is computed again where nobody has kept it', async () => {
    const committee = await startWithKey();
    const posted = programOf(await twoInputs(committee), sum);
    const signed = await post(committee.at(1), posted);
    register(committee, posted, signed);
    const { context, chain } = committee.at(2);
    const entry = chain.now.ciphertexts.get(signed.handle)!;
    await context.verification.verdictOf(entry, testSignal());
    for (const index of [1, 2, 3, 4])
      await committee.at(index).context.store.blobs.remove(signed.digest);
    await context.verification.bring(entry, testSignal());
    expect(valueOf(await context.store.blobs.get(signed.digest))).toBe(7n);
  });

  it('is computed again after an evaluation key was damaged', async () => {
    const committee = await startWithKey();
    const handles = await twoInputs(committee);
    const { galois } = sealEvaluationKeys(set, keys.secretKey, [1]);
    const at = prefixLength + 8;
    const entry = galois.slice(at, at + entryLength(set));
    await addEvaluationKey(committee, 2, entry, [3]);
    const rotated: Step = { operation: 'rotateRows', of: 2, steps: 1 };
    const { blobs } = committee.at(1).context.store;
    const real = blobs.path.bind(blobs);
    await blobs.put(entry);
    // The entry's file, once; those of the inputs are as they are.
    let isDamaged = true;
    vi.spyOn(blobs, 'path').mockImplementation((digest) => {
      if (digest !== sha256(entry) || !isDamaged) return real(digest);
      isDamaged = false;
      return real(digest).replace(/.$/, 'x');
    });
    const posted = programOf(handles, sum, rotated);
    const code = OperatorErrorCode.COMPUTATION_FAILED;
    await expect(post(committee.at(1), posted)).rejects.toMatchObject({ code });
    expect(isDamaged).toBe(false);
    expect(await post(committee.at(1), posted, { signal: testSignal() })).toMatchObject({
      limbs: 4,
    });
  });
});
