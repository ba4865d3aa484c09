import { describe, expect, it } from 'vitest';
import { parseCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { decodeCoefficients } from '../../../../workers/fhe/client.ts';
import { parsePublicKey } from '../../../../workers/fhe/keys.ts';
import { decryptionPlan, decryptsCorrectly, hiddenNoise } from '../../../../workers/fhe/noise.ts';
import { modulusOf, noiseAfterSwitching } from '../../../../workers/fhe/noise-growth.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { keyNorms } from '../../../../workers/proofs/key-norms.ts';
import { provedNoise, provedNorms } from '../../../../workers/proofs/lattice/noise.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { add, intt, multiply, ntt } from '../../../../workers/ring/arithmetic.ts';
import { basisOf, type RnsVector } from '../../../../workers/ring/basis.ts';
import { parameterSet, parameterSets } from '../../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import {
  parseRecipient,
  prepare,
  userDecryption,
} from '../../../../workers/protocols/user-decryption.ts';
import {
  centred,
  infinityNorm,
  phase,
  residuesOf,
  sealDecrypt,
  sealKeys,
  smallSecret,
} from '../../fhe/support.ts';
import { decrypt, generateKey, runPart, secretOf, simulate } from '../../protocols/simulation.ts';
import { ciphertextBytes } from '../support.ts';

const log2 = (x: bigint): number => Math.log2(Number(x));
const normOf = (x: readonly bigint[]): number =>
  Math.sqrt(x.reduce((sum, y) => sum + Number(y) ** 2, 0));

describe('what a lattice proof guarantees', () => {
  it('is what docs/input-proofs.md derives at N = 8192', () => {
    const { u, e1, w } = provedNorms(latticeParameters(parameterSet('bfv-8192-b20')));
    // |g| < 2N/3, |z - z'| <= 2·sqrt(1.1·N·M²/3), |δ1| < sqrt(N)·2^24, |w| < N·2^43.
    expect(log2(u)).toBeCloseTo(
      Math.log2((2 * 8192) / 3) + 1 + Math.log2((1.1 * 8192) / 3) / 2 + 18,
      2,
    );
    expect(log2(e1)).toBeCloseTo(Math.log2((2 * 8192) / 3) + 6.5 + 24, 2);
    expect(log2(w)).toBeCloseTo(13 + 43, 2);
  });

  it('bounds the inverse of a difference of challenges', () => {
    // 2/(1 - X^j) = Σ_i X^(i·j) over half the order of X^j; its largest evaluation is 1/sin(π/2N).
    for (const degree of [16, 64, 1024, 32_768]) {
      expect(1 / Math.sin(Math.PI / (2 * degree))).toBeLessThan((2 * degree) / 3);
    }
    const degree = 16;
    for (let j = 1; j < 2 * degree; j++) {
      const evaluations = Array.from({ length: degree }, (_, i) => {
        const angle = (Math.PI * j * (2 * i + 1)) / degree;
        return 2 / Math.hypot(1 - Math.cos(angle), Math.sin(angle));
      });
      expect(Math.max(...evaluations)).toBeLessThan((2 * degree) / 3);
    }
  });

  it('is w/t + e·u + e1·s with the norms of the key', () => {
    const set = parameterSet('bfv-8192-b20');
    const { u, e1, w } = provedNorms(latticeParameters(set));
    const { secret, error } = keyNorms(set, committeeOf(4));
    const parts = Number(w / set.plainModulus) + Number(error * u) + Number(secret * e1);
    expect(Number(provedNoise(set, committeeOf(4))) / parts).toBeCloseTo(1, 9);
  });

  it('grows with the committee, never beyond the largest values there can be', () => {
    for (const set of parameterSets.filter(({ plainModulus: t }) => t % 2n === 1n)) {
      const bounds = [4, 7, 10, 13].map((n) => provedNoise(set, committeeOf(n)));
      expect([...bounds].sort((a, b) => Number(a - b))).toEqual(bounds);
      for (const n of [4, 13]) {
        const { secret, error } = keyNorms(set, committeeOf(n));
        const most = BigInt(set.degree) * BigInt(committeeOf(n).sets.length) ** 2n;
        expect(secret * secret).toBeLessThanOrEqual(most + 2n * secret);
        expect(error).toBeGreaterThan(3n * secret);
      }
    }
  });

  it('can be flooded by every committee at N = 8192 and 16384', () => {
    for (const name of ['bfv-8192-b20', 'bfv-16384-b20']) {
      const set = parameterSet(name);
      for (const n of [4, 7, 10, 13]) {
        const { limits } = decryptionPlan(set, committeeOf(n));
        expect(provedNoise(set, committeeOf(n))).toBeLessThan(limits.at(-1)!.maxNoise);
      }
    }
  });
});

