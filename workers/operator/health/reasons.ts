/** Why an operator is not well. docs/metrics.md says of each what to do. */
export const HealthReason = {
  /** It has not read the chain to its head yet, or not tried to reach its peers. */
  STARTING: 'STARTING',
  /** A part of the process has ended that should run for ever: only a restart mends it. */
  WORK_STOPPED: 'WORK_STOPPED',
  /** No RPC endpoint answers. */
  RPC_UNREACHABLE: 'RPC_UNREACHABLE',
  /** One of several RPC endpoints is not used, because it fails; another one does its work. */
  RPC_ENDPOINT_FAILING: 'RPC_ENDPOINT_FAILING',
  /** The endpoint has had no new block for `stalledSeconds`. */
  CHAIN_STALLED: 'CHAIN_STALLED',
  /** Blocks that were confirmed `lagSeconds` ago are still unread. */
  CHAIN_LAGGING: 'CHAIN_LAGGING',
  /** Fewer than 2t+1 operators of an active epoch, this one included, can be reached. */
  PEERS_UNREACHABLE: 'PEERS_UNREACHABLE',
  /** No operator is registered on chain with this signer. */
  NOT_REGISTERED: 'NOT_REGISTERED',
  /** It confirmed an epoch whose secrets its data directory does not have. */
  SHARES_MISSING: 'SHARES_MISSING',
  /** Seeds or set keys of an epoch are not those behind the roots on chain: the epoch is not served. */
  SET_KEYS_DAMAGED: 'SET_KEYS_DAMAGED',
  /** A share of a key is not the one that follows from the set keys: the key is not served. */
  KEY_SHARE_DAMAGED: 'KEY_SHARE_DAMAGED',
  /** The journal of shares is not as it was written: nothing is signed. */
  JOURNAL_DAMAGED: 'JOURNAL_DAMAGED',
  /** A result was recorded that is not the one this operator signed. */
  RESULT_DIFFERS: 'RESULT_DIFFERS',
  /** It was slashed: it keeps the seats that it has, and gets no others. */
  SLASHED: 'SLASHED',
  /** The latest write to the data directory failed: no room, or the disk fails. Nothing new is signed. */
  DISK_FAILING: 'DISK_FAILING',
  /** The file system of the data directory has less than `freeBytes` left. */
  DISK_LOW: 'DISK_LOW',
  /** This machine's clock and the chain's are more than `clockSeconds` apart. */
  CLOCK_OFF: 'CLOCK_OFF',
  /** The signer's balance does not pay for one transaction. */
  BALANCE_LOW: 'BALANCE_LOW',
  /** The base fee is above `maxFeePerGasWei`: no transaction is sent until it has fallen. */
  PRICE_ABOVE_CAP: 'PRICE_ABOVE_CAP',
} as const;

export type HealthReason = (typeof HealthReason)[keyof typeof HealthReason];

/** Those with which requests are still served: others do what this operator cannot. */
const bearable: ReadonlySet<HealthReason> = new Set([
  HealthReason.RPC_ENDPOINT_FAILING,
  HealthReason.RESULT_DIFFERS,
  HealthReason.SLASHED,
  HealthReason.DISK_LOW,
  HealthReason.CLOCK_OFF,
  HealthReason.BALANCE_LOW,
  HealthReason.PRICE_ABOVE_CAP,
]);

/** Whether the operator serves requests. */
export const isReady = (reasons: readonly HealthReason[]): boolean =>
  reasons.every((reason) => bearable.has(reason));

/** Whether the process is worth keeping: nothing is wrong that a restart would mend. */
export const isAlive = (reasons: readonly HealthReason[]): boolean =>
  !reasons.includes(HealthReason.WORK_STOPPED);
