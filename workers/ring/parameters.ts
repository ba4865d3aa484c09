import { RingError, RingErrorCode } from './errors.ts';

/** A named choice of ring, modulus and plaintext space. Names are what keys are requested by. */
export interface ParameterSet {
  readonly name: string;
  readonly scheme: 'bfv';
  /** N, a power of two: the ring is Z[X]/(X^N + 1). */
  readonly degree: number;
  /** The primes of q in SEAL's order; the last one is the special prime, used by keys only. */
  readonly primes: readonly bigint[];
  /** t, a prime with 2N | t - 1, so that plaintexts batch. */
  readonly plainModulus: bigint;
  /** False for sets whose ring is too small to hide anything. */
  readonly secure: boolean;
  /** Statistical security of decryption in bits: how well flooding hides the noise. */
  readonly lambda: number;
}

export const parameterSets: readonly ParameterSet[] = [
  {
    // SEAL: CoeffModulus::BFVDefault(8192, tc128) and PlainModulus::Batching(8192, 20).
    name: 'bfv-8192-b20',
    scheme: 'bfv',
    degree: 8192,
    primes: [8796092858369n, 8796092792833n, 17592186028033n, 17592185438209n, 17592184717313n],
    plainModulus: 1032193n,
    secure: true,
    lambda: 64,
  },
  {
    // SEAL: CoeffModulus::Create(1024, {44, 44, 44, 44}) and PlainModulus::Batching(1024, 17).
    name: 'insecure-bfv-1024',
    scheme: 'bfv',
    degree: 1024,
    primes: [17592185853953n, 17592185982977n, 17592185997313n, 17592186028033n],
    plainModulus: 120833n,
    secure: false,
    lambda: 64,
  },
];

/**
 * The parameter set of a name.
 *
 * @throws RingError PARAMETER_SET_UNKNOWN
 */
export function parameterSet(name: string): ParameterSet {
  const found = parameterSets.find((set) => set.name === name);
  if (found === undefined) {
    throw new RingError(RingErrorCode.PARAMETER_SET_UNKNOWN, 'unknown parameter set', {
      metadata: { name },
    });
  }
  return found;
}
