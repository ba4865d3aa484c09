import { describe, expect, it } from 'vitest';
import { sealContext } from '../../../workers/fhe/context.ts';
import { serializeCiphertext } from '../../../workers/fhe/ciphertext.ts';
import { withArithmetic } from '../../../workers/fhe/evaluation.ts';
import {
  entryStart,
  relinearizationKeys,
  switchingKeys,
} from '../../../workers/fhe/evaluation-keys.ts';
import { serializePublicKey } from '../../../workers/fhe/keys.ts';
import {
  evaluationKeyError,
  freshNoiseBound,
  keySwitchingNoise,
  modulusOf,
  noiseOfPlainProduct,
  noiseOfProduct,
  noiseOfScalarProduct,
  noiseOfSum,
  plaintextNoise,
  reencryptionNoise,
  roundingNoise,
} from '../../../workers/fhe/noise-growth.ts';
import type { EvaluationKeyKind } from '../../../workers/fhe/noise-growth.ts';
import { serializePlaintext } from '../../../workers/fhe/plaintext.ts';
import { seal } from '../../../workers/fhe/seal.ts';
import { add, intt, multiply, ntt, subtract } from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { uniformPolynomial } from '../../../workers/ring/uniform.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { compute, gathered } from './evaluation.ts';
import { centred, constant, infinityNorm, phase, polynomialsOf, residuesOf } from './support.ts';

// Each bound against ciphertexts and keys that are made to come close to it, computed on by SEAL.
// Polynomials of one integer do: at the highest coefficient all products have the same sign.

const set = parameterSet('insecure-bfv-1024-b17');
const { degree, plainModulus: t, primes } = set;
const N = BigInt(degree);
const first = primes.length - 1;
const P = primes.at(-1)!;
const keys = basisOf(set);

/** A ciphertext of 0 whose noise is given, for a given second polynomial and secret. */
function ciphertextOf(
  limbs: number,
  noise: readonly bigint[],
  c1: RnsVector,
  secret: RnsVector,
): Uint8Array {
  const product = phase(set, limbs, [new BigUint64Array(c1.length), c1], secret);
  const c0 = residuesOf(
    set,
    limbs,
    noise.map((value, at) => value - product[at]),
  );
  return serializeCiphertext(set, { limbs, c0, c1 });
}

/** An entry of digits (e - a·s + P·from·[limb d], a) with the same error at every coefficient. */
function entryOf(secret: RnsVector, from: RnsVector, error: bigint): Uint8Array[] {
  const errorNtt = ntt(keys, constant(set, primes.length, error));
  const digits = Array.from({ length: first }, (_, digit) => {
    const a = uniformPolynomial(keys, new Uint8Array(32).fill(digit));
    const masked = subtract(keys, errorNtt, multiply(keys, a, secret));
    return serializePublicKey(set, add(keys, masked, inLimb(digit, from)), a);
  });
  return [entryStart(set), ...digits];
}

/** P·x in one limb, zero in the others. */
function inLimb(limb: number, x: RnsVector): RnsVector {
  const only = new BigUint64Array(x.length);
  for (let at = limb * degree; at < (limb + 1) * degree; at++) {
    only[at] = (x[at] * P) % primes[limb];
  }
  return only;
}

/** A Ciphertext object of three polynomials, made from a product of SEAL's by replacing them. */
function threePolynomials(limbs: number, polynomial: RnsVector): Uint8Array {
  const two = serializeCiphertext(set, { limbs, c0: polynomial, c1: polynomial });
  const { product } = compute(set, {}, ({ evaluator, load }) => {
    const product = load(two);
    evaluator.multiplyInplace(product, load(two));
    return { product };
  });
  const length = polynomial.byteLength;
  for (let i = 1; i <= 3; i++) {
    product.set(new Uint8Array(polynomial.buffer), product.length - i * length);
  }
  return product;
}

const top = (values: readonly bigint[]): bigint => values.at(-1)!;

const committees = [4, 13];
const levels = committees.flatMap((n) => [first, 3, 2].map((limbs) => ({ n, limbs })));

