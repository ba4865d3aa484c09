import { describe, expect, it } from 'vitest';
import { encryptForProof } from '../../../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { prove } from '../../../../workers/proofs/lattice/prove.ts';
import { verify } from '../../../../workers/proofs/lattice/verify.ts';
import vectors from '../../../vectors/proofs.json' with { type: 'json' };
import { referenceKey, referenceVerify } from '../reference.ts';
import { context, seededSource, tinySet } from '../support.ts';

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const publicKey = bytes(vectors.publicKey);
const plaintext = BigUint64Array.from(vectors.plaintext, BigInt);

describe('the test vectors', () => {
  it('are what encryption makes of their stream', async () => {
    const key = await encryptionKey(tinySet, publicKey);
    const source = seededSource(vectors.streams.encryption);
    const { registered, witness } = encryptForProof(key, plaintext, source);
    expect(Buffer.from(registered).toString('base64')).toBe(vectors.registered);
    expect([...witness.u]).toEqual(vectors.witness.u);
    expect([...witness.e1]).toEqual(vectors.witness.e1);
    expect([...witness.w]).toEqual(vectors.witness.w);
  });

  it('are what proving makes of theirs, byte for byte', async () => {
    const key = await encryptionKey(tinySet, publicKey);
    const source = seededSource(vectors.streams.encryption);
    const { registered, witness } = encryptForProof(key, plaintext, source);
    const statement = { key, registered, context };
    const proof = await prove(statement, witness, seededSource(vectors.streams.masks));
    expect(Buffer.from(proof).toString('base64')).toBe(vectors.proof);
  });

  it('are accepted by verification and reference alike', async () => {
    const key = await encryptionKey(tinySet, publicKey);
    const [registered, proof] = [bytes(vectors.registered), bytes(vectors.proof)];
    await verify({ key, registered, context }, proof);
    const reference = referenceKey(tinySet, publicKey);
    expect(referenceVerify(reference, registered, context, proof)).toBe(true);
  });

  it('and changed ones refused by both', async () => {
    const key = await encryptionKey(tinySet, publicKey);
    const reference = referenceKey(tinySet, publicKey);
    const registered = bytes(vectors.registered);
    for (const at of [0, 31, 32, 33, 512, 7231]) {
      const proof = bytes(vectors.proof);
      proof[at] ^= 1 << (at % 8);
      expect(referenceVerify(reference, registered, context, proof)).toBe(false);
      await expect(verify({ key, registered, context }, proof)).rejects.toThrow();
    }
  });
});
