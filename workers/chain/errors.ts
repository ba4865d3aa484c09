import { KeyloomError } from '../errors.ts';

/** What can go wrong between an operator and the chain. */
export const ChainErrorCode = {
  /** The RPC endpoint does not answer. */
  RPC_UNREACHABLE: 'CHAIN_RPC_UNREACHABLE',
  /** The RPC endpoint answered a request with an error, or with something malformed. */
  RPC_FAILED: 'CHAIN_RPC_FAILED',
  /** The RPC endpoint serves another chain than the configured one. */
  WRONG_CHAIN: 'CHAIN_WRONG_CHAIN',
  /** There is no DecryptionGateway at the configured address. */
  NO_GATEWAY: 'CHAIN_NO_GATEWAY',
  /** The logs that the endpoint gave contradict its blocks: a reorganisation, or it lies. */
  LOGS_INCONSISTENT: 'CHAIN_LOGS_INCONSISTENT',
  /** A journaled block is not as it was written; it is forgotten and read again. */
  JOURNAL_DAMAGED: 'CHAIN_JOURNAL_DAMAGED',
  /** The endpoint is at a lower block than it has been. */
  CHAIN_BEHIND: 'CHAIN_BEHIND',
  /** A signature is not 65 canonical bytes. Its sender is at fault: honest ones never make it. */
  SIGNATURE_MALFORMED: 'CHAIN_SIGNATURE_MALFORMED',
  /** The contract refuses the transaction. `errorName` and `errorArgs` are the contract's error. */
  REVERTED: 'CHAIN_REVERTED',
  /** The account cannot pay for the transaction. */
  INSUFFICIENT_FUNDS: 'CHAIN_INSUFFICIENT_FUNDS',
  /** The network asks for more than the configured caps. It is sent once that has changed. */
  FEE_CAP_REACHED: 'CHAIN_FEE_CAP_REACHED',
  /** The transaction would need more gas than the configured cap. */
  GAS_CAP_EXCEEDED: 'CHAIN_GAS_CAP_EXCEEDED',
  /** The endpoint wants a higher fee, or has another transaction of this nonce that pays as much. */
  UNDERPRICED: 'CHAIN_UNDERPRICED',
  /** The endpoint did not take a signed transaction; it is tried again. */
  BROADCAST_REFUSED: 'CHAIN_BROADCAST_REFUSED',
  /** The sender or watcher was stopped before the transaction was settled. */
  STOPPED: 'CHAIN_STOPPED',
} as const;

export type ChainErrorCode = (typeof ChainErrorCode)[keyof typeof ChainErrorCode];

/** Failure at the chain. */
export class ChainError extends KeyloomError<ChainErrorCode> {}

/** Takes note of a failure that is retried; `error` may be logged as it is. */
export type WarningHandler = (error: ChainError) => void;
