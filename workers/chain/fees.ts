import type { PublicClient } from 'viem';
import { ChainError, ChainErrorCode } from './errors.ts';

/** What a transaction offers per unit of gas, in wei (EIP-1559). */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Limits that nothing an endpoint says can lift. */
export interface SpendingCaps extends Fees {
  /** Most gas of one transaction. */
  readonly gas: bigint;
}

/** What the network asks for per unit of gas, in wei. */
export interface GasPrice {
  /** Of the block that says so. */
  readonly height: bigint;
  readonly baseFeePerGas: bigint;
  /** What the endpoint suggests for those who make blocks. */
  readonly tip: bigint;
}

const gwei = 10n ** 9n;

/** Generous for an L2: 5 million gas at 100 gwei is half an ether. */
export const defaultCaps: SpendingCaps = {
  maxFeePerGas: 100n * gwei,
  maxPriorityFeePerGas: 5n * gwei,
  gas: 5_000_000n,
};

/** What the endpoint says of the latest block. @throws errors of viem */
export async function currentPrice(client: PublicClient): Promise<GasPrice> {
  const [{ number, baseFeePerGas }, tip] = await Promise.all([
    client.getBlock({ blockTag: 'latest' }),
    client.estimateMaxPriorityFeePerGas(),
  ]);
  return { height: number, baseFeePerGas: baseFeePerGas ?? 0n, tip };
}

/** Fees that a transaction sent now should offer: twice the base fee, and the tip; never above the caps. */
export function feesAt({ baseFeePerGas, tip }: GasPrice, caps: SpendingCaps): Fees {
  return capped({ maxFeePerGas: 2n * baseFeePerGas + tip, maxPriorityFeePerGas: tip }, caps);
}

/** Whether no transaction within the caps can be mined at this price. */
export function isAboveCap({ baseFeePerGas }: GasPrice, caps: SpendingCaps): boolean {
  return baseFeePerGas > caps.maxFeePerGas;
}

/**
 * Fees of a replacement for a transaction that is stuck: at least a quarter more of both, because
 * mempools refuse a replacement that offers less than about a tenth more.
 *
 * @throws ChainError FEE_CAP_REACHED if the caps leave no room for a replacement
 */
export function replacementFees(previous: Fees, current: Fees, caps: SpendingCaps): Fees {
  const raised = (old: bigint, now: bigint) => {
    const quarterMore = (old * 5n + 3n) / 4n + 1n;
    return now > quarterMore ? now : quarterMore;
  };
  const fees = capped(
    {
      maxFeePerGas: raised(previous.maxFeePerGas, current.maxFeePerGas),
      maxPriorityFeePerGas: raised(previous.maxPriorityFeePerGas, current.maxPriorityFeePerGas),
    },
    caps,
  );
  const tenthMore = (old: bigint, now: bigint) => now > old && now * 10n >= old * 11n;
  if (
    tenthMore(previous.maxFeePerGas, fees.maxFeePerGas) &&
    tenthMore(previous.maxPriorityFeePerGas, fees.maxPriorityFeePerGas)
  )
    return fees;
  throw feeCapReached('A replacement would exceed the fee cap.', previous.maxFeePerGas, caps);
}

/** @param feePerGas what is asked for, or what was offered before */
export function feeCapReached(message: string, feePerGas: bigint, caps: SpendingCaps): ChainError {
  return new ChainError(ChainErrorCode.FEE_CAP_REACHED, message, {
    metadata: { feePerGas, cap: caps.maxFeePerGas, tipCap: caps.maxPriorityFeePerGas },
  });
}

function capped(fees: Fees, caps: SpendingCaps): Fees {
  const min = (a: bigint, b: bigint) => (a < b ? a : b);
  const maxFeePerGas = min(fees.maxFeePerGas, caps.maxFeePerGas);
  const tip = min(fees.maxPriorityFeePerGas, caps.maxPriorityFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas: min(tip, maxFeePerGas) };
}
