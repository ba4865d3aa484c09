import { RingError, RingErrorCode } from './errors.ts';

/** A named choice of ring, modulus and plaintext space. Names are what keys are requested by. */
export interface ParameterSet {
  readonly name: string;
  readonly scheme: 'bfv';
  /** N, a power of two: the ring is Z[X]/(X^N + 1). */
  readonly degree: number;
  /** The primes of q in SEAL's order; the last one is the special prime, used by keys only. */
  readonly primes: readonly bigint[];
  /**
   * t. A prime with 2N | t - 1 for plaintexts that batch; a power of two for integers that wrap
   * around in coefficient 0.
   */
  readonly plainModulus: bigint;
  /** Whether a plaintext is N slots. Otherwise it is polynomial, and a number is its coefficient 0. */
  readonly batching: boolean;
  /** False for sets whose ring is too small to hide anything. */
  readonly secure: boolean;
  /** Statistical security of decryption in bits: how well flooding hides the noise. */
  readonly lambda: number;
}

/** SEAL: CoeffModulus::BFVDefault(8192, tc128). */
const primes8192 = [
  8796092858369n,
  8796092792833n,
  17592186028033n,
  17592185438209n,
  17592184717313n,
];

/** SEAL: CoeffModulus::BFVDefault(16384, tc128). */
const primes16384 = [
  281474976546817n,
  281474976317441n,
  281474975662081n,
  562949952798721n,
  562949952700417n,
  562949952274433n,
  562949951979521n,
  562949951881217n,
  562949951619073n,
];

/** SEAL: CoeffModulus::Create(1024, {44, 44, 44, 44, 44}). */
const primes1024 = [
  17592185819137n,
  17592185853953n,
  17592185982977n,
  17592185997313n,
  17592186028033n,
];

// A name says whether the set is insecure, then the scheme, N and the plaintext space: b20 batches
// modulo a prime of 20 bits, w32 wraps around modulo 2^32. docs/parameters.md has what each can do.

export const parameterSets: readonly ParameterSet[] = [
  {
    // SEAL: PlainModulus::Batching(8192, 20).
    name: 'bfv-8192-b20',
    scheme: 'bfv',
    degree: 8192,
    primes: primes8192,
    plainModulus: 1032193n,
    batching: true,
    secure: true,
    lambda: 64,
  },
  {
    // SEAL: PlainModulus::Batching(16384, 20).
    name: 'bfv-16384-b20',
    scheme: 'bfv',
    degree: 16384,
    primes: primes16384,
    plainModulus: 786433n,
    batching: true,
    secure: true,
    lambda: 64,
  },
  {
    name: 'bfv-8192-w16',
    scheme: 'bfv',
    degree: 8192,
    primes: primes8192,
    plainModulus: 1n << 16n,
    batching: false,
    secure: true,
    lambda: 64,
  },
  {
    // For sums: a product does not fit at this size.
    name: 'bfv-8192-w32',
    scheme: 'bfv',
    degree: 8192,
    primes: primes8192,
    plainModulus: 1n << 32n,
    batching: false,
    secure: true,
    lambda: 64,
  },
  {
    name: 'bfv-16384-w32',
    scheme: 'bfv',
    degree: 16384,
    primes: primes16384,
    plainModulus: 1n << 32n,
    batching: false,
    secure: true,
    lambda: 64,
  },
  {
    // SEAL: PlainModulus::Batching(1024, 17). For sums: one prime less than the next set.
    name: 'insecure-bfv-1024',
    scheme: 'bfv',
    degree: 1024,
    primes: primes1024.slice(1),
    plainModulus: 120833n,
    batching: true,
    secure: false,
    lambda: 64,
  },
  {
    // With room for a product.
    name: 'insecure-bfv-1024-b17',
    scheme: 'bfv',
    degree: 1024,
    primes: primes1024,
    plainModulus: 120833n,
    batching: true,
    secure: false,
    lambda: 64,
  },
];

/** Schemes of SEAL that keys cannot be made for; docs/parameters.md says why. */
const unsupportedScheme = /^(?:insecure-)?(bgv|ckks)(?:-|$)/;

/**
 * The parameter set of a name.
 *
 * @throws RingError SCHEME_UNSUPPORTED for names of BGV and CKKS sets, PARAMETER_SET_UNKNOWN
 */
export function parameterSet(name: string): ParameterSet {
  const found = parameterSets.find((set) => set.name === name);
  if (found !== undefined) return found;
  const scheme = unsupportedScheme.exec(name)?.[1];
  if (scheme !== undefined) {
    throw new RingError(
      RingErrorCode.SCHEME_UNSUPPORTED,
      `no threshold keys for ${scheme.toUpperCase()}: choose a BFV set (docs/parameters.md)`,
      { metadata: { name, scheme } },
    );
  }
  throw new RingError(RingErrorCode.PARAMETER_SET_UNKNOWN, 'unknown parameter set', {
    metadata: { name },
  });
}
