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
  /** An opened value does not have the length of the opening. */
  VALUE_MISMATCH: 'VALUE_MISMATCH',
} as const;

export type ProtocolErrorCode = (typeof ProtocolErrorCode)[keyof typeof ProtocolErrorCode];

export class ProtocolError extends KeyloomError<ProtocolErrorCode> {}
