import type { SignedTransaction } from './transactions.ts';

/** A nonce and everything that was signed for it, in order. */
export interface PendingTransaction {
  readonly nonce: number;
  readonly key: string;
  readonly attempts: readonly SignedTransaction[];
}

/** Durable journal of what may be in a mempool; workers/store has one. */
export interface TransactionJournal {
  record(nonce: number, key: string, attempt: SignedTransaction): void;
  /** Ascending by nonce. */
  pending(): readonly PendingTransaction[];
  settle(nonce: number): void;
}

/** Nonces that nobody signed for, between the chain's count and the highest pending nonce. */
export function gapsBelow(count: number, pending: readonly PendingTransaction[]): number[] {
  const taken = new Set(pending.map(({ nonce }) => nonce));
  const highest = pending.at(-1)?.nonce ?? -1;
  const gaps: number[] = [];
  for (let nonce = count; nonce < highest; nonce++) if (!taken.has(nonce)) gaps.push(nonce);
  return gaps;
}

/** The lowest nonce that is not mined and not signed for: gaps are used first. */
export function freeNonce(count: number, pending: readonly PendingTransaction[]): number {
  return gapsBelow(count, pending)[0] ?? Math.max(count, (pending.at(-1)?.nonce ?? -1) + 1);
}

/** Pending nonces too far above the chain's count to be ours: an endpoint once lied about it. */
export function outOfReach(
  count: number,
  pending: readonly PendingTransaction[],
  mostGaps: number,
): PendingTransaction[] {
  return pending.filter(({ nonce }, position) => nonce - count - position > mostGaps);
}
