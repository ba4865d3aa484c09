import { describe, expect, it } from 'vitest';
import { parseCiphertext, serializeCiphertext } from '../../../workers/fhe/ciphertext.ts';
import { encodeValues, encrypt } from '../../../workers/fhe/client.ts';
import {
  ciphertextOf,
  encryptForProof,
  encryptWithWitness,
} from '../../../workers/proofs/encryption.ts';
import { ProofErrorCode } from '../../../workers/proofs/errors.ts';
import { encryptionKey } from '../../../workers/proofs/key.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { compute, sealEvaluationKeys } from '../fhe/evaluation.ts';
import {
  infinityNorm,
  noiseBudget,
  phase,
  sampleValues,
  sealDecrypt,
  sealKeys,
  secretNtt,
} from '../fhe/support.ts';
import { withCode } from '../kernels/support.ts';
import { seededSource } from './support.ts';

const odd = parameterSets.filter((set) => set.plainModulus % 2n === 1n);
const even = parameterSets.filter((set) => set.plainModulus % 2n === 0n);
const product = (primes: readonly bigint[]): bigint => primes.reduce((q, p) => q * p, 1n);

/** The message of a witness: -w/q mod t. */
function messageOf({ primes, plainModulus: t }: ParameterSet, w: Float64Array): bigint[] {
  const q = product(primes.slice(0, -1)) % t;
  let inverse = 1n;
  for (let [base, e] = [q, eulerPhi(t) - 1n]; e > 0n; e >>= 1n, base = (base * base) % t) {
    if (e & 1n) inverse = (inverse * base) % t;
  }
  return Array.from(w, (x) => (((-BigInt(x) * inverse) % t) + t) % t);
}

/** Of a prime, or a power of two. */
const eulerPhi = (t: bigint): bigint => (t % 2n === 0n ? t / 2n : t - 1n);

describe.each(parameterSets)('encryption with a witness, $name', (set) => {
  const keys = sealKeys(set);
  const plaintext = encodeValues(set, sampleValues(set));

  it('is what stock SEAL decrypts, with about the budget of SEAL’s own encryption', async () => {
    const key = await encryptionKey(set, keys.publicKey);
    const { ciphertext } = encryptWithWitness(key, plaintext, seededSource('budget'));
    const bytes = serializeCiphertext(set, ciphertext);
    expect(sealDecrypt(set, keys.secretKey, bytes)).toEqual(plaintext);
    const fresh = encrypt(set, keys.publicKey, sampleValues(set));
    const lost = noiseBudget(set, keys.secretKey, fresh) - noiseBudget(set, keys.secretKey, bytes);
    // SEAL's errors shrink with the special prime; what is left there is its rounding.
    expect(lost).toBeGreaterThanOrEqual(1);
    expect(lost).toBeLessThanOrEqual(6);
  });

  it('has the witness that its equations say, and the message in it', async () => {
    const key = await encryptionKey(set, keys.publicKey);
    const { ciphertext, witness } = encryptWithWitness(key, plaintext, seededSource('witness'));
    expect(ciphertextOf(key, witness)).toEqual(ciphertext);
    expect(messageOf(set, witness.w)).toEqual([...plaintext]);
    const { plainModulus: t } = set;
    const bound = (x: ArrayLike<number>): number => Number(infinityNorm(Array.from(x, BigInt)));
    expect(bound(witness.u)).toBe(1);
    expect(bound(witness.e1)).toBeLessThanOrEqual(21);
    expect(bound(witness.w)).toBeLessThanOrEqual(Number((43n * t) / 2n));
    // Under the secret: t·(c0 + c1·s) = q·m + w' with w' = t·e·u + w + q·m mod t + t·e1·s.
    const { limbs, c0, c1 } = ciphertext;
    const q = product(set.primes.slice(0, limbs));
    const secret = secretNtt(keys.secretKey).subarray(0, limbs * set.degree);
    const rest = phase(set, limbs, [c0, c1], secret).map((x, i) => {
      const noise = (((t * x - q * plaintext[i]) % (t * q)) + t * q) % (t * q);
      return noise > (t * q) / 2n ? noise - t * q : noise;
    });
    const honest = 2n * BigInt(set.degree) * 21n + 22n;
    expect(infinityNorm(rest)).toBeLessThanOrEqual(t * honest);
  });

  it('takes N values below t only', async () => {
    const key = await encryptionKey(set, keys.publicKey);
    const wrong = [plaintext.slice(1), plaintext.map(() => set.plainModulus)];
    for (const bad of wrong) {
      expect(() => encryptWithWitness(key, bad)).toThrow(
        withCode(ProofErrorCode.PLAINTEXT_INVALID),
      );
    }
  });
});

describe.each(odd)('encryption for a proof, $name', (set) => {
  it('decrypts, adds, multiplies and rotates with stock SEAL', async () => {
    const keys = sealKeys(set);
    const key = await encryptionKey(set, keys.publicKey);
    const values = sampleValues(set);
    const plaintext = encodeValues(set, values);
    const { registered } = encryptForProof(key, plaintext);
    expect(sealDecrypt(set, keys.secretKey, registered)).toEqual(plaintext);
    expect(parseCiphertext(set, registered).limbs).toBe(set.primes.length - 1);

    const theirs = encrypt(set, keys.publicKey, values);
    const files = sealEvaluationKeys(set, keys.secretKey, [1]);
    const program = (one: Uint8Array) =>
      compute(set, files, ({ evaluator, relinearization, galois, load }) => {
        const right = load(theirs);
        const [sum, multiplied, rotated] = [load(one), load(one), load(one)];
        evaluator.addInplace(sum, right);
        evaluator.multiplyInplace(multiplied, right);
        evaluator.relinearizeInplace(multiplied, relinearization);
        evaluator.rotateRowsInplace(rotated, 1, galois);
        return { sum, multiplied, rotated };
      });
    const [ours, expected] = [program(registered), program(theirs)];
    for (const name of ['sum', 'multiplied', 'rotated'] as const) {
      const decrypted = sealDecrypt(set, keys.secretKey, ours[name]);
      expect(decrypted).toEqual(sealDecrypt(set, keys.secretKey, expected[name]));
    }
  });
});

it('leaves 141 bits of SEAL’s 146 at N = 8192', async () => {
  const set = parameterSet('bfv-8192-b20');
  const keys = sealKeys(set);
  const key = await encryptionKey(set, keys.publicKey);
  const { registered } = encryptForProof(key, encodeValues(set, sampleValues(set)));
  const fresh = encrypt(set, keys.publicKey, sampleValues(set));
  expect(Math.abs(noiseBudget(set, keys.secretKey, fresh) - 146)).toBeLessThanOrEqual(1);
  expect(Math.abs(noiseBudget(set, keys.secretKey, registered) - 141)).toBeLessThanOrEqual(1);
});

it.each(even)('has no half of a plaintext of $name', async (set) => {
  const key = await encryptionKey(set, sealKeys(set).publicKey);
  expect(() => encryptForProof(key, new BigUint64Array(set.degree))).toThrow(
    withCode(ProofErrorCode.PLAIN_MODULUS_EVEN),
  );
});

it('draws from the platform’s generator by default', async () => {
  const set = parameterSet('insecure-bfv-1024');
  const key = await encryptionKey(set, sealKeys(set).publicKey);
  const zero = new BigUint64Array(set.degree);
  const [one, other] = [encryptForProof(key, zero), encryptForProof(key, zero)];
  expect(one.registered).not.toEqual(other.registered);
});
