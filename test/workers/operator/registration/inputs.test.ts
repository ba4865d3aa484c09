import { describe, expect, it, vi } from 'vitest';

import { createKeyPair } from '../../../../workers/fhe/client.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { fetchInputs, loadInput } from '../../../../workers/operator/duties/inputs.ts';
import { sha256 } from '../../../../workers/operator/registration/pending-blobs.ts';
import { Verifier } from '../../../../workers/operator/registration/verifier.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { numberOfOrigin } from '../../../../workers/proofs/origins.ts';
import { digestOf } from '../fake-chain.ts';
import { testSignal, type TestOperator } from '../harness.ts';
import {
  encrypted,
  keyId,
  owner,
  post,
  register,
  set,
  startWithKey,
  type Posted,
} from './at-the-door.ts';

/** What an operator does before it takes up a decryption of all that is registered. */
const fetchAll = ({ context, chain, seat }: TestOperator): Promise<void> => {
  const entries = [...chain.now.ciphertexts.values()];
  return fetchInputs(context, seat(), entries, undefined, set, testSignal());
};

/** Posted to operator 1 and registered, as `changes` say. */
async function startWithInput(
  changes: Record<string, unknown> = {},
  change: (posted: Posted) => Posted = (posted) => posted,
) {
  const committee = await startWithKey();
  const posted = await encrypted(committee, 7n);
  const signed = await post(committee.at(1), posted);
  register(committee, change(posted), signed, changes);
  return { ...committee, posted, signed };
}

const unservable = (metadata: Record<string, unknown>) => ({
  code: OperatorErrorCode.REQUEST_UNSERVABLE,
  metadata,
});

describe('an input of a decryption', () => {
  it('that was not posted here is verified with what peers have, once and for good', async () => {
    const { at, signed } = await startWithInput();
    const { context, seat, chain } = at(3);
    const verify = vi.spyOn(Verifier.prototype, 'verify');
    await fetchAll(at(3));
    await fetchAll(at(3));
    expect(verify).toHaveBeenCalledOnce();
    verify.mockRestore();
    expect(context.store.verdicts.get(signed.handle)).toMatchObject({ limbs: 4, noiseBits: 43 });
    const entry = chain.now.ciphertexts.get(signed.handle)!;
    const input = await loadInput(context, seat(), entry, set, testSignal());
    expect(input).toBeDefined();
  });

  it.each([
    ['less noise', { noiseBits: 12 }, { noiseBits: 12, foundNoiseBits: 43 }],
    ['another level', { limbs: 3 }, { limbs: 3, foundLimbs: 4 }],
  ])('that the chain says has %s is not served', async (_, changes, metadata) => {
    const { at } = await startWithInput(changes);
    for (const index of [1, 2])
      await expect(fetchAll(at(index))).rejects.toMatchObject(unservable(metadata));
  });

  it('is compared again once operators agree on what the chain says', async () => {
    const { at, signed } = await startWithInput();
    await fetchAll(at(2));
    const { context, chain, seat } = at(2);
    const entry = { ...chain.now.ciphertexts.get(signed.handle)!, noiseBits: 12 };
    const loaded = loadInput(context, seat(), entry, set, testSignal());
    await expect(loaded).rejects.toMatchObject(unservable({ noiseBits: 12 }));
  });

  it('whose registered proof proves something else is not served, whoever signed', async () => {
    // Such a handle takes 2t+1 corrupted signers.
    const junk = (posted: Posted): Posted => ({ ...posted, proof: posted.proof.with(50, 77) });
    const handle = digestOf('forged');
    const committee = await startWithInput({ handle }, junk);
    await committee.at(4).context.store.blobs.put(junk(committee.posted).proof);
    await expect(fetchAll(committee.at(2))).rejects.toMatchObject(
      unservable({ cause: ProofErrorCode.DIGEST_MISMATCH }),
    );
  });

  it('is verified again if the chain says another public key than before', async () => {
    const { at, chain, signed } = await startWithInput();
    await fetchAll(at(2));
    const { verification, store } = at(2).context;
    expect(verification.known(signed.handle)).toBeDefined();
    const other = createKeyPair(set).publicKey;
    await store.blobs.put(other);
    chain.emit({ eventName: 'PublicKeyRecorded', args: { keyId, digest: sha256(other) } });
    expect(verification.known(signed.handle)).toBeUndefined();
    await expect(fetchAll(at(2))).rejects.toMatchObject(
      unservable({ cause: ProofErrorCode.DIGEST_MISMATCH }),
    );
  });

  it('whose proof nobody has is tried again', async () => {
    const { at, posted } = await startWithInput();
    await at(1).context.store.blobs.remove(sha256(posted.proof));
    const code = OperatorErrorCode.BLOB_UNAVAILABLE;
    await expect(fetchAll(at(2))).rejects.toMatchObject({ code });
    await at(4).context.store.blobs.put(posted.proof);
    await fetchAll(at(2));
  });

  it('that is vouched for, switched or not, is as the registrar said', async () => {
    const committee = await startWithKey();
    const { ciphertext } = await encrypted(committee, 7n);
    await committee.at(1).context.store.blobs.put(ciphertext);
    const verify = vi.spyOn(Verifier.prototype, 'verify');
    for (const source of [`0x${'00'.repeat(32)}`, digestOf('source')]) {
      const args = { handle: digestOf(`vouched ${source}`), keyId, digest: sha256(ciphertext) };
      const said = { limbs: 4, noiseBits: 20, owner, source, proofDigest: `0x${'00'.repeat(32)}` };
      committee.chain.emit({
        eventName: 'CiphertextRegistered',
        args: { ...args, ...said, origin: numberOfOrigin('vouched') },
      });
    }
    await fetchAll(committee.at(2));
    expect(verify).not.toHaveBeenCalled();
    verify.mockRestore();
  });
});
