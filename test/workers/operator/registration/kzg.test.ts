import type { Hex } from 'viem';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  initialState,
  stateHash as hashOfState,
  type PowersState,
} from '../../../../workers/ceremony/state.ts';
import { serializeProgram } from '../../../../workers/computations/format.ts';
import { toEvm } from '../../../../workers/curve/points.ts';
import { encodeValues } from '../../../../workers/fhe/client.ts';
import { serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { bitLength } from '../../../../workers/fhe/first-level.ts';
import { fetchInputs } from '../../../../workers/operator/duties/inputs.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { encryptWithWitness } from '../../../../workers/proofs/encryption.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import type { Crs } from '../../../../workers/proofs/kzg/crs.ts';
import { kzgNoise } from '../../../../workers/proofs/kzg/noise.ts';
import { proveKzg } from '../../../../workers/proofs/kzg/prove.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import { insecureCrs } from '../../proofs/kzg/support.ts';
import { digestOf } from '../fake-chain.ts';
import { testSignal, type TestCommittee, type TestOperator } from '../harness.ts';
import {
  keyId,
  keys,
  owner,
  post,
  register,
  set,
  startWithKey,
  type Posted,
} from './at-the-door.ts';

const ceremonyId = digestOf('ceremony');
let crs: Crs;
let elsewhere: Crs;

beforeAll(async () => {
  crs = await insecureCrs(set);
  elsewhere = await insecureCrs(set, 'another tau');
});

/** The state of powers of tau, as far as verifying needs it. */
function stateOf({ key }: Crs): PowersState {
  const [a, b, c, d] = [0, 32, 64, 96].map((at) => {
    const word = Buffer.from(toEvm('g2', key.tauG2)).subarray(at, at + 32);
    return BigInt(`0x${word.toString('hex')}`);
  });
  const tauG2 = { x: [a, b], y: [c, d] } as const;
  return { ...initialState(key.power), digest: key.digest, tauG2 };
}

/** A ceremony that has come to these powers of tau, recorded or not yet. */
function hold(
  { chain, epochId: own }: TestCommittee,
  { powers = crs, isRecorded = true, epochId = own } = {},
): void {
  const { power } = powers.key;
  const next = stateOf(powers);
  chain.emit(
    { eventName: 'CrsRequested', args: { ceremonyId, epochId, power, deadline: 10n ** 10n } },
    { eventName: 'ContributionRecorded', args: { ceremonyId, position: 0, index: 1, next } },
  );
  if (!isRecorded) return;
  const stateHash = hashOfState(next);
  chain.emit({ eventName: 'CrsRecorded', args: { ceremonyId, stateHash, signerBitmap: 7n } });
}

async function encrypted({ chain }: TestCommittee, scalar: bigint): Promise<Posted> {
  const key = await encryptionKey(set, keys.publicKey);
  const { ciphertext, witness } = encryptWithWitness(key, encodeValues(set, { scalar }));
  const registered = serializeCiphertext(set, ciphertext);
  const { chainId, addresses } = chain;
  const context = { chainId, contract: addresses.ciphertextRegistry, user: owner };
  const proof = await proveKzg({ key, registered, context }, witness, crs);
  return { header: { keyId, owner, origin: 'kzg' }, ciphertext: registered, proof };
}

const fetchAll = ({ context, chain, seat }: TestOperator): Promise<void> => {
  const entries = [...chain.now.ciphertexts.values()];
  return fetchInputs(context, seat(), entries, undefined, set, testSignal());
};

const unusable = { code: OperatorErrorCode.CRS_UNUSABLE };

describe('a ciphertext with a kzg proof', () => {
  it('is signed with the noise that the proof guarantees', async () => {
    const committee = await startWithKey();
    hold(committee);
    const signed = await post(committee.at(1), await encrypted(committee, 7n));
    const noiseBits = bitLength(kzgNoise(set, committeeOf(4)));
    expect(signed).toMatchObject({ limbs: 4, noiseBits, inputs: [] });
  });

  it('is refused without its powers of tau, or with others', async () => {
    const committee = await startWithKey();
    const posted = await encrypted(committee, 7n);
    await expect(post(committee.at(1), posted)).rejects.toMatchObject(unusable);
    hold(committee, { powers: elsewhere });
    await expect(post(committee.at(1), posted)).rejects.toMatchObject(unusable);
    // A proof that names others than it was made with.
    const named = Buffer.from(elsewhere.key.digest.slice(2), 'hex');
    const proof = Uint8Array.from(Buffer.concat([named, posted.proof.subarray(32)]));
    await expect(post(committee.at(1), { ...posted, proof })).rejects.toMatchObject({
      code: OperatorErrorCode.PROOF_REFUSED,
      metadata: { cause: ProofErrorCode.OPENING_MISMATCH },
    });
    const short = { ...posted, proof: posted.proof.subarray(1) };
    await expect(post(committee.at(1), short)).rejects.toMatchObject({
      metadata: { cause: ProofErrorCode.LENGTH_INVALID },
    });
  });

  it('is refused with powers of tau of another committee', async () => {
    const committee = await startWithKey();
    hold(committee, { epochId: digestOf('another epoch') });
    const posted = await encrypted(committee, 7n);
    await expect(post(committee.at(1), posted)).rejects.toMatchObject(unusable);
  });

  it('is refused before the ceremony is over', async () => {
    const committee = await startWithKey();
    hold(committee, { isRecorded: false });
    const posted = await encrypted(committee, 7n);
    await expect(post(committee.at(1), posted)).rejects.toMatchObject(unusable);
  });

  it('is not served once they are revoked, nor what was computed from it', async () => {
    const committee = await startWithKey();
    const { at, chain } = committee;
    hold(committee);
    const posted = await encrypted(committee, 7n);
    const signed = await post(at(1), posted);
    register(committee, posted, signed);
    const program: Posted = {
      header: { keyId, owner, origin: 'computed' },
      ciphertext: new Uint8Array(),
      proof: serializeProgram({
        inputs: [signed.handle],
        steps: [{ operation: 'negate', of: 0 }],
      }),
    };
    const computed = await post(at(1), program);
    register(committee, program, computed);
    for (const index of [1, 2]) await fetchAll(at(index));
    const { verification } = at(2).context;
    const known = (handle: Hex) => verification.known(handle) !== undefined;
    expect([signed, computed].map(({ handle }) => known(handle))).toEqual([true, true]);

    chain.emit({ eventName: 'CrsRevoked', args: { ceremonyId } });
    expect([signed, computed].map(({ handle }) => known(handle))).toEqual([false, false]);
    for (const index of [1, 2, 3])
      await expect(fetchAll(at(index))).rejects.toMatchObject({
        code: OperatorErrorCode.REQUEST_UNSERVABLE,
        metadata: { cause: OperatorErrorCode.CRS_UNUSABLE },
      });
    await expect(post(at(1), program)).rejects.toMatchObject(unusable);
  });
});
