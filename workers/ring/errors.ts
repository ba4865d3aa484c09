import { KeyloomError } from '../errors.ts';

export const RingErrorCode = {
  /** No parameter set has this name. */
  PARAMETER_SET_UNKNOWN: 'RING_PARAMETER_SET_UNKNOWN',
  /** The name is of a set of BGV or CKKS, for which there are no keys. */
  SCHEME_UNSUPPORTED: 'RING_SCHEME_UNSUPPORTED',
  /** A vector has another length than its basis, width or number of limbs says. */
  LENGTH_MISMATCH: 'RING_LENGTH_MISMATCH',
  /** A number of limbs is outside [1, primes of the set], or above what an operation allows. */
  LIMBS_OUT_OF_RANGE: 'RING_LIMBS_OUT_OF_RANGE',
  /** The target basis is not the source basis without some of its last primes. */
  BASIS_MISMATCH: 'RING_BASIS_MISMATCH',
  /** A coefficient position is not an integer in [0, N). */
  POSITION_OUT_OF_RANGE: 'RING_POSITION_OUT_OF_RANGE',
  /** A scalar is not in [0, p), a bit width not in its range, or a plain modulus unusable. */
  SCALAR_OUT_OF_RANGE: 'RING_SCALAR_OUT_OF_RANGE',
  /** A residue needs more bits than its prime has. */
  RESIDUE_TOO_WIDE: 'RING_RESIDUE_TOO_WIDE',
  /** Packed residues of another length than their shape has, or with pad bits that are not zero. */
  PACKED_FORM_INVALID: 'RING_PACKED_FORM_INVALID',
  /** A Galois element is not odd, or not from 1 to 2N - 1. */
  ELEMENT_INVALID: 'RING_ELEMENT_INVALID',
  /** An accumulator was used after its value had been taken. */
  ACCUMULATOR_ENDED: 'RING_ACCUMULATOR_ENDED',
} as const;

export type RingErrorCode = (typeof RingErrorCode)[keyof typeof RingErrorCode];

/** An error of ring arithmetic. Residues never enter its metadata. */
export class RingError extends KeyloomError<RingErrorCode> {}
