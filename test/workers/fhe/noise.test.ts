import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { firstLimbs, serializeCiphertext } from '../../../workers/fhe/ciphertext.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import {
  decryptionPlan,
  decryptsCorrectly,
  hiddenNoise,
  multiplicationsPossible,
  noiseOfRelinearizedSquare,
} from '../../../workers/fhe/noise.ts';
import {
  freshNoiseBound,
  modulusOf,
  noiseAfterSwitching,
  reencryptionNoise,
} from '../../../workers/fhe/noise-growth.ts';
import { negacyclicCoefficients } from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';
import { scaleAndRound } from '../../../workers/ring/rounding.ts';
import { switchModulus } from '../../../workers/ring/switching.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import {
  centred,
  constant,
  residuesOf,
  sealDecrypt,
  sealKeys,
  secretNtt,
  smallSecret,
} from './support.ts';

const sizes = [4, 7, 10, 13];
const cases = parameterSets.flatMap((set) =>
  sizes.map((n) => ({ name: set.name, n, set, committee: committeeOf(n) })),
);

describe.each(cases)('decryptionPlan of $name for n=$n', ({ set, committee, n }) => {
  const plan = decryptionPlan(set, committee);
  const secret = BigInt(committee.sets.length);
  const limit = plan.limits[0].maxNoise;

  it('hides everything it allows, and nothing more', () => {
    const secrecy = (noise: bigint): boolean =>
      1n << BigInt(plan.floodBits) >= (noise * BigInt(set.degree)) << BigInt(set.lambda);
    expect(secrecy(limit)).toBe(true);
    expect(secrecy(limit + 1n)).toBe(false);
  });

  it('floods as much as still decrypts', () => {
    const fits = (bits: number): boolean =>
      decryptsCorrectly(set, committee, plan.limbs, bits, hiddenNoise(set, bits));
    expect(fits(plan.floodBits)).toBe(true);
    expect(fits(plan.floodBits + 1)).toBe(false);
  });

  it('uses the lowest level with room for a fresh ciphertext', () => {
    const fresh = freshNoiseBound(set, committee);
    const first = firstLimbs(set);
    const at = (limbs: number): bigint => noiseAfterSwitching(set, committee, fresh, first, limbs);
    expect(at(plan.limbs)).toBeLessThanOrEqual(limit);
    const below = plan.limbs - 1;
    const needed = ((at(below) * BigInt(set.degree)) << BigInt(set.lambda)) * secret;
    expect(2n * set.plainModulus * needed > modulusOf(set, below)).toBe(true);
  });

  it('limits every level by what switching down leaves, exactly', () => {
    expect(plan.limits.map(({ limbs }) => limbs)).toEqual(
      Array.from({ length: firstLimbs(set) - plan.limbs + 1 }, (_, at) => plan.limbs + at),
    );
    for (const { limbs, maxNoise, maxNoiseBits } of plan.limits) {
      const arrived = (noise: bigint): bigint =>
        noiseAfterSwitching(set, committee, noise, limbs, plan.limbs);
      expect(arrived(maxNoise)).toBeLessThanOrEqual(limit);
      expect(arrived(maxNoise + 1n) > limit).toBe(true);
      expect((1n << BigInt(maxNoiseBits)) - 1n).toBeLessThanOrEqual(maxNoise);
      expect((1n << BigInt(maxNoiseBits + 1)) - 1n > maxNoise).toBe(true);
    }
    expect(plan.maxNoiseBits).toBe(plan.limits.at(-1)!.maxNoiseBits);
  });

  it('decrypts noise at the bound under flooding at the extreme, for everybody and for a user', () => {
    const q = modulusOf(set, plan.limbs);
    const t = set.plainModulus;
    const flooding = secret << BigInt(plan.floodBits);
    const others = flooding + reencryptionNoise(set, committee);
    const messages = [0n, 1n, t / 2n, t - 1n];
    const basis = basisOf(set, plan.limbs);
    const values = (error: bigint): bigint[] => {
      // The noise bound counts from the rational q·m/t, so rounding it takes one off.
      const scaled = messages.map((m) => (2n * q * m + t) / (2n * t) + error);
      return Array.from({ length: set.degree }, (_, at) => scaled[at] ?? 0n);
    };
    const decrypt = (error: bigint): bigint[] => {
      const vector = residuesOf(set, plan.limbs, values(error));
      return [...scaleAndRound(basis, t, vector)].slice(0, 4);
    };
    const { secretKey } = sealKeys(set);
    const s = smallSecret(set, secretNtt(secretKey));
    const decryptWithSeal = (error: bigint): bigint[] => {
      // c1 = 1, so c0 is the value without s.
      const c0 = values(error).map((value, at) => value - s[at]);
      const one = [1n, ...new Array<bigint>(set.degree - 1).fill(0n)];
      const ciphertext = serializeCiphertext(set, {
        limbs: plan.limbs,
        c0: residuesOf(set, plan.limbs, c0),
        c1: residuesOf(set, plan.limbs, one),
      });
      return [...sealDecrypt(set, secretKey, ciphertext)].slice(0, 4);
    };
    expect(decrypt(others + limit - 1n)).toEqual(messages);
    expect(decrypt(-others - limit + 1n)).toEqual(messages);

    // The largest noise that satisfies the inequality, and the first that does not.
    const room = 1n << 60n;
    const most = (q * (room - 2n * BigInt(plan.limbs)) - 1n) / (2n * t * room);
    const largest = most - others;
    expect(decryptsCorrectly(set, committee, plan.limbs, plan.floodBits, largest)).toBe(true);
    expect(decryptsCorrectly(set, committee, plan.limbs, plan.floodBits, largest + 1n)).toBe(false);
    expect(decryptWithSeal(most - 1n)).toEqual(messages);
    expect(decryptWithSeal(1n - most)).toEqual(messages);

    // Exact rounding goes up to q/(2t) and no further.
    const half = (q - 1n) / (2n * t);
    expect(decrypt(half - 1n)).toEqual(messages);
    expect(decrypt(half + 2n)).toEqual(messages.map((m) => (m + 1n) % t));
  });

  it('allows as many multiplications as it decrypts whatever the ciphertexts', () => {
    let noise = freshNoiseBound(set, committee);
    for (let depth = multiplicationsPossible(set, committee); depth > 0; depth--) {
      noise = noiseOfRelinearizedSquare(set, committee, noise);
    }
    const declarable = (bound: bigint): boolean => bound < 1n << BigInt(plan.maxNoiseBits);
    expect(declarable(noise)).toBe(true);
    expect(declarable(noiseOfRelinearizedSquare(set, committee, noise))).toBe(false);
  });

  it(`has the row in docs/noise.md`, () => {
    const doc = readFileSync(new URL('../../../docs/noise.md', import.meta.url), 'utf8');
    const rows = doc.split('\n').map((line) => line.replaceAll(/\s*\|\s*/g, '|'));
    const bits = (noise: bigint): number => noise.toString(2).length;
    const limits = plan.limits.map(({ limbs, maxNoiseBits }) => `${limbs}: ${maxNoiseBits}`);
    const row = [
      set.name,
      n,
      committee.sets.length,
      bits(freshNoiseBound(set, committee)),
      plan.limbs,
      plan.floodBits,
      limits.join(', '),
    ];
    expect(rows).toContain(`|${row.join('|')}|`);
  });
});