describe('the worst ciphertext that has a proof', () => {
  it.each([
    { name: 'bfv-8192-b20', n: 4 },
    { name: 'insecure-bfv-1024-b17', n: 4 },
    { name: 'insecure-bfv-1024-b17', n: 7 },
    { name: 'insecure-bfv-1024-b17', n: 13 },
  ])(
    'decrypts for all and for one user with the flooding of the plan, $name, $n operators',
    async ({ name, n }) => {
      const set = parameterSet(name);
      const { plainModulus: t, degree, primes } = set;
      const simulation = simulate(n, { present: committeeOf(n).quorum });
      const { committee } = simulation.session;
      const key = generateKey(simulation, set);
      const basis = basisOf(set);
      const secret = ntt(basis, secretOf(simulation, key));
      const s = smallSecret(set, secret);
      const { a, b } = parsePublicKey(set, key.publicKey);
      const e = centred(set, basis.limbs, intt(basis, add(basis, b, multiply(basis, a, secret))));
      const norms = keyNorms(set, committee);
      expect(normOf(s)).toBeLessThan(Number(norms.secret));
      expect(normOf(e)).toBeLessThan(Number(norms.error));

      // u and e1 as long as can be, and turned so that the products meet in coefficient 0.
      const bounds = provedNorms(latticeParameters(set));
      const along = (x: readonly bigint[], norm: bigint): bigint[] => {
        const scale = (Number(norm) * 0.999) / normOf(x);
        const turned = x.map((_, i) => (i === 0 ? x[0] : -x[degree - i]));
        return turned.map((y) => BigInt(Math.floor(Number(y) * scale)));
      };
      const u = along(e, bounds.u);
      const e1 = along(s, bounds.e1);
      const w = u.map((_, i) => bounds.w - BigInt(i));
      const limbs = primes.length - 1;
      const data = basisOf(set, limbs);
      const prepared = await encryptionKey(set, key.publicKey);
      const uNtt = ntt(data, residuesOf(set, limbs, u));
      const q = primes.slice(0, limbs).reduce((product, prime) => product * prime, 1n);
      const inverse = inverseModulo(t, q);
      const integers = (factor: BigUint64Array<ArrayBuffer>): bigint[] =>
        centred(set, limbs, intt(data, multiply(data, uNtt, factor)));
      const bytes = ciphertextBytes(
        set,
        integers(prepared.tb).map((x, i) => (x + w[i]) * inverse),
        integers(prepared.a).map((x, i) => x + e1[i]),
      );

      const { c0, c1 } = parseCiphertext(set, bytes);
      const message = w.map((x) => (((-x * inverseModulo(q % t, t)) % t) + t) % t);
      const noiseOf = (level: number, polynomials: readonly RnsVector[]): bigint => {
        const modulus = t * modulusOf(set, level);
        const values = phase(set, level, polynomials, secret.subarray(0, level * degree));
        const noise = values.map((x, i) => {
          const rest = (t * x - (modulus / t) * message[i]) % modulus;
          const positive = rest < 0n ? rest + modulus : rest;
          return (2n * positive > modulus ? positive - modulus : positive) / t;
        });
        return infinityNorm(noise);
      };
      const proved = provedNoise(set, committee);
      const found = noiseOf(limbs, [c0, c1]);
      expect(found).toBeLessThanOrEqual(proved);
      // The key is not as long as its bound: what it has of it is reached.
      const reachable =
        Number(bounds.w / t) + normOf(e) * Number(bounds.u) + normOf(s) * Number(bounds.e1);
      expect(Number(found)).toBeGreaterThan(0.99 * reachable);
      // With more sets a key is further from the longest that its makers could have chosen.
      expect(log2(proved) - log2(found)).toBeLessThan(n === 4 ? 1 : 4);

      const plan = decryptionPlan(set, committee);
      const switched = noiseAfterSwitching(set, committee, proved, limbs, plan.limbs);
      expect(switched).toBeLessThanOrEqual(hiddenNoise(set, plan.floodBits));
      expect(decryptsCorrectly(set, committee, plan.limbs, plan.floodBits, switched)).toBe(true);
      const input = prepare(committee, set, bytes);
      expect(noiseOf(plan.limbs, [input.c0, input.c1])).toBeLessThanOrEqual(switched);
      const { plaintext } = decrypt(simulation, key, bytes);
      expect(decodeCoefficients(set, plaintext!)).toEqual(message);
      const user = sealKeys(set);
      const part = userDecryption(simulation.session, {
        ...{ keyId: key.keyId, generation: 0, set, ciphertexts: [input], form: 'full' },
        recipient: parseRecipient(set, user.publicKey),
      });
      const { result } = runPart(simulation, [key], part);
      expect([...sealDecrypt(set, user.secretKey, result)]).toEqual(message);
    },
  );
});

function inverseModulo(value: bigint, modulus: bigint): bigint {
  let [r0, r1, s0, s1] = [modulus, value % modulus, 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [s0, s1] = [s1, s0 - quotient * s1];
  }
  return ((s0 % modulus) + modulus) % modulus;
}
