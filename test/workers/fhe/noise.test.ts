import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { firstLimbs } from '../../../workers/fhe/ciphertext.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import {
  decryptionPlan,
  decryptsCorrectly,
  freshNoiseBound,
  hiddenNoise,
  noiseAfterSwitching,
} from '../../../workers/fhe/noise.ts';
import { negacyclicCoefficients } from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { scaleAndRound } from '../../../workers/ring/rounding.ts';
import { switchModulus } from '../../../workers/ring/switching.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { centred } from './support.ts';

const sizes = [4, 7, 10, 13];
const cases = parameterSets.flatMap((set) =>
  sizes.map((n) => ({ name: set.name, n, set, committee: committeeOf(n) })),
);

const modulusOf = (set: ParameterSet, limbs: number): bigint =>
  set.primes.slice(0, limbs).reduce((product, prime) => product * prime, 1n);

/** Residues of one integer per coefficient. */
function vectorOf(set: ParameterSet, limbs: number, integers: readonly bigint[]): RnsVector {
  const residues = set.primes
    .slice(0, limbs)
    .flatMap((prime) => integers.map((integer) => ((integer % prime) + prime) % prime));
  return BigUint64Array.from(residues);
}

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

  it('decrypts noise at the bound under flooding at the extreme', () => {
    const q = modulusOf(set, plan.limbs);
    const t = set.plainModulus;
    const flooding = secret << BigInt(plan.floodBits);
    const messages = [0n, 1n, t / 2n, t - 1n];
    const basis = basisOf(set, plan.limbs);
    const decrypt = (error: bigint): bigint[] => {
      // The noise bound counts from the rational q·m/t, so rounding it takes one off.
      const scaled = messages.map((m) => (2n * q * m + t) / (2n * t) + error);
      const padded = Array.from({ length: set.degree }, (_, at) => scaled[at] ?? 0n);
      return [...scaleAndRound(basis, t, vectorOf(set, plan.limbs, padded))].slice(0, 4);
    };
    expect(decrypt(flooding + limit - 1n)).toEqual(messages);
    expect(decrypt(-flooding - limit + 1n)).toEqual(messages);

    // The largest noise that satisfies the inequality, and the first that does not.
    const largest = (q - 1n) / (2n * t) - flooding;
    expect(decryptsCorrectly(set, committee, plan.limbs, plan.floodBits, largest)).toBe(true);
    expect(decryptsCorrectly(set, committee, plan.limbs, plan.floodBits, largest + 1n)).toBe(false);
    expect(decrypt(flooding + largest - 1n)).toEqual(messages);
    expect(decrypt(flooding + largest + 2n)).toEqual(messages.map((m) => (m + 1n) % t));
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
    const constant = (limbs: number, integer: bigint): RnsVector =>
      vectorOf(set, limbs, new Array<bigint>(set.degree).fill(integer));
    const noiseOf = (limbs: number, c: RnsVector): bigint => {
      const top = Uint32Array.of(set.degree - 1);
      const basis = basisOf(set, limbs);
      const product = negacyclicCoefficients(basis, c, constant(limbs, secret), top);
      const sum = product.map(
        (residue, limb) => (residue + c[limb * set.degree]) % set.primes[limb],
      );
      return centred(set, limbs, sum)[0];
    };
    const before = constant(from, half);
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
