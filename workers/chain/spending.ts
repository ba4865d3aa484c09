import type { TransactionReceipt } from 'viem';

/** How many transactions a sender has brought how far since it was started. */
export interface SenderCounts {
  /** Signed for a purpose and broadcast the first time. */
  sent: number;
  /** Broadcast again at a higher fee, or with nothing in them once nobody waits. */
  replaced: number;
  /** Broadcast again as they were, because the endpoint had lost them. */
  resent: number;
  /** Mined, and the call succeeded. */
  succeeded: number;
  /** Mined, and the contract refused the call. */
  reverted: number;
  /** Mined with nothing in them. */
  cancelled: number;
  /** Not sent, because the contract would refuse the call. */
  refused: number;
}

/** What mined transactions came to. */
export type MinedAs = 'succeeded' | 'reverted' | 'cancelled';

/** What a sender has done and paid since it was started. */
export class Spending {
  readonly counts: SenderCounts = {
    ...{ sent: 0, replaced: 0, resent: 0, refused: 0 },
    ...{ succeeded: 0, reverted: 0, cancelled: 0 },
  };
  /** Wei, by what was paid for. */
  readonly paidWei: Record<MinedAs, bigint> = { succeeded: 0n, reverted: 0n, cancelled: 0n };

  mined(receipt: TransactionReceipt, isFiller: boolean): void {
    const succeeded = receipt.status === 'success' ? 'succeeded' : 'reverted';
    const outcome = isFiller ? 'cancelled' : succeeded;
    this.counts[outcome] += 1;
    this.paidWei[outcome] += costOf(receipt);
  }
}

/** What a mined transaction cost, in wei; rollups charge for the data on top. */
function costOf(receipt: TransactionReceipt): bigint {
  const { gasUsed } = receipt;
  // Not all nodes say either.
  const { effectiveGasPrice, l1Fee } = receipt as {
    effectiveGasPrice: bigint | null;
    l1Fee?: string | bigint | null;
  };
  return gasUsed * (effectiveGasPrice ?? 0n) + BigInt(l1Fee ?? 0n);
}
