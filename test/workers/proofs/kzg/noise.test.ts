import { describe, expect, it } from 'vitest';
import { serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { decodeCoefficients } from '../../../../workers/fhe/client.ts';
import { parsePublicKey } from '../../../../workers/fhe/keys.ts';
import { decryptionPlan, decryptsCorrectly, hiddenNoise } from '../../../../workers/fhe/noise.ts';
import { noiseAfterSwitching } from '../../../../workers/fhe/noise-growth.ts';
import { ciphertextOf } from '../../../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { keyNorms } from '../../../../workers/proofs/key-norms.ts';
import { kzgNoise } from '../../../../workers/proofs/kzg/noise.ts';
import { kzgParameters } from '../../../../workers/proofs/kzg/parameters.ts';
import { provedNoise } from '../../../../workers/proofs/lattice/noise.ts';
import { add, intt, multiply, ntt } from '../../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../../workers/ring/basis.ts';
import { parameterSet, parameterSets } from '../../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import { centred, infinityNorm, phase, smallSecret } from '../../fhe/support.ts';
import { decrypt, generateKey, secretOf, simulate } from '../../protocols/simulation.ts';

describe('what a kzg proof guarantees', () => {
  it('is w/t + e·u + e1·s with the norms of the key', () => {
    for (const set of parameterSets) {
      const { wBound } = kzgParameters(set);
      const { secret, error } = keyNorms(set, committeeOf(4));
      const root = Math.sqrt(set.degree);
      const parts =
        Number(wBound / set.plainModulus) + (Number(error) + 21 * Number(secret)) * root;
      expect(Number(kzgNoise(set, committeeOf(4))) / parts).toBeCloseTo(1, 2);
    }
  });

  it('is less than a lattice proof does, and can be flooded by every committee', () => {
    for (const set of parameterSets.filter(({ secure }) => secure)) {
      for (const n of [4, 7, 10, 13]) {
        const noise = kzgNoise(set, committeeOf(n));
        if (set.plainModulus % 2n === 1n) {
          expect(noise << 20n).toBeLessThan(provedNoise(set, committeeOf(n)));
        }
        const { limits } = decryptionPlan(set, committeeOf(n));
        expect(noise).toBeLessThan(limits.at(-1)!.maxNoise);
      }
    }
  });
});

describe('the worst ciphertext that has a kzg proof', () => {
  it.each(['insecure-bfv-1024-b17', 'bfv-8192-w16'])(
    'decrypts with the flooding of the plan, %s',
    async (name) => {
      const set = parameterSet(name);
      const { plainModulus: t, degree } = set;
      const simulation = simulate(4);
      const { committee } = simulation.session;
      const key = generateKey(simulation, set);
      const basis = basisOf(set);
      const secret = ntt(basis, secretOf(simulation, key));
      const s = smallSecret(set, secret);
      const { a, b } = parsePublicKey(set, key.publicKey);
      const e = centred(set, basis.limbs, intt(basis, add(basis, b, multiply(basis, a, secret))));

      // u and e1 as large as can be, with the signs that make the products meet in coefficient 0.
      const along = (x: readonly bigint[], bound: number): Int8Array =>
        Int8Array.from(x, (_, i) => {
          const turned = i === 0 ? x[0] : -x[degree - i];
          return turned < 0n ? -bound : bound;
        });
      const { wBound } = kzgParameters(set);
      const witness = {
        u: along(e, 1),
        e1: along(s, 21),
        w: Float64Array.from({ length: degree }, (_, i) => Number(wBound) - 1 - i),
      };
      const ciphertext = ciphertextOf(await encryptionKey(set, key.publicKey), witness);
      const { limbs, c0, c1 } = ciphertext;
      const q = set.primes.slice(0, limbs).reduce((product, prime) => product * prime, 1n);
      const message = [...witness.w].map((x) => positive(-BigInt(x) * inverseModulo(q % t, t), t));
      const noise = phase(set, limbs, [c0, c1], secret.subarray(0, limbs * degree)).map((x, i) => {
        const rest = positive(t * x - q * message[i], t * q);
        return (2n * rest > t * q ? rest - t * q : rest) / t;
      });
      const proved = kzgNoise(set, committee);
      const found = infinityNorm(noise);
      expect(found).toBeLessThanOrEqual(proved);
      const l1 = (x: readonly bigint[]): number =>
        x.reduce((sum, y) => sum + Math.abs(Number(y)), 0);
      expect(Number(found)).toBeGreaterThan(0.99 * (Number(wBound / t) + l1(e) + 21 * l1(s)));
      expect(Number(proved) / Number(found)).toBeLessThan(4);

      const plan = decryptionPlan(set, committee);
      const switched = noiseAfterSwitching(set, committee, proved, limbs, plan.limbs);
      expect(switched).toBeLessThanOrEqual(hiddenNoise(set, plan.floodBits));
      expect(decryptsCorrectly(set, committee, plan.limbs, plan.floodBits, switched)).toBe(true);
      const { plaintext } = decrypt(simulation, key, serializeCiphertext(set, ciphertext));
      expect(decodeCoefficients(set, plaintext!)).toEqual(message);
    },
  );
});

function positive(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}

function inverseModulo(value: bigint, modulus: bigint): bigint {
  let [r0, r1, s0, s1] = [modulus, value % modulus, 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [s0, s1] = [s1, s0 - quotient * s1];
  }
  return positive(s0, modulus);
}
