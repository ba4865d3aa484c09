import { KeyloomError } from '../errors.ts';

/** Why there is no proof, or why one is refused. */
export const ProofErrorCode = {
  /** t is even: the plaintext cannot be halved, nor t inverted. The metadata has t. */
  PLAIN_MODULUS_EVEN: 'PROOF_PLAIN_MODULUS_EVEN',
  /** t is so large that too few tries succeed: the metadata has the bits wanted and available. */
  PLAIN_MODULUS_TOO_LARGE: 'PROOF_PLAIN_MODULUS_TOO_LARGE',
  /** A prime has more than 53 bits: the metadata has it. */
  PRIME_TOO_LARGE: 'PROOF_PRIME_TOO_LARGE',
  /** A plaintext has other than N coefficients, or one that is not below t. */
  PLAINTEXT_INVALID: 'PROOF_PLAINTEXT_INVALID',
  /** A ciphertext is not at the first level, where fresh ones are. */
  LEVEL_INVALID: 'PROOF_LEVEL_INVALID',
  /** An address has not 20 bytes, a digest not 32, or a chain id is no uint256. */
  CONTEXT_INVALID: 'PROOF_CONTEXT_INVALID',
  /** A witness is not of the ciphertext, or beyond the bounds of an honest encryption. */
  WITNESS_INVALID: 'PROOF_WITNESS_INVALID',
  /** So many tries failed that the source of randomness cannot be one. */
  RANDOMNESS_INVALID: 'PROOF_RANDOMNESS_INVALID',

  /** The proof has another length than its parameters say. */
  LENGTH_INVALID: 'PROOF_LENGTH_INVALID',
  /** A coefficient of a response is outside the range that every honest one is in. */
  RESPONSE_OUT_OF_RANGE: 'PROOF_RESPONSE_OUT_OF_RANGE',
  /** A response is longer than every honest one. */
  RESPONSE_TOO_LONG: 'PROOF_RESPONSE_TOO_LONG',
  /** The digest is not that of this statement and these responses. */
  DIGEST_MISMATCH: 'PROOF_DIGEST_MISMATCH',

  /** The powers of tau are other ones than those named: by a proof, or by the state of a ceremony. */
  CRS_MISMATCH: 'PROOF_CRS_MISMATCH',
  /** There are fewer powers of tau than the parameter set needs: the metadata has both exponents. */
  CRS_TOO_SMALL: 'PROOF_CRS_TOO_SMALL',
  /** A commitment is no point of the curve in its one form, or infinity. */
  POINT_INVALID: 'PROOF_POINT_INVALID',
  /** A value of a polynomial is not below the group order. */
  VALUE_OUT_OF_RANGE: 'PROOF_VALUE_OUT_OF_RANGE',
  /** The openings are not those of this statement's argument. */
  OPENING_MISMATCH: 'PROOF_OPENING_MISMATCH',
} as const;

export type ProofErrorCode = (typeof ProofErrorCode)[keyof typeof ProofErrorCode];

/** An error of a proof. Nothing of a witness enters its metadata. */
export class ProofError extends KeyloomError<ProofErrorCode> {}
