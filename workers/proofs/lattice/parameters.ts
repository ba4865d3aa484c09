import type { ParameterSet } from '../../ring/parameters.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import { binomialBound } from '../sampling.ts';

/** Bits of soundness: a prover without a witness succeeds with 2^-128 per hash at most. */
const SOUNDNESS_BITS = 128;
/** Residues that intervals are cut from are computed with as doubles. */
const PRIME_LIMIT = 1n << 53n;
/** More tries than that on average, and the parameter set is refused. */
const MOST_EXPECTED_TRIES = 10;

/** How one equation modulo q is rounded: see rounding.ts. */
export interface Rounding {
  /** The prime that the intervals lie in, by its position. */
  readonly limb: number;
  /** Intervals have length 2^bits, but for the last of the prime. */
  readonly bits: number;
  /** Largest absolute value of the honest error, e1 or w. */
  readonly errorBound: number;
}

/** The numbers of the lattice proof, all computed from a parameter set. See docs/input-proofs.md. */
export interface LatticeParameters {
  readonly set: ParameterSet;
  /** Primes of a fresh ciphertext. */
  readonly primes: readonly bigint[];
  /** R: independent runs of the protocol. */
  readonly repetitions: number;
  /** A challenge is X^e with e below 2^exponentBits = 2N. */
  readonly exponentBits: number;
  /** Masks are uniform in [-M, M-1] with M = 2^maskBits. */
  readonly maskBits: number;
  /** Of c1 = a·u + e1. */
  readonly narrow: Rounding;
  /** Of t·c0 = (t·b)·u + w. */
  readonly wide: Rounding;
  /** Largest squared norm of a response: 1.1·N·M²/3, rounded down. */
  readonly normBound: number;
  /** The mean number of tries until masks are kept, computed. */
  readonly expectedTries: number;
}

const known = new WeakMap<ParameterSet, LatticeParameters>();

/**
 * The lattice proof's parameters for a parameter set.
 *
 * @throws ProofError PLAIN_MODULUS_EVEN; PRIME_TOO_LARGE; PLAIN_MODULUS_TOO_LARGE with the interval bits that would be
 * needed, those that the largest prime has, and the number of tries that this would take
 */
export function latticeParameters(set: ParameterSet): LatticeParameters {
  let parameters = known.get(set);
  if (parameters === undefined) known.set(set, (parameters = derive(set)));
  return parameters;
}

function derive(set: ParameterSet): LatticeParameters {
  const { degree, plainModulus } = set;
  if (plainModulus % 2n === 0n) {
    throw new ProofError(
      ProofErrorCode.PLAIN_MODULUS_EVEN,
      'a lattice proof needs an odd plain modulus',
      { metadata: { set: set.name, plainModulus } },
    );
  }
  const primes = set.primes.slice(0, -1);
  const largest = primes.reduce((most, prime) => (prime > most ? prime : most));
  if (largest >= PRIME_LIMIT) {
    throw new ProofError(ProofErrorCode.PRIME_TOO_LARGE, 'a prime of more than 53 bits', {
      metadata: { set: set.name, prime: largest },
    });
  }
  const exponentBits = Math.log2(2 * degree);
  const repetitions = Math.ceil(SOUNDNESS_BITS / exponentBits);
  const coefficients = repetitions * degree;
  // What each of the three conditions may reject, as the exponent of e^-x: 1/3, 1/4 and 1/2.
  const maskBits = bitsFor(3 * coefficients);
  const narrowBits = bitsFor(4 * 2 * binomialBound * coefficients);
  const narrow = { limb: 0, bits: narrowBits, errorBound: binomialBound };
  const wideBound = binomialBound * Number(plainModulus) + (Number(plainModulus) - 1) / 2;
  const wantedBits = bitsFor(2 * 2 * wideBound * coefficients);
  const limb = primes.indexOf(largest);
  const primeBits = largest.toString(2).length - 1;
  const wide = { limb, bits: Math.min(wantedBits, primeBits), errorBound: wideBound };
  const expectedTries =
    1 /
    ((1 - 2 ** -maskBits) ** coefficients *
      inside(narrow, primes) ** coefficients *
      inside(wide, primes) ** coefficients);
  if (!(expectedTries <= MOST_EXPECTED_TRIES)) {
    throw new ProofError(
      ProofErrorCode.PLAIN_MODULUS_TOO_LARGE,
      'the plain modulus is too large for a lattice proof with these primes',
      { metadata: { set: set.name, plainModulus, wantedBits, primeBits, expectedTries } },
    );
  }
  const normBound = Math.floor((11 * degree * 4 ** maskBits) / 30);
  return Object.freeze({
    ...{ set, primes, repetitions, exponentBits, maskBits, narrow, wide, normBound, expectedTries },
  });
}

/** The least b with 2^b ≥ x. */
function bitsFor(x: number): number {
  return Math.ceil(Math.log2(x));
}

/** The part of a prime's residues that stay in their interval whatever error is added. */
function inside({ limb, bits, errorBound }: Rounding, primes: readonly bigint[]): number {
  const prime = Number(primes[limb]);
  const length = 2 ** bits;
  const whole = Math.floor(prime / length);
  const last = Math.max(0, prime - whole * length - 2 * errorBound);
  return Math.max(0, whole * (length - 2 * errorBound) + last) / prime;
}
