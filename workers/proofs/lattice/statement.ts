import { firstLimbs, parseCiphertext } from '../../fhe/ciphertext.ts';
import { basisOf, type Basis, type RnsVector } from '../../ring/basis.ts';
import { linearCombination } from '../../ring/combination.ts';
import { concatenated, contextBytes, type ProofContext } from '../context.ts';
import { sha256 } from '../digest.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import type { EncryptionKey } from '../key.ts';
import type { Commitment, Equation } from './commitments.ts';
import { latticeParameters, type LatticeParameters } from './parameters.ts';

export type { ProofContext };

/** What is proved: `registered` is the double of an encryption to `key` whose witness is known. */
export interface Statement {
  readonly key: EncryptionKey;
  /** SEAL's uncompressed Ciphertext object of 2c, at the first level. */
  readonly registered: Uint8Array;
  readonly context: ProofContext;
}

/** A statement as prover and verifier compute with it. */
export interface PreparedStatement {
  readonly parameters: LatticeParameters;
  /** For c: the first is rounded by `parameters.narrow`, the second by `parameters.wide`. */
  readonly equations: readonly Equation[];
  /** What the digest covers besides the commitments. */
  readonly prefix: Uint8Array;
}

/** The basis in which statements are computed with. */
export function firstLevel({ set, primes }: LatticeParameters): Basis {
  return basisOf(set, primes.length);
}

const tag = new TextEncoder().encode('keyloom/input-proof/lattice/1');

/**
 * Halves the ciphertext again and binds everything that the proof is for.
 *
 * @throws FheError the format codes of a ciphertext; ProofError LEVEL_INVALID, CONTEXT_INVALID and those of
 * `latticeParameters`
 */
export async function prepare(
  { key, registered, context }: Statement,
  parameters: LatticeParameters = latticeParameters(key.set),
): Promise<PreparedStatement> {
  const { set } = key;
  const { limbs, c0, c1 } = parseCiphertext(set, registered);
  if (limbs !== firstLimbs(set)) {
    throw new ProofError(ProofErrorCode.LEVEL_INVALID, 'not at the first level', {
      metadata: { limbs, expected: firstLimbs(set) },
    });
  }
  const { narrow, wide, primes } = parameters;
  const scaled = (x: RnsVector, scalar: bigint): RnsVector => {
    const scalars = primes.map((prime) => [(scalar * ((prime + 1n) / 2n)) % prime]);
    return linearCombination(primes, [x], scalars);
  };
  return {
    parameters,
    equations: [
      { rounding: narrow, factor: key.a, right: scaled(c1, 1n) },
      { rounding: wide, factor: key.tb, right: scaled(c0, set.plainModulus) },
    ],
    prefix: concatenated([
      tag,
      parameterBytes(parameters),
      key.digest,
      await sha256(registered),
      contextBytes(context),
    ]),
  };
}

/** d: SHA-256 of the prefix and of the SHA-256 of each run's intervals. */
export async function digestOf(
  { prefix }: PreparedStatement,
  commitments: readonly Commitment[],
): Promise<Uint8Array> {
  const digests = await Promise.all(commitments.map(({ digest }) => digest));
  return sha256(concatenated([prefix, ...digests]));
}

/** e_k: bits k·b to (k+1)·b of d as a little-endian integer, b = log2(2N). */
export function exponentsOf(parameters: LatticeParameters, digest: Uint8Array): number[] {
  const { repetitions, exponentBits } = parameters;
  const bit = (at: number): number => (digest[at >> 3] >> (at & 7)) & 1;
  return Array.from({ length: repetitions }, (_, k) => {
    let exponent = 0;
    for (let i = 0; i < exponentBits; i++) exponent |= bit(k * exponentBits + i) << i;
    return exponent;
  });
}

/** Everything that proofs of two parameter sets could differ in. */
function parameterBytes(parameters: LatticeParameters): Uint8Array {
  const { set, primes, repetitions, maskBits, narrow, wide, normBound } = parameters;
  const numbers = [
    ...[set.degree, set.plainModulus, repetitions, maskBits, normBound],
    ...[narrow, wide].flatMap(({ limb, bits, errorBound }) => [limb, bits, errorBound]),
    ...[primes.length, ...primes],
  ];
  return new Uint8Array(BigUint64Array.from(numbers.map(BigInt)).buffer);
}
