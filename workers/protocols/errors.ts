import { KeyloomError } from '../errors.ts';

/** Why a local step of an operation was refused. */
export const ProtocolErrorCode = {
  /** A position list is empty, not strictly ascending, or names a coefficient the ring lacks. */
  POSITIONS_INVALID: 'POSITIONS_INVALID',
  /** A ciphertext has fewer limbs than the decryption level. */
  CIPHERTEXT_LEVEL_TOO_LOW: 'CIPHERTEXT_LEVEL_TOO_LOW',
  /** A ciphertext was prepared for another committee than the session's. */
  COMMITTEE_MISMATCH: 'COMMITTEE_MISMATCH',
  /** A key share is of another generation, or of another ring, than the opening names. */
  KEY_SHARE_MISMATCH: 'KEY_SHARE_MISMATCH',
  /** Opened values are not one per opening, of its length, each residue below its prime. */
  VALUE_MISMATCH: 'VALUE_MISMATCH',
  /** A digit is not one of those a switching key of the parameter set has. */
  DIGIT_OUT_OF_RANGE: 'DIGIT_OUT_OF_RANGE',
  /** A Galois element is not odd, or not from 3 to 2N - 1. */
  GALOIS_ELEMENT_INVALID: 'GALOIS_ELEMENT_INVALID',
  /** A key is to be switched to itself. */
  SWITCHING_TO_ITSELF: 'SWITCHING_TO_ITSELF',
  /** A recipient's key is of another parameter set than the ciphertexts. */
  RECIPIENT_MISMATCH: 'RECIPIENT_MISMATCH',
  /** A full answer is not about one ciphertext, or a packed one about none or more than fit. */
  ANSWER_FORM_INVALID: 'ANSWER_FORM_INVALID',
} as const;

export type ProtocolErrorCode = (typeof ProtocolErrorCode)[keyof typeof ProtocolErrorCode];

export class ProtocolError extends KeyloomError<ProtocolErrorCode> {}