describe('noiseAfterSwitching', () => {
  it('is reached, to within two, by a ciphertext and a secret made for it', () => {
    const set = parameterSet('bfv-8192-b20');
    const committee = committeeOf(13);
    const secret = BigInt(committee.sets.length);
    const [from, to] = [4, 3];
    // Each coefficient lies just above half the dropped prime and is rounded up; every product with
    // the secret adds to the highest coefficient with the same sign. The plaintext is 0.
    const half = (set.primes[from - 1] + 1n) / 2n;
    const noiseOf = (limbs: number, c: RnsVector): bigint => {
      const top = Uint32Array.of(set.degree - 1);
      const basis = basisOf(set, limbs);
      const product = negacyclicCoefficients(basis, c, constant(set, limbs, secret), top);
      const sum = product.map(
        (residue, limb) => (residue + c[limb * set.degree]) % set.primes[limb],
      );
      return centred(set, limbs, sum)[0];
    };
    const before = constant(set, from, half);
    const after = switchModulus(basisOf(set, from), basisOf(set, to), before);
    const bound = noiseAfterSwitching(set, committee, noiseOf(from, before), from, to);
    expect(noiseOf(to, after)).toBe(1n + BigInt(set.degree) * secret);
    expect(bound - noiseOf(to, after)).toBeLessThanOrEqual(2n);
    expect(bound - noiseOf(to, after)).toBeGreaterThanOrEqual(0n);
  });

  it('counts every step', () => {
    const set = parameterSet('bfv-8192-b20');
    const committee = committeeOf(4);
    const two = noiseAfterSwitching(set, committee, 1n << 90n, 4, 2);
    const once = noiseAfterSwitching(set, committee, 1n << 90n, 4, 3);
    expect(noiseAfterSwitching(set, committee, once, 3, 2)).toBe(two);
    expect(noiseAfterSwitching(set, committee, 5n, 3, 3)).toBe(5n);
  });
});

describe('a parameter set without room', () => {
  it('is refused with the numbers', () => {
    const set = parameterSet('insecure-bfv-1024');
    const small = { ...set, primes: set.primes.slice(0, 3) };
    expect(() => decryptionPlan(small, committeeOf(4))).toThrow(
      expect.objectContaining({
        code: FheErrorCode.NOISE_NEVER_FITS,
        metadata: expect.objectContaining({ n: 4, lambda: 64, hiddenNoise: 0n }) as unknown,
      }),
    );
  });
});
