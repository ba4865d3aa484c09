import { KeyloomError } from '../errors.ts';

/** Why a step of secret sharing, set-up or opening failed. */
export const SharingErrorCode = {
  /** The number of operators is not one of 4, 7, 10, 13. */
  COMMITTEE_SIZE_UNKNOWN: 'SHARING_COMMITTEE_SIZE_UNKNOWN',
  /** An operator's index is not an integer from 1 to n, or a set's number does not exist. */
  INDEX_OUT_OF_RANGE: 'SHARING_INDEX_OUT_OF_RANGE',
  /** Interpolation points are repeated or have the wrong number. */
  POINTS_INVALID: 'SHARING_POINTS_INVALID',
  /** A byte string that has a fixed length in docs/formats.md has another one. */
  LENGTH_INVALID: 'SHARING_LENGTH_INVALID',
  /** The keys given to an operator are not exactly those of the sets it is a member of. */
  SET_KEYS_INVALID: 'SHARING_SET_KEYS_INVALID',
  /** The keys of this epoch have been erased; nothing can be derived from them any more. */
  SET_KEYS_ERASED: 'SHARING_SET_KEYS_ERASED',
  /** A position list is empty or names a coefficient that the ring does not have. */
  POSITIONS_INVALID: 'SHARING_POSITIONS_INVALID',
  /** A Merkle tree has no leaves, unequal leaves, or not the leaf asked for. */
  MERKLE_INPUT_INVALID: 'SHARING_MERKLE_INPUT_INVALID',
  /** A dealer's seed hashes do not lead to the root it posted, or are not as many as its sets. */
  DEALING_ROOT_MISMATCH: 'SHARING_DEALING_ROOT_MISMATCH',
  /** A dealer gave no seed for a set it shares with the member. */
  SEED_MISSING: 'SHARING_SEED_MISSING',
  /** A seed does not have the hash its dealer committed to. */
  SEED_MISMATCH: 'SHARING_SEED_MISMATCH',
  /** A seed was given for a set that the member and the dealer do not share. */
  SEED_UNEXPECTED: 'SHARING_SEED_UNEXPECTED',
  /** The standing dealers are fewer than 2t+1, repeated, unordered, or not one per root. */
  STANDING_INVALID: 'SHARING_STANDING_INVALID',
  /** The shape of an opening is empty. */
  SHAPE_INVALID: 'SHARING_SHAPE_INVALID',
  /** No 2t+1 of the shares given lie on one polynomial of degree t: wait for more. */
  TOO_FEW_AGREEING: 'SHARING_TOO_FEW_AGREEING',
} as const;

export type SharingErrorCode = (typeof SharingErrorCode)[keyof typeof SharingErrorCode];

export class SharingError extends KeyloomError<SharingErrorCode> {}
