import { KeyloomError } from '../errors.ts';

/** Why a file, a contribution or a step of the ceremony was refused. */
export const CeremonyErrorCode = {
  /** The power of two is not one of 8 to 17. */
  POWER_OUT_OF_RANGE: 'CEREMONY_POWER_OUT_OF_RANGE',
  /** The bytes are not the seven sections of a .ptau file, in order, of exact length and alone. */
  FILE_MALFORMED: 'CEREMONY_FILE_MALFORMED',
  /** The header names another field, or a ceremony of another size. */
  HEADER_INVALID: 'CEREMONY_HEADER_INVALID',
  /** A coordinate is not below the field's prime, so that the point has two byte forms. */
  COORDINATE_NOT_CANONICAL: 'CEREMONY_COORDINATE_NOT_CANONICAL',
  /** A contribution's record is not in its canonical form. */
  RECORD_MALFORMED: 'CEREMONY_RECORD_MALFORMED',
  /** The file already has as many contributions as a ceremony can have. */
  RECORDS_FULL: 'CEREMONY_RECORDS_FULL',
  /** The file or state is of another size than the one it follows. */
  POWER_CHANGED: 'CEREMONY_POWER_CHANGED',
  /** Digest, roots or points that were announced are not those of the file. */
  STATE_MISMATCH: 'CEREMONY_STATE_MISMATCH',
  /** What was announced is not a state and a proof in their canonical form. */
  PUBLISHED_INVALID: 'CEREMONY_PUBLISHED_INVALID',
  /** A point is not on the curve, is the point at infinity, or lies outside the subgroup. */
  POINT_INVALID: 'CEREMONY_POINT_INVALID',
  /** A section does not start with the point it must start with. */
  START_WRONG: 'CEREMONY_START_WRONG',
  /** Somewhere in a section the next point is not tau times the one before. */
  POWERS_WRONG: 'CEREMONY_POWERS_WRONG',
  /** The points of the state in G1 and G2 are not multiples by the same tau and beta. */
  STATE_INCONSISTENT: 'CEREMONY_STATE_INCONSISTENT',
  /** A contribution leaves a secret as it was, or makes it one. */
  CONTRIBUTION_TRIVIAL: 'CEREMONY_CONTRIBUTION_TRIVIAL',
  /** The contributor has not proven that it knows its secrets, or did for another place. */
  PROOF_INVALID: 'CEREMONY_PROOF_INVALID',
  /** The records before the new one are not those of the previous file, or more than one is new. */
  RECORDS_CHANGED: 'CEREMONY_RECORDS_CHANGED',
  /** The new record is not about the points of the file. */
  RECORD_POINTS_WRONG: 'CEREMONY_RECORD_POINTS_WRONG',
  /** The new record's public key is not bound to the previous file, or not to the change. */
  RECORD_KEY_INVALID: 'CEREMONY_RECORD_KEY_INVALID',
  /** The new record's hashes are not those of the file. */
  RECORD_HASH_WRONG: 'CEREMONY_RECORD_HASH_WRONG',
  /** The new record is one of a beacon where none is due, or not that of the beacon. */
  BEACON_MISMATCH: 'CEREMONY_BEACON_MISMATCH',
  /** The beacon is not 32 bytes, or the exponent of its iterations is not one of 10 to 24. */
  BEACON_INVALID: 'CEREMONY_BEACON_INVALID',
  /** A secret is 0 or 1 modulo the group order. */
  SECRET_INVALID: 'CEREMONY_SECRET_INVALID',
  /** The secrets of this contribution have been wiped; nothing can be done with them any more. */
  SECRET_WIPED: 'CEREMONY_SECRET_WIPED',
} as const;

export type CeremonyErrorCode = (typeof CeremonyErrorCode)[keyof typeof CeremonyErrorCode];

export class CeremonyError extends KeyloomError<CeremonyErrorCode> {}
