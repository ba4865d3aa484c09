/**
 * Writes test/vectors/kzg.json: `node test/vectors/kzg.ts`. Production makes the proof, as there is no other
 * prover; the slow reference has to accept it.
 *
 * Streams are those of proofs.ts: a prover draws 64 bytes for each scalar that blinds.
 */
import { writeFileSync } from 'node:fs';
import { bytesToBigInt } from 'viem';
import { toEvm } from '../../workers/curve/points.ts';
import { serializeCiphertext } from '../../workers/fhe/ciphertext.ts';
import { encryptWithWitness } from '../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../workers/proofs/key.ts';
import { proveKzg } from '../../workers/proofs/kzg/prove.ts';
import { referenceVerifyKzg } from '../workers/proofs/kzg/reference.ts';
import { insecureCrs } from '../workers/proofs/kzg/support.ts';
import {
  context,
  plaintextOf,
  seededKeys,
  seededSource,
  tinySet,
} from '../workers/proofs/support.ts';

const { publicKey } = seededKeys(tinySet, 'vectors/key');
const key = await encryptionKey(tinySet, publicKey);
const plaintext = plaintextOf(tinySet, 'vectors/plaintext');
const { ciphertext, witness } = encryptWithWitness(
  key,
  plaintext,
  seededSource('vectors/encryption'),
);
const registered = serializeCiphertext(tinySet, ciphertext);
const crs = await insecureCrs(tinySet, 'vectors/tau');
const randomness = seededSource('vectors/blinding');
const proof = await proveKzg({ key, registered, context }, witness, crs, { randomness });

const words = Array.from({ length: 4 }, (_, i) =>
  bytesToBigInt(toEvm('g2', crs.key.tauG2).subarray(32 * i, 32 * i + 32)),
);
const tauG2 = [
  [words[0], words[1]],
  [words[2], words[3]],
] as const;
const { digest, power } = crs.key;
if (!referenceVerifyKzg(tinySet, publicKey, registered, context, { digest, tauG2 }, proof)) {
  throw new Error('not a proof');
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const vectors = {
  set: {
    ...tinySet,
    primes: tinySet.primes.map(String),
    plainModulus: String(tinySet.plainModulus),
  },
  context: { ...context, chainId: String(context.chainId) },
  crs: { tau: 'vectors/tau', digest, power, tauG2: tauG2.map((x) => x.map(String)) },
  streams: { encryption: 'vectors/encryption', blinding: 'vectors/blinding' },
  plaintext: [...plaintext].map(Number),
  publicKey: base64(publicKey),
  registered: base64(registered),
  proof: base64(proof),
};
writeFileSync(new URL('kzg.json', import.meta.url), `${JSON.stringify(vectors)}\n`);
