import { KeyloomError } from '../errors.ts';

/** Why an object was rejected, SEAL failed, or no noise plan exists. */
export const FheErrorCode = {
  /** SEAL does not accept a parameter set, or makes other parameters of it. */
  SEAL_PARAMETERS_MISMATCH: 'SEAL_PARAMETERS_MISMATCH',
  /** SEAL threw; the cause is its own exception. */
  SEAL_FAILED: 'SEAL_FAILED',

  /** Fewer bytes than the object's header fields call for. */
  TRUNCATED: 'TRUNCATED',
  /** Bytes after the end of the object. */
  TRAILING_BYTES: 'TRAILING_BYTES',
  /** A header's magic number, header size or reserved field is not SEAL's. */
  HEADER_INVALID: 'HEADER_INVALID',
  /** A header names another version of SEAL's format. */
  VERSION_UNSUPPORTED: 'VERSION_UNSUPPORTED',
  /** A header names a compression mode other than none. */
  COMPRESSED: 'COMPRESSED',
  /** A header's total size or an array's count contradicts the object's other fields. */
  LENGTH_FIELD_INVALID: 'LENGTH_FIELD_INVALID',
  /** The parms_id is no level of the parameter set. */
  PARMS_ID_UNKNOWN: 'PARMS_ID_UNKNOWN',
  /** The parms_id is a level of the parameter set at which such an object cannot be. */
  LEVEL_INVALID: 'LEVEL_INVALID',
  /** The NTT flag is not the one such an object has. */
  NTT_FORM_INVALID: 'NTT_FORM_INVALID',
  /** Not two polynomials. */
  SIZE_INVALID: 'SIZE_INVALID',
  /** The ring degree, or the number of coefficients, is not the parameter set's. */
  DEGREE_MISMATCH: 'DEGREE_MISMATCH',
  /** The number of limbs is not the one of the parms_id. */
  LIMBS_MISMATCH: 'LIMBS_MISMATCH',
  /** The scale is not 1. */
  SCALE_INVALID: 'SCALE_INVALID',
  /** The correction factor is not 1. */
  CORRECTION_FACTOR_INVALID: 'CORRECTION_FACTOR_INVALID',
  /** A residue is not below its prime, or a coefficient not below the plain modulus. */
  NOT_CANONICAL: 'NOT_CANONICAL',
  /** A polynomial that hides is zero: nobody would need a key. */
  TRANSPARENT: 'TRANSPARENT',

  /** A rotation step is no integer between -N/2 and N/2, or none is given. */
  GALOIS_STEP_INVALID: 'GALOIS_STEP_INVALID',
  /** Galois elements are not odd, below 2N and strictly ascending. */
  GALOIS_ELEMENT_INVALID: 'GALOIS_ELEMENT_INVALID',

  /** Slots of a parameter set whose plaintexts do not batch. */
  BATCHING_UNSUPPORTED: 'BATCHING_UNSUPPORTED',
  /** Values to encrypt that the parameter set cannot hold. */
  VALUES_INVALID: 'VALUES_INVALID',
  /** No level of the parameter set has room for flooding noise with this committee. */
  NOISE_NEVER_FITS: 'NOISE_NEVER_FITS',
  /** More noise than may be decrypted at a ciphertext's level, or a level that never is. */
  NOISE_TOO_LARGE: 'NOISE_TOO_LARGE',
} as const;

export type FheErrorCode = (typeof FheErrorCode)[keyof typeof FheErrorCode];

export class FheError extends KeyloomError<FheErrorCode> {}
