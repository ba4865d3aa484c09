import { describe, expect, it, vi } from 'vitest';

import { ciphertextHandle, registrationResult } from '../../../../workers/chain/ids.ts';
import { recoverSigner } from '../../../../workers/chain/typed-data.ts';
import * as client from '../../../../workers/fhe/client.ts';
import { parseCiphertext, serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { bitLength } from '../../../../workers/fhe/first-level.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { sha256 } from '../../../../workers/operator/registration/pending-blobs.ts';
import { Verifier } from '../../../../workers/operator/registration/verifier.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { provedNoise } from '../../../../workers/proofs/lattice/noise.ts';
import { add } from '../../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../../workers/ring/basis.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import { digestOf } from '../fake-chain.ts';
import {
  addKey,
  encrypted,
  keyId,
  owner,
  post,
  register,
  set,
  startWithKey,
} from './at-the-door.ts';

const refused = (cause: string) => ({ code: OperatorErrorCode.PROOF_REFUSED, metadata: { cause } });

describe('a registration', () => {
  it('is signed by each operator for the same handle, level and noise', async () => {
    const committee = await startWithKey();
    const { chain, epochId, operators } = committee;
    const posted = await encrypted(committee, 7n);
    const { ciphertext, proof } = posted;
    const digest = sha256(ciphertext);
    const identity = {
      keyId,
      digest,
      owner,
      origin: 'lattice',
      proofDigest: sha256(proof),
    } as const;
    const handle = ciphertextHandle(chain, identity);
    const noiseBits = bitLength(provedNoise(set, committeeOf(4)));
    const found = { limbs: 4, noiseBits, inputs: [] };
    for (const operator of operators) {
      const { index, context } = operator;
      const signed = await post(operator, posted);
      const signer = context.account.address;
      expect(signed).toMatchObject({ handle, digest, ...found, index, signer });
      const statement = {
        type: 'Result' as const,
        contract: 'ciphertextRegistry' as const,
        message: { epochId, requestId: handle, result: registrationResult(found) },
      };
      expect(await recoverSigner(chain, statement, signed.signature)).toBe(signer);
      for (const blob of [ciphertext, proof])
        expect(await context.store.blobs.has(sha256(blob))).toBe(true);
    }
  });

  it('that is posted twice at once, or again, is verified once', async () => {
    const verify = vi.spyOn(Verifier.prototype, 'verify');
    const committee = await startWithKey();
    const operator = committee.at(1);
    const posted = await encrypted(committee, 7n);
    const [first, second] = await Promise.all([post(operator, posted), post(operator, posted)]);
    expect(second).toEqual(first);
    expect(await post(operator, posted, { asker: 'b' })).toEqual(first);
    expect(verify).toHaveBeenCalledOnce();
    verify.mockRestore();
  });

  it('is kept again if its bytes have gone', async () => {
    const committee = await startWithKey();
    const { context, pending } = committee.at(1);
    const posted = await encrypted(committee, 7n);
    const first = await post(committee.at(1), posted);
    await pending.sweep(BigInt(Math.floor(Date.now() / 1_000)) + 3_700n);
    expect(await context.store.blobs.has(first.digest)).toBe(false);
    expect(context.store.verdicts.get(first.handle)).toBeUndefined();
    expect(await post(committee.at(1), posted)).toEqual(first);
    expect(await context.store.blobs.has(first.digest)).toBe(true);
  });

  it('waits for its key to be confirmed', async () => {
    const committee = await startWithKey();
    const posted = await encrypted(committee, 7n);
    const other = digestOf('another key');
    const header = { ...posted.header, keyId: other };
    const answer = post(committee.at(1), { ...posted, header });
    await addKey(committee, other);
    // The same public key: the proof is bound to it, and the handle to the key's id.
    expect(await answer).toMatchObject({ digest: sha256(posted.ciphertext) });
  });
});

describe('a registration is refused', () => {
  const stranger = '0x00000000000000000000000000000000000000C0' as const;
  const post1 = async (
    change: (posted: Awaited<ReturnType<typeof encrypted>>) => Partial<typeof posted>,
    context: Parameters<typeof encrypted>[2] = {},
  ) => {
    const committee = await startWithKey();
    const posted = await encrypted(committee, 7n, context);
    const { blobs } = committee.at(1).context.store;
    const changed = { ...posted, ...change(posted) };
    const answer = post(committee.at(1), changed);
    await answer.catch(() => undefined);
    expect(await blobs.has(sha256(changed.ciphertext))).toBe(false);
    return answer;
  };

  it.each<[string, Parameters<typeof encrypted>[2]]>([
    ['chain', { chainId: 1n }],
    ['contract', { contract: stranger }],
    ['owner', { user: stranger }],
  ])('with a proof for another %s', async (_, context) => {
    const answer = post1(() => ({}), context);
    await expect(answer).rejects.toMatchObject(refused(ProofErrorCode.DIGEST_MISMATCH));
  });

  it('as that of another owner, with a copied proof', async () => {
    const answer = post1(({ header }) => ({ header: { ...header, owner: stranger } }));
    await expect(answer).rejects.toMatchObject(refused(ProofErrorCode.DIGEST_MISMATCH));
  });

  it('of twice the ciphertext that the proof is of', async () => {
    const answer = post1(({ ciphertext }) => {
      const { limbs, c0, c1 } = parseCiphertext(set, ciphertext);
      const basis = basisOf(set, limbs);
      const twice = { limbs, c0: add(basis, c0, c0), c1: add(basis, c1, c1) };
      return { ciphertext: serializeCiphertext(set, twice) };
    });
    await expect(answer).rejects.toMatchObject(refused(ProofErrorCode.DIGEST_MISMATCH));
  });

  it('with a tampered proof, one that is cut off, and a ciphertext that is none', async () => {
    await expect(
      post1(({ proof }) => ({ proof: proof.with(40, proof[40] ^ 1) })),
    ).rejects.toMatchObject(refused(ProofErrorCode.DIGEST_MISMATCH));
    await expect(post1(({ proof }) => ({ proof: proof.subarray(1) }))).rejects.toMatchObject(
      refused(ProofErrorCode.LENGTH_INVALID),
    );
    await expect(
      post1(({ ciphertext }) => ({ ciphertext: ciphertext.with(0, 1) })),
    ).rejects.toMatchObject(refused('HEADER_INVALID'));
  });

  it('under another key than the one that it is encrypted to', async () => {
    const committee = await startWithKey();
    const other = digestOf('another key');
    await addKey(committee, other, client.createKeyPair(set));
    const posted = await encrypted(committee, 7n);
    const answer = post(committee.at(1), { ...posted, header: { ...posted.header, keyId: other } });
    await expect(answer).rejects.toMatchObject(refused(ProofErrorCode.DIGEST_MISMATCH));
  });

  it('under a key that is retired, even if that comes while it is verified', async () => {
    const committee = await startWithKey();
    const posted = await encrypted(committee, 7n);
    const { context } = committee.at(1);
    const keep = committee.at(1).pending.keep.bind(committee.at(1).pending);
    vi.spyOn(committee.at(1).pending, 'keep').mockImplementationOnce(async (...args) => {
      committee.chain.emit({ eventName: 'KeyRetired', args: { keyId } });
      await keep(...args);
    });
    const code = OperatorErrorCode.KEY_NOT_ACTIVE;
    await expect(post(committee.at(1), posted)).rejects.toMatchObject({ code });
    await expect(post(committee.at(1), posted)).rejects.toMatchObject({ code });
    expect(context.store.pending.oldest()).toBeDefined();
  });

  it('under a key that nobody knows, once nobody waits for it', async () => {
    const committee = await startWithKey();
    const posted = await encrypted(committee, 7n);
    const header = { ...posted.header, keyId: digestOf('unknown') };
    const gone = new AbortController();
    const answer = post(committee.at(1), { ...posted, header }, { signal: gone.signal });
    gone.abort();
    await expect(answer).rejects.toMatchObject({ code: OperatorErrorCode.KEY_NOT_ACTIVE });
  });
});

describe('what waits for the chain', () => {
  it('leaves for what comes later, oldest first, and what the chain names stays', async () => {
    const committee = await startWithKey();
    const { context, pending } = committee.at(1);
    const { store } = context;
    const posted = [];
    for (const scalar of [1n, 2n, 3n]) {
      const one = await encrypted(committee, scalar);
      posted.push({ ...one, signed: await post(committee.at(1), one) });
    }
    register(committee, posted[1], posted[1].signed);
    await pending.sweep(BigInt(Math.floor(Date.now() / 1_000)) + 3_700n);
    expect(store.pending.oldest()).toBeUndefined();
    const held = posted.map(async ({ signed, proof }) => [
      await store.blobs.has(signed.digest),
      await store.blobs.has(sha256(proof)),
      store.verdicts.get(signed.handle) !== undefined,
    ]);
    const gone = [false, false, false];
    expect(await Promise.all(held)).toEqual([gone, [true, true, true], gone]);
  });
});
