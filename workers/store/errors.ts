import { KeyloomError } from '../errors.ts';

/** What can go wrong in durable state. Only the codes marked "run on" leave the store usable. */
export const StoreErrorCode = {
  /** Another process, or another handle of this one, has the data directory open. */
  DIRECTORY_LOCKED: 'STORE_DIRECTORY_LOCKED',
  /** `state.db` is not a database, or is damaged. */
  STATE_UNREADABLE: 'STORE_STATE_UNREADABLE',
  /** There is no room for a write. It has not happened; it may be tried again. Run on. */
  DISK_FULL: 'STORE_DISK_FULL',
  /** The disk fails, is read-only, or refuses access. */
  DISK_FAILED: 'STORE_DISK_FAILED',
  /** `state.db` was written by a newer version of the program. */
  SCHEMA_TOO_NEW: 'STORE_SCHEMA_TOO_NEW',
  /** The parameters or the salt of a passphrase-protected file are out of bounds. */
  KEY_HEADER_INVALID: 'STORE_KEY_HEADER_INVALID',
  /** The passphrase does not open this file. */
  WRONG_PASSPHRASE: 'STORE_WRONG_PASSPHRASE',
  /** The directory belongs to another chain, gateway or signer. */
  IDENTITY_MISMATCH: 'STORE_IDENTITY_MISMATCH',
  /** A secret exists under this name with another value. Run on. */
  SECRET_CONFLICT: 'STORE_SECRET_CONFLICT',
  /** A stored secret does not authenticate under its name: the file was altered. */
  SECRET_CORRUPT: 'STORE_SECRET_CORRUPT',
  /** Another root is recorded for this opening: signing this one would be equivocation. */
  OPENING_CONFLICT: 'STORE_OPENING_CONFLICT',
  /** Another result was signed for this request: signing this one would be evidence against oneself. */
  RESULT_CONFLICT: 'STORE_RESULT_CONFLICT',
  /** A block does not follow the journal's head. Run on. */
  BLOCK_OUT_OF_ORDER: 'STORE_BLOCK_OUT_OF_ORDER',
  /** A transaction's nonce is journaled under another key. Run on. */
  NONCE_CONFLICT: 'STORE_NONCE_CONFLICT',
  /** No blob of this digest is held. Run on. */
  BLOB_MISSING: 'STORE_BLOB_MISSING',
  /** A blob's bytes no longer hash to its name; it has been removed. Run on. */
  BLOB_CORRUPT: 'STORE_BLOB_CORRUPT',
  /** The identity file exists already; it is never overwritten. */
  IDENTITY_EXISTS: 'STORE_IDENTITY_EXISTS',
  /** The identity file is missing, or is none. */
  IDENTITY_UNREADABLE: 'STORE_IDENTITY_UNREADABLE',
  /** The identity file is not as it was written: restore it from a backup. */
  IDENTITY_CORRUPT: 'STORE_IDENTITY_CORRUPT',
  /** Other accounts of the machine can read the identity, the passphrase or the data directory. */
  READABLE_BY_OTHERS: 'STORE_READABLE_BY_OTHERS',
  /** An argument is outside its domain. Run on. */
  INVALID_ARGUMENT: 'STORE_INVALID_ARGUMENT',
} as const;

export type StoreErrorCode = (typeof StoreErrorCode)[keyof typeof StoreErrorCode];

/** Failure of durable state. */
export class StoreError extends KeyloomError<StoreErrorCode> {}
