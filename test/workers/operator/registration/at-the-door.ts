import type { Address, Hex } from 'viem';

import * as client from '../../../../workers/fhe/client.ts';
import { decryptionPlan } from '../../../../workers/fhe/noise.ts';
import { encodeValues } from '../../../../workers/fhe/client.ts';
import { sha256 } from '../../../../workers/operator/registration/pending-blobs.ts';
import type { SignedRegistration } from '../../../../workers/operator/registration/registrations.ts';
import { encryptForProof } from '../../../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { prove } from '../../../../workers/proofs/lattice/prove.ts';
import type { ProofContext } from '../../../../workers/proofs/lattice/statement.ts';
import { numberOfOrigin, type ProvenOrigin } from '../../../../workers/proofs/origins.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import { parameterSetId } from '../../../../workers/sharing/ids.ts';
import { digestOf } from '../fake-chain.ts';
import {
  startCommittee,
  testSignal,
  type CommitteeOptions,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';
import { bodyOf } from './posting.ts';

// A committee of four with a key that it has not made itself, and people who post ciphertexts under it.

export const set = parameterSet('insecure-bfv-1024-b17');
export const plan = decryptionPlan(set, committeeOf(4));
export const keys = client.createKeyPair(set);
export const keyId = digestOf('key');
export const owner: Address = '0x00000000000000000000000000000000000000B0';
export const LATER = 10n ** 10n;

/** Makes a key known, and its bytes to all operators. */
export async function addKey(
  { chain, epochId, operators }: TestCommittee,
  id: Hex = keyId,
  { publicKey } = keys,
): Promise<void> {
  for (const { context } of operators) await context.store.blobs.put(publicKey);
  chain.emit(
    {
      eventName: 'KeyRequested',
      args: {
        ...{ keyId: id, epochId, parameterSetId: parameterSetId(set) },
        ...{ requester: '0x', deadline: LATER },
      },
    },
    { eventName: 'PublicKeyRecorded', args: { keyId: id, digest: sha256(publicKey) } },
  );
}

export async function startWithKey(options: CommitteeOptions = {}): Promise<TestCommittee> {
  const committee = await startCommittee(4, options);
  const { name, degree, plainModulus, primes } = set;
  const entry = {
    ...{ name, degree, plainModulus, primes, lambda: set.lambda },
    decryptionLimbs: [plan.limbs, 0, 0, 0],
    floodBits: [plan.floodBits, 0, 0, 0],
    maxNoiseBits: [plan.maxNoiseBits, 0, 0, 0],
  };
  const args = { parameterSetId: parameterSetId(set), set: entry };
  committee.chain.emit({ eventName: 'ParameterSetAdded', args });
  await addKey(committee);
  return committee;
}

/** What somebody posts. */
export interface Posted {
  readonly header: { keyId: Hex; owner: Address; origin: ProvenOrigin };
  readonly ciphertext: Uint8Array;
  readonly proof: Uint8Array;
}

/** An encryption of a number with its proof, for the deployment of a committee. */
export async function encrypted(
  { chain }: TestCommittee,
  scalar: bigint,
  changes: Partial<ProofContext> = {},
): Promise<Posted> {
  const key = await encryptionKey(set, keys.publicKey);
  const { registered, witness } = encryptForProof(key, encodeValues(set, { scalar }));
  const { chainId, addresses } = chain;
  const context = { chainId, contract: addresses.ciphertextRegistry, user: owner, ...changes };
  const proof = await prove({ key, registered, context }, witness);
  return { header: { keyId, owner, origin: 'lattice' }, ciphertext: registered, proof };
}

/** Posts to an operator. */
export const post = (
  { registrations }: TestOperator,
  { header, ciphertext, proof }: Posted,
  { asker = 'a', signal = testSignal() } = {},
): Promise<SignedRegistration> =>
  registrations.register(asker, bodyOf(header, ciphertext, proof), signal);

/** The chain registers what was signed; `changes` are what a lying endpoint says. */
export function register(
  { chain }: TestCommittee,
  { header, proof }: Posted,
  signed: SignedRegistration,
  changes: Record<string, unknown> = {},
): void {
  const { handle, digest, limbs, noiseBits } = signed;
  const args = {
    ...{ handle, keyId: header.keyId, digest, limbs, noiseBits, owner: header.owner },
    ...{ origin: numberOfOrigin(header.origin), proofDigest: sha256(proof) },
    ...{ source: `0x${'00'.repeat(32)}`, ...changes },
  };
  chain.emit({ eventName: 'CiphertextRegistered', args });
}
