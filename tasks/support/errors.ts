import { AdvisedError } from '../../sdk/errors.ts';

export const ClientErrorCode = {
  /** An argument is missing, malformed or contradicts another one. */
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  /** A file cannot be read or written. */
  FILE_FAILED: 'FILE_FAILED',
  /** No gateway address was given and none is known for the network. */
  GATEWAY_UNKNOWN: 'GATEWAY_UNKNOWN',
  /** The RPC endpoint does not answer, or not as an RPC endpoint does. */
  RPC_UNREACHABLE: 'RPC_UNREACHABLE',
  /** The RPC endpoint failed in the middle of the work. */
  RPC_FAILED: 'RPC_FAILED',
  /** There is no DecryptionGateway at the given address on this chain. */
  NO_GATEWAY_AT_ADDRESS: 'NO_GATEWAY_AT_ADDRESS',
  /** What was given is for another chain or gateway than this one. */
  WRONG_DEPLOYMENT: 'WRONG_DEPLOYMENT',
  /** The action needs an account and the network has none, or not the one that was asked for. */
  NO_ACCOUNT: 'NO_ACCOUNT',
  /** The account cannot pay: for gas, or for a bond. */
  INSUFFICIENT_FUNDS: 'INSUFFICIENT_FUNDS',
  /** The fee of a request is neither deposited nor in the wallet, or less is there than to be withdrawn. */
  FEE_UNAFFORDABLE: 'FEE_UNAFFORDABLE',
  /** The account lacks the role that the action needs. */
  NOT_AUTHORISED: 'NOT_AUTHORISED',
  /** The contract refused the transaction; metadata has its error and arguments. */
  REVERTED: 'REVERTED',
  /** The chain knows no such proposal or epoch. */
  UNKNOWN_EPOCH: 'UNKNOWN_EPOCH',
  /** The epoch cannot be used: its set-up did not complete in time, or it is retired. */
  EPOCH_NOT_ACTIVE: 'EPOCH_NOT_ACTIVE',
  /** The chain knows no such key. */
  UNKNOWN_KEY: 'UNKNOWN_KEY',
  /** The key exists but cannot be used: still pending, or retired. */
  KEY_NOT_ACTIVE: 'KEY_NOT_ACTIVE',
  /** The parameter set was never added on chain, or does not allow a committee of this size. */
  PARAMETER_SET_REFUSED: 'PARAMETER_SET_REFUSED',
  /** No ciphertext with this handle is registered. */
  NOT_REGISTERED: 'NOT_REGISTERED',
  /** The chain knows nothing under this id. */
  UNKNOWN_ID: 'UNKNOWN_ID',
  /** The request's deadline passed without a result; nothing was decrypted. */
  REQUEST_EXPIRED: 'REQUEST_EXPIRED',
  /** Fewer operators answer than a quorum needs. */
  TOO_FEW_OPERATORS: 'TOO_FEW_OPERATORS',
  /** The client stopped waiting; what it asked for may still complete. */
  WAIT_TIMED_OUT: 'WAIT_TIMED_OUT',
  /** Evaluation keys that were never asked for, or are not recorded yet. */
  EVALUATION_KEYS_MISSING: 'EVALUATION_KEYS_MISSING',
  /** The key has had all the Galois keys it can have. */
  EVALUATION_KEYS_SPENT: 'EVALUATION_KEYS_SPENT',
  /** The key has as many pending requests for evaluation keys as it can have at a time. */
  EVALUATION_KEYS_PENDING: 'EVALUATION_KEYS_PENDING',
  /** These two keys cannot have a switching key between them. */
  SWITCHING_REFUSED: 'SWITCHING_REFUSED',
  /** The permit's time is over. */
  PERMIT_EXPIRED: 'PERMIT_EXPIRED',
  /** The permit's time has not come. */
  PERMIT_NOT_YET_VALID: 'PERMIT_NOT_YET_VALID',
  /** The permit is of another signer, chain, contract or user key, or does not cover the ciphertexts. */
  PERMIT_REFUSED: 'PERMIT_REFUSED',
  /** The ceremony has no result that can be used: it is not recorded, or was revoked. */
  CRS_UNUSABLE: 'CRS_UNUSABLE',
  /** The key, or the account under it, has no decryptions left. */
  METER_SPENT: 'METER_SPENT',
  /** No operator serves evidence of the offence in a form that a contract can look at. */
  EVIDENCE_UNAVAILABLE: 'EVIDENCE_UNAVAILABLE',
  /** The contract would not punish for the evidence; metadata has its error. Nothing was sent. */
  EVIDENCE_REFUSED: 'EVIDENCE_REFUSED',
  /** The account is no operator, or one that is not in the state that the action needs; or the signer is another one's. */
  STAKE_STATE: 'STAKE_STATE',
  /** The bond cannot be withdrawn yet. */
  STAKE_LOCKED: 'STAKE_LOCKED',
  /** A result does not match its digest or shape on chain. */
  RESULT_MISMATCH: 'RESULT_MISMATCH',
} as const;

export type ClientErrorCode = (typeof ClientErrorCode)[keyof typeof ClientErrorCode];

/**
 * What can go wrong for a user of the gateway, beside what the sdk says itself (sdk/errors.ts). The
 * message says what happened, `advice` what to do about it.
 */
export class ClientError extends AdvisedError<ClientErrorCode> {}
