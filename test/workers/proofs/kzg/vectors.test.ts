import { hexToBytes, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { encryptWithWitness } from '../../../../workers/proofs/encryption.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { crsKeyOf } from '../../../../workers/proofs/kzg/crs.ts';
import { proveKzg } from '../../../../workers/proofs/kzg/prove.ts';
import { verifyKzg } from '../../../../workers/proofs/kzg/verify.ts';
import vectors from '../../../vectors/kzg.json' with { type: 'json' };
import { context, seededSource, tinySet } from '../support.ts';
import { referenceVerifyKzg } from './reference.ts';
import { insecureCrs } from './support.ts';

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const publicKey = bytes(vectors.publicKey);
const registered = bytes(vectors.registered);
const proof = bytes(vectors.proof);
type Pair = readonly [bigint, bigint];
const [x, y] = vectors.crs.tauG2.map(([im, re]): Pair => [BigInt(im), BigInt(re)]);
const digest = vectors.crs.digest as Hex;
const crsKey = crsKeyOf({ digest, power: vectors.crs.power, tauG2: { x, y } });

const accepts = (changed: Uint8Array, of = registered, user = context): boolean =>
  referenceVerifyKzg(tinySet, publicKey, of, user, { digest, tauG2: [x, y] }, changed);

describe('the kzg test vectors', () => {
  it('are what proving makes of their streams, byte for byte', async () => {
    const key = await encryptionKey(tinySet, publicKey);
    const plaintext = BigUint64Array.from(vectors.plaintext, BigInt);
    const source = seededSource(vectors.streams.encryption);
    const { ciphertext, witness } = encryptWithWitness(key, plaintext, source);
    expect(serializeCiphertext(tinySet, ciphertext)).toEqual(registered);
    const crs = await insecureCrs(tinySet, vectors.crs.tau);
    expect(crs.key).toEqual(crsKey);
    const randomness = seededSource(vectors.streams.blinding);
    const made = await proveKzg({ key, registered, context }, witness, crs, { randomness });
    expect(Buffer.from(made).toString('base64')).toBe(vectors.proof);
  });

  it('are accepted by verification and reference alike', async () => {
    const key = await encryptionKey(tinySet, publicKey);
    await verifyKzg({ key, registered, context }, crsKey, proof);
    expect(accepts(proof)).toBe(true);
    expect(proof.slice(0, 32)).toEqual(hexToBytes(digest));
  });

  it('and changed ones refused by both', async () => {
    const key = await encryptionKey(tinySet, publicKey);
    // The second of two points, doubled: valid points that prove nothing.
    const swapped = proof.slice();
    swapped.copyWithin(32, 96, 160);
    const value = proof.slice();
    value[proof.length - 128 - 32] ^= 1;
    const other = { ...context, user: context.contract };
    const cases = [
      { changed: swapped, user: context },
      { changed: value, user: context },
      { changed: proof, user: other },
    ];
    for (const { changed, user } of cases) {
      await expect(verifyKzg({ key, registered, context: user }, crsKey, changed)).rejects.toThrow(
        expect.objectContaining({ code: ProofErrorCode.OPENING_MISMATCH }),
      );
      expect(accepts(changed, registered, user)).toBe(false);
    }
  });
});
