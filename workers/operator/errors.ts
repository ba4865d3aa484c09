import { KeyloomError } from '../errors.ts';

export const OperatorErrorCode = {
  /** The configuration file is missing, not JSON, or has a wrong or unknown field. */
  CONFIG_INVALID: 'CONFIG_INVALID',
  /** What `init` needs was not given, and there is no terminal to ask at. */
  INIT_INCOMPLETE: 'INIT_INCOMPLETE',
  /** What is in the folder says something else than what was given to `init`. Nothing is overwritten. */
  INIT_CONFLICT: 'INIT_CONFLICT',
  /** `init` cannot write to the folder: the message has the reason. */
  INIT_WRITE_FAILED: 'INIT_WRITE_FAILED',
  /** An address that is to be announced is none. */
  ADDRESS_INVALID: 'ADDRESS_INVALID',
  /** Something else listens on a port, or the address is not of this machine. */
  PORT_UNUSABLE: 'PORT_UNUSABLE',
  /** No passphrase was given, or its file cannot be read. */
  PASSPHRASE_MISSING: 'PASSPHRASE_MISSING',
  /** The command line is not understood. */
  USAGE: 'USAGE',
  /** This identity confirmed an epoch, but the data directory does not hold that epoch's secrets. */
  SHARES_MISSING: 'SHARES_MISSING',
  /** Secrets in the data directory are not what the chain says, or cannot be read. */
  HOLDINGS_DAMAGED: 'HOLDINGS_DAMAGED',
  /** A share of a key has changed, in memory or on the disk: nothing is signed with it. */
  KEY_SHARE_DAMAGED: 'KEY_SHARE_DAMAGED',
  /**
   * This operator was restored from a backup after the request was made, and may have signed for it what
   * the backup does not know: it does not sign for it again.
   */
  REQUESTED_BEFORE_RESTORE: 'REQUESTED_BEFORE_RESTORE',
  /** A request cannot be served as it stands; waiting would not help. */
  REQUEST_UNSERVABLE: 'REQUEST_UNSERVABLE',
  /** What was posted for registration is not of the form that docs/operator/registrations.md gives. */
  REGISTRATION_MALFORMED: 'REGISTRATION_MALFORMED',
  /** A proof does not prove what is to be registered, or a program cannot be computed; the metadata has the cause. */
  PROOF_REFUSED: 'PROOF_REFUSED',
  /** The key of a ciphertext is not known or not active. */
  KEY_NOT_ACTIVE: 'KEY_NOT_ACTIVE',
  /** This operator has no seat in the committee of the key. */
  NOT_IN_COMMITTEE: 'NOT_IN_COMMITTEE',
  /** What a program computes with is not registered. */
  INPUT_NOT_REGISTERED: 'INPUT_NOT_REGISTERED',
  /** The powers of tau that a proof rests on are not recorded on chain, or were revoked. */
  CRS_UNUSABLE: 'CRS_UNUSABLE',
  /** Who asks has as many bodies on the way as one address may have. */
  TOO_MANY_REQUESTS: 'TOO_MANY_REQUESTS',
  /** This operator has as much to verify as it takes on: ask again later. */
  OPERATOR_BUSY: 'OPERATOR_BUSY',
  /** A body did not arrive in time. */
  UPLOAD_TOO_SLOW: 'UPLOAD_TOO_SLOW',
  /** The thread of a contribution, a check or a verification failed or died. */
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
