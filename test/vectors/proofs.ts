/**
 * Writes test/vectors/proofs.json from the slow reference: `node test/vectors/proofs.ts`.
 *
 * Draw number i of a stream is SHAKE128 of its name and `/i`. An encryption draws 8·N bytes for u, then
 * 6·N each for e0 and e1; a prover draws 4·N·R for the masks of each try.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  referenceCiphertext,
  referenceKey,
  referenceParameters,
  referenceProve,
  referenceVerify,
  referenceWitness,
} from '../workers/proofs/reference.ts';
import {
  ciphertextBytes,
  context,
  plaintextOf,
  seededKeys,
  seededSource,
  tinySet,
} from '../workers/proofs/support.ts';

const { publicKey } = seededKeys(tinySet, 'vectors/key');
const key = referenceKey(tinySet, publicKey);
const { q, t, cuts, data, normBound, repetitions, maskBits } = referenceParameters(tinySet);

const plaintext = [...plaintextOf(tinySet, 'vectors/plaintext')];
const halves = plaintext.map((m) => (m * ((t + 1n) / 2n)) % t);
const witness = referenceWitness(key, halves, seededSource('vectors/encryption'));
const [c0, c1] = referenceCiphertext(key, witness).map((c) => c.map((x) => (2n * x) % q));
const registered = ciphertextBytes(tinySet, c0, c1);
const proof = referenceProve(key, registered, context, witness, seededSource('vectors/masks'));
if (!referenceVerify(key, registered, context, proof)) throw new Error('not a proof');

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const vectors = {
  set: { ...tinySet, primes: tinySet.primes.map(String), plainModulus: String(t) },
  parameters: {
    primes: data.map(String),
    repetitions: String(repetitions),
    maskBits: String(maskBits),
    normBound: String(normBound),
    equations: cuts.map(({ limb, bits, bound }) => ({
      ...{ limb, bits: String(bits), errorBound: String(bound) },
    })),
  },
  context: { ...context, chainId: String(context.chainId) },
  streams: { encryption: 'vectors/encryption', masks: 'vectors/masks' },
  plaintext: plaintext.map(Number),
  publicKey: base64(publicKey),
  witness: {
    u: witness.u.map(Number),
    e1: witness.e1.map(Number),
    w: witness.w.map(Number),
  },
  registeredDigest: createHash('sha256').update(registered).digest('hex'),
  registered: base64(registered),
  proof: base64(proof),
};
writeFileSync(new URL('proofs.json', import.meta.url), `${JSON.stringify(vectors)}\n`);
