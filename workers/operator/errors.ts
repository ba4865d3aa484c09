import { KeyloomError } from '../errors.ts';

export const OperatorErrorCode = {
  /** The configuration file is missing, not JSON, or has a wrong or unknown field. */
  CONFIG_INVALID: 'CONFIG_INVALID',
  /** No passphrase was given, or its file cannot be read. */
  PASSPHRASE_MISSING: 'PASSPHRASE_MISSING',
  /** The command line is not understood. */
  USAGE: 'USAGE',
  /** This identity confirmed an epoch, but the data directory does not hold that epoch's secrets. */
  SHARES_MISSING: 'SHARES_MISSING',
  /** A share of a key has changed in memory: nothing is signed with it. Check this machine. */
  KEY_SHARE_DAMAGED: 'KEY_SHARE_DAMAGED',
  /** A request cannot be served as it stands; waiting would not help. */
  REQUEST_UNSERVABLE: 'REQUEST_UNSERVABLE',
  /** The thread of a contribution or its check failed or died. */
  COMPUTATION_FAILED: 'COMPUTATION_FAILED',
  /** A share was offered and is not among the transcripts any more. */
  SHARE_UNAVAILABLE: 'SHARE_UNAVAILABLE',
  /** A blob that the chain names could not be had from any operator yet. */
  BLOB_UNAVAILABLE: 'BLOB_UNAVAILABLE',
  /** The digest in an upload is not registered on chain. */
  BLOB_NOT_REGISTERED: 'BLOB_NOT_REGISTERED',
  /** The bytes do not have the digest in the URL. */
  BLOB_DIGEST_MISMATCH: 'BLOB_DIGEST_MISMATCH',
  /** An upload is not what its digest is registered for. */
  BLOB_MALFORMED: 'BLOB_MALFORMED',
  /** An upload is longer than any ciphertext of a known parameter set. */
  BLOB_TOO_LONG: 'BLOB_TOO_LONG',
  /** The HTTP route or id is not known here. */
  NOT_FOUND: 'NOT_FOUND',
  /** The job was stopped: shutdown, reorganisation, or the request is settled. */
  STOPPED: 'STOPPED',
} as const;

export type OperatorErrorCode = (typeof OperatorErrorCode)[keyof typeof OperatorErrorCode];

/** What went wrong in the operator process. */
export class OperatorError extends KeyloomError<OperatorErrorCode> {}
