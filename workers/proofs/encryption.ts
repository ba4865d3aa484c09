import type { Ciphertext } from '../fhe/ciphertext.ts';
import { firstLimbs, serializeCiphertext } from '../fhe/ciphertext.ts';
import { modInverse } from '../kernels/numbers.ts';
import { add, intt, multiply, ntt } from '../ring/arithmetic.ts';
import { basisOf, type Basis } from '../ring/basis.ts';
import { linearCombination } from '../ring/combination.ts';
import { lift } from '../ring/lifting.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { ProofError, ProofErrorCode } from './errors.ts';
import type { EncryptionKey } from './key.ts';
import { secureRandomBytes, type RandomBytes } from './randomness.ts';
import { binomial, ternary } from './sampling.ts';

/**
 * The secret of an encryption (c0, c1): modulo q and X^N + 1,
 *
 *     c1 = a·u + e1        t·c0 = (t·b)·u + w        w = t·e0 - [q·m]_t
 *
 * with [·]_t the representative from -⌊t/2⌋ on. The message is -w/q mod t, e0 the rest.
 */
export interface Witness {
  /** From -1 to 1. */
  readonly u: Int8Array;
  /** From -21 to 21. */
  readonly e1: Int8Array;
  /** At most 21·t + t/2 in absolute value. */
  readonly w: Float64Array;
}

export interface Encryption {
  /** At the first level. */
  readonly ciphertext: Ciphertext;
  readonly witness: Witness;
}

/**
 * Encrypts at the first level, so that all that was random is known: what SEAL's own Encryptor, which
 * works at the key level, does not let one know. Stock SEAL computes with the result and decrypts it.
 *
 * @param coefficients the plaintext: N values below t
 * @throws ProofError PLAINTEXT_INVALID
 */
export function encryptWithWitness(
  key: EncryptionKey,
  coefficients: BigUint64Array,
  randomBytes: RandomBytes = secureRandomBytes,
): Encryption {
  const { set } = key;
  const { degree, plainModulus } = set;
  requirePlaintext(set, coefficients);
  const basis = basisOf(set, firstLimbs(set));
  const u = ternary(degree, randomBytes);
  const e0 = binomial(degree, randomBytes);
  const e1 = binomial(degree, randomBytes);
  const w = scaledError(basis, plainModulus, coefficients, e0);
  const witness = { u, e1, w };
  return { ciphertext: ciphertextOf(key, witness), witness };
}

/** What is registered of an encryption that comes with a proof. */
export interface ProvableEncryption {
  /** SEAL's uncompressed Ciphertext object of 2c: it decrypts to the plaintext. */
  readonly registered: Uint8Array;
  /** Of c, which encrypts half the plaintext modulo t. */
  readonly witness: Witness;
}

/**
 * Encrypts for a lattice proof: c encrypts half of the plaintext modulo t, and 2c is what counts.
 *
 * @param coefficients the plaintext: N values below t
 * @throws ProofError PLAIN_MODULUS_EVEN, PLAINTEXT_INVALID
 */
export function encryptForProof(
  key: EncryptionKey,
  coefficients: BigUint64Array,
  randomBytes: RandomBytes = secureRandomBytes,
): ProvableEncryption {
  const { set } = key;
  const { plainModulus } = set;
  if (plainModulus % 2n === 0n) {
    throw new ProofError(ProofErrorCode.PLAIN_MODULUS_EVEN, 'no half modulo an even number', {
      metadata: { set: set.name, plainModulus },
    });
  }
  requirePlaintext(set, coefficients);
  const halves = coefficients.map((m) => (m % 2n === 0n ? m : m + plainModulus) / 2n);
  const { ciphertext, witness } = encryptWithWitness(key, halves, randomBytes);
  const { limbs, c0, c1 } = ciphertext;
  const basis = basisOf(set, limbs);
  const doubled = { limbs, c0: add(basis, c0, c0), c1: add(basis, c1, c1) };
  return { registered: serializeCiphertext(set, doubled), witness };
}

/** The ciphertext of a witness. */
export function ciphertextOf(key: EncryptionKey, { u, e1, w }: Witness): Ciphertext {
  const { set } = key;
  const limbs = firstLimbs(set);
  const basis = basisOf(set, limbs);
  const { primes } = basis;
  const uNtt = ntt(basis, lift(primes, u));
  const scaled = add(basis, intt(basis, multiply(basis, uNtt, key.tb)), lift(primes, w));
  const inverses = primes.map((prime) => [modInverse(set.plainModulus, prime)]);
  return {
    limbs,
    c0: linearCombination(primes, [scaled], inverses),
    c1: add(basis, intt(basis, multiply(basis, uNtt, key.a)), lift(primes, e1)),
  };
}

/** t·e0 - [q·m]_t: rounds q·m/t to the nearest integer, halves up. */
function scaledError(
  { primes }: Basis,
  plainModulus: bigint,
  coefficients: BigUint64Array,
  e0: Int8Array,
): Float64Array {
  const modulus = primes.reduce((product, prime) => (product * prime) % plainModulus, 1n);
  const half = plainModulus / 2n;
  const t = Number(plainModulus);
  return Float64Array.from(e0, (error, i) => {
    const rest = ((modulus * coefficients[i] + half) % plainModulus) - half;
    return t * error - Number(rest);
  });
}

function requirePlaintext({ degree, plainModulus }: ParameterSet, coefficients: BigUint64Array) {
  const valid = coefficients.length === degree && coefficients.every((m) => m < plainModulus);
  if (valid) return;
  throw new ProofError(ProofErrorCode.PLAINTEXT_INVALID, 'a plaintext is N values below t', {
    metadata: { coefficients: coefficients.length, degree, plainModulus },
  });
}