describe.each(levels)('noise under a key of n=$n at $limbs primes', ({ n, limbs }) => {
  const q = modulusOf(set, limbs);
  const committee = committeeOf(n);
  const secret = BigInt(committee.sets.length);
  const secretNtt = ntt(keys, constant(set, primes.length, secret));
  const dataNtt = secretNtt.slice(0, limbs * degree);
  const noiseOf = (bytes: Uint8Array): bigint[] =>
    phase(set, limbs, polynomialsOf(set, limbs, bytes), dataNtt);

  it('of a product is reached, to within a factor of two', () => {
    // A fresh product at two primes has room for no more.
    const noise = 1n << (limbs > 2 ? 40n : 30n);
    // (q-1)/2·s is at most N·|s|·q/2 and changes its sign in the middle, which the noise follows.
    const c1 = constant(set, limbs, (q - 1n) / 2n);
    const signs = Array.from({ length: degree }, (_, at) => (2 * at < degree ? noise : -noise));
    const worst = ciphertextOf(limbs, signs, c1, dataNtt);
    const quiet = ciphertextOf(limbs, new Array<bigint>(degree).fill(0n), c1, dataNtt);
    const { square, mixed } = compute(set, {}, ({ evaluator, load }, own) => {
      const square = own(new seal.Ciphertext());
      evaluator.multiply(load(worst), load(worst), square);
      const mixed = own(new seal.Ciphertext());
      evaluator.multiply(load(worst), load(quiet), mixed);
      return { square, mixed };
    });
    for (const [product, left, right] of [
      [square, noise, noise],
      [mixed, noise, 0n],
    ] as const) {
      const measured = infinityNorm(noiseOf(product));
      const bound = noiseOfProduct(set, committee, limbs, left, right);
      expect(measured).toBeLessThanOrEqual(bound);
      expect(bound).toBeLessThan(2n * measured + (measured >> 4n));
    }
  });

  it('of a product without noise is what SEAL rounds', () => {
    const c1 = uniformPolynomial(basisOf(set, limbs), new Uint8Array(32));
    const zero = ciphertextOf(limbs, new Array<bigint>(degree).fill(0n), c1, dataNtt);
    const { product } = compute(set, {}, ({ evaluator, load }) => {
      const product = load(zero);
      evaluator.multiplyInplace(product, load(zero));
      return { product };
    });
    const measured = infinityNorm(noiseOf(product));
    expect(measured).toBeGreaterThan(N * secret * secret);
    expect(measured).toBeLessThanOrEqual(noiseOfProduct(set, committee, limbs, 0n, 0n));
  });

  it('of sums and products with plaintexts is reached', () => {
    const noise = 1n << 40n;
    const one = residuesOf(set, limbs, [1n, ...new Array<bigint>(degree - 1).fill(0n)]);
    const bytes = ciphertextOf(limbs, new Array<bigint>(degree).fill(noise), one, dataNtt);
    const plaintext = serializePlaintext(set, new BigUint64Array(degree).fill(t / 2n));
    const { sum, product } = compute(set, {}, ({ evaluator, load }, own) => {
      const sum = load(bytes);
      evaluator.addInplace(sum, load(bytes));
      const plain = own(new seal.Plaintext());
      plain.loadFromArray(sealContext(set).handle, plaintext);
      const product = own(new seal.Ciphertext());
      evaluator.multiplyPlain(load(bytes), plain, product);
      return { sum, product };
    });
    expect(infinityNorm(noiseOf(sum))).toBe(noiseOfSum(noise, noise));
    expect(top(noiseOf(product))).toBe(noiseOfPlainProduct(set, noise));
  });

  it.each<EvaluationKeyKind>(['relinearization', 'galois', 'switching'])(
    'of switching with a %s key is reached, to within the rounding',
    async (kind) => {
      // Digits are residues: those of -1 are as large as residues get.
      const minusOne = constant(set, limbs, -1n);
      const error = evaluationKeyError(set, committee, kind);
      let after: Uint8Array;
      let before: bigint[];
      if (kind === 'relinearization') {
        const entry = entryOf(secretNtt, multiply(keys, secretNtt, secretNtt), error);
        const relinearization = await gathered(relinearizationKeys(set, entry));
        const three = threePolynomials(limbs, minusOne);
        before = noiseOf(three);
        ({ after } = compute(set, { relinearization }, (tools) => {
          const ciphertext = tools.load(three);
          tools.evaluator.relinearizeInplace(ciphertext, tools.relinearization);
          return { after: ciphertext };
        }));
      } else {
        const galois = await gathered(switchingKeys(set, entryOf(secretNtt, secretNtt, error)));
        const two = serializeCiphertext(set, { limbs, c0: minusOne, c1: minusOne });
        before = noiseOf(two);
        ({ after } = compute(set, { galois }, (tools) => {
          const ciphertext = tools.load(two);
          tools.evaluator.applyGaloisInplace(ciphertext, 1, tools.galois);
          return { after: ciphertext };
        }));
      }
      const added = noiseOf(after).map((value, at) => {
        const difference = (((value - before[at]) % q) + q) % q;
        return 2n * difference > q ? difference - q : difference;
      });
      const bound = keySwitchingNoise(set, committee, limbs, kind);
      const rounding = roundingNoise(set, committee);
      expect(infinityNorm(added)).toBeLessThanOrEqual(bound);
      expect(top(added)).toBeGreaterThanOrEqual(bound - 2n * rounding - 1n);
    },
  );

  it('of products with constants is reached, at half the plain modulus and below', () => {
    const noise = 1n << 40n;
    const one = residuesOf(set, limbs, [1n, ...new Array<bigint>(degree - 1).fill(0n)]);
    const bytes = ciphertextOf(limbs, new Array<bigint>(degree).fill(noise), one, dataNtt);
    for (const scalar of [1n, -1n, 7n, t / 2n, t / 2n + 1n, -(t / 2n), t - 2n]) {
      const product = withArithmetic(set, (arithmetic) =>
        arithmetic.save(arithmetic.multiplyScalar(arithmetic.load(bytes), scalar)),
      );
      expect(infinityNorm(noiseOf(product))).toBe(noiseOfScalarProduct(set, scalar, noise));
    }
  });

  it('of a constant that is added is what SEAL rounds', () => {
    const one = residuesOf(set, limbs, [1n, ...new Array<bigint>(degree - 1).fill(0n)]);
    const bytes = ciphertextOf(limbs, new Array<bigint>(degree).fill(0n), one, dataNtt);
    let largest = 0n;
    for (const scalar of [1n, 2n, 3n, t / 2n, t / 2n + 1n, t - 1n]) {
      const sum = withArithmetic(set, (arithmetic) =>
        arithmetic.save(arithmetic.addScalar(arithmetic.load(bytes), scalar)),
      );
      // t·v = t·(c0 + c1·s) - q·m, in whole numbers.
      const [at0, ...others] = noiseOf(sum).map((value) => t * value);
      const rest = (((at0 - q * scalar) % (t * q)) + t * q) % (t * q);
      const scaled = 2n * rest > t * q ? t * q - rest : rest;
      expect(infinityNorm(others)).toBe(0n);
      expect(scaled).toBeLessThanOrEqual(t * plaintextNoise);
      if (scaled > largest) largest = scaled;
    }
    expect(largest).toBeGreaterThan(0n);
  });
});

