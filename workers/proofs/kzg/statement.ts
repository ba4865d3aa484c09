import { firstLimbs, parseCiphertext, type Ciphertext } from '../../fhe/ciphertext.ts';
import { modInverse } from '../../kernels/numbers.ts';
import { intt } from '../../ring/arithmetic.ts';
import { basisOf, type RnsVector } from '../../ring/basis.ts';
import { linearCombination } from '../../ring/combination.ts';
import { concatenated, contextBytes, type ProofContext } from '../context.ts';
import { sha256 } from '../digest.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import type { EncryptionKey } from '../key.ts';
import { kzgParameters, type KzgParameters, type PrimeGroup } from './parameters.ts';

/** What is proved: `registered` is an encryption to `key` whose witness is known. */
export interface KzgStatement {
  readonly key: EncryptionKey;
  /** SEAL's uncompressed Ciphertext object, at the first level. */
  readonly registered: Uint8Array;
  readonly context: ProofContext;
}

/** weight·values: what an integer polynomial is a sum of. */
export interface Term {
  readonly weight: bigint;
  /** Below 2^51 in absolute value, from the highest coefficient to the lowest. */
  readonly values: Float64Array;
}

/** A polynomial with coefficients within P/2, as the sum of terms. */
export interface IntegerPolynomial {
  readonly terms: readonly Term[];
  /** Each coefficient divided by P, from the lowest on. */
  readonly fractions: Float64Array;
}

/** right = factor·u + error - P·quotient over the integers, with e1 or w as the error. */
export interface KzgEquation {
  readonly group: PrimeGroup;
  readonly error: 'e1' | 'w';
  readonly factor: IntegerPolynomial;
  readonly right: IntegerPolynomial;
}

/** A statement as prover and verifier compute with it. */
export interface PreparedKzg {
  readonly parameters: KzgParameters;
  readonly key: EncryptionKey;
  readonly ciphertext: Ciphertext;
  /** For each group of primes that of c1, then that of t·c0. */
  readonly equations: readonly KzgEquation[];
  /** What the transcript starts with. */
  readonly prefix: Uint8Array;
}

const tag = new TextEncoder().encode('keyloom/input-proof/kzg/1');

/**
 * Reads the ciphertext and binds everything that the proof is for, but for the powers of tau.
 *
 * @throws FheError the format codes of a ciphertext; ProofError LEVEL_INVALID, CONTEXT_INVALID and those of
 * `kzgParameters`
 */
export async function prepareKzg({ key, registered, context }: KzgStatement): Promise<PreparedKzg> {
  const { set } = key;
  const parameters = kzgParameters(set);
  const ciphertext = parseCiphertext(set, registered);
  const limbs = firstLimbs(set);
  if (ciphertext.limbs !== limbs) {
    throw new ProofError(ProofErrorCode.LEVEL_INVALID, 'not at the first level', {
      metadata: { limbs: ciphertext.limbs, expected: limbs },
    });
  }
  const basis = basisOf(set, limbs);
  const scalars = basis.primes.map((prime) => [set.plainModulus % prime]);
  const sides = [
    { error: 'e1', factor: intt(basis, key.a), right: ciphertext.c1 },
    {
      error: 'w',
      factor: intt(basis, key.tb),
      right: linearCombination(basis.primes, [ciphertext.c0], scalars),
    },
  ] as const;
  const equations = parameters.groups.flatMap((group) =>
    sides.map(({ error, factor, right }) => ({
      ...{ group, error },
      factor: integers(group, set.degree, factor),
      right: integers(group, set.degree, right),
    })),
  );
  const prefix = concatenated([
    ...[tag, parameterBytes(parameters), key.digest, await sha256(registered)],
    contextBytes(context),
  ]);
  return { parameters, key, ciphertext, equations, prefix };
}

/**
 * The representative modulo P closest to zero: with y_i = x·(P/p_i)^-1 mod p_i it is
 * Σ y_i·(P/p_i) - P·round(Σ y_i/p_i).
 */
function integers(group: PrimeGroup, degree: number, residues: RnsVector): IntegerPolynomial {
  const { primes, modulus, start } = group;
  const weights = primes.map((prime) => modulus / prime);
  const inverses = primes.map((prime, i) => [modInverse(weights[i], prime)]);
  const own = residues.slice(start * degree, (start + primes.length) * degree);
  const scaled = linearCombination(primes, [own], inverses);
  const halves = new Uint32Array(scaled.buffer, scaled.byteOffset, 2 * scaled.length);
  const fractions = new Float64Array(degree);
  const terms: Term[] = primes.map((prime, limb) => {
    const values = new Float64Array(degree);
    const divisor = Number(prime);
    for (let i = 0; i < degree; i++) {
      const at = 2 * (limb * degree + i);
      const value = halves[at] + halves[at + 1] * 2 ** 32;
      values[degree - 1 - i] = value;
      fractions[i] += value / divisor;
    }
    return { weight: weights[limb], values };
  });
  const wraps = new Float64Array(degree);
  for (let i = 0; i < degree; i++) {
    const wrap = Math.round(fractions[i]);
    wraps[degree - 1 - i] = wrap;
    fractions[i] -= wrap;
  }
  return { terms: [...terms, { weight: -modulus, values: wraps }], fractions };
}

/** Everything that proofs of two parameter sets could differ in. */
function parameterBytes({ set, groups, cells, limbs, columns }: KzgParameters): Uint8Array {
  const numbers = [
    ...[set.degree, set.plainModulus, cells, limbs, columns, groups.length],
    ...groups.flatMap(({ primes }) => [primes.length, ...primes]),
  ];
  return new Uint8Array(BigUint64Array.from(numbers.map(BigInt)).buffer);
}