describe.each(committees)('noise under a key of n=%i', (n) => {
  const committee = committeeOf(n);
  const secret = BigInt(committee.sets.length);
  const secretNtt = ntt(keys, constant(set, primes.length, secret));

  it('of a relinearization key is reached by secrets and errors at their largest', () => {
    const digit = 1;
    const a = uniformPolynomial(keys, new Uint8Array(32).fill(7));
    const u = secretNtt;
    const error = ntt(keys, constant(set, primes.length, 21n * secret));
    const masked = inLimb(digit, secretNtt);
    const h0 = add(keys, subtract(keys, masked, multiply(keys, u, a)), error);
    const h1 = add(keys, multiply(keys, secretNtt, a), error);
    const crossed = multiply(keys, subtract(keys, u, secretNtt), h1);
    const g = add(keys, add(keys, multiply(keys, secretNtt, h0), crossed), error);
    const squared = inLimb(digit, multiply(keys, secretNtt, secretNtt));
    const rest = subtract(keys, add(keys, g, multiply(keys, h1, secretNtt)), squared);
    const measured = centred(set, primes.length, intt(keys, rest));
    const bound = evaluationKeyError(set, committee, 'relinearization');
    expect(infinityNorm(measured)).toBe(bound);
    expect(top(measured)).toBe(bound);
  });

  // Highest coefficient of the product of two polynomials of one integer each.
  const times = (x: bigint, y: bigint): bigint => {
    const zero = new BigUint64Array(first * degree);
    const right = ntt(basisOf(set, first), constant(set, first, y));
    return top(phase(set, first, [zero, constant(set, first, x)], right));
  };

  it('of a re-encryption is reached by a user key and errors at their largest', () => {
    const reached = times(secret, 21n) + 21n * secret + times(21n * secret, 1n);
    expect(reencryptionNoise(set, committee)).toBe(reached);
  });

  it('of a fresh ciphertext is reached before SEAL divides by the special prime', () => {
    const atKeyLevel = times(1n, 21n * secret) + 21n + times(21n, secret);
    const bound = (atKeyLevel + P - 1n) / P + roundingNoise(set, committee) + 1n;
    expect(freshNoiseBound(set, committee)).toBe(bound);
  });
});
