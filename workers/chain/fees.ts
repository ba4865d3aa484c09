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

const gwei = 10n ** 9n;

/** Generous for an L2: 5 million gas at 100 gwei is half an ether. */
export const defaultCaps: SpendingCaps = {
  maxFeePerGas: 100n * gwei,
  maxPriorityFeePerGas: 5n * gwei,
  gas: 5_000_000n,
};

/**
 * Fees that a transaction sent now should offer: twice the base fee, and the suggested tip.
 *
 * @throws errors of viem
 */
export async function currentFees(client: PublicClient, caps: SpendingCaps): Promise<Fees> {
  const [block, tip] = await Promise.all([
    client.getBlock({ blockTag: 'latest' }),
    client.estimateMaxPriorityFeePerGas(),
  ]);
  return capped(
    { maxFeePerGas: 2n * (block.baseFeePerGas ?? 0n) + tip, maxPriorityFeePerGas: tip },
    caps,
  );
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
    !tenthMore(previous.maxFeePerGas, fees.maxFeePerGas) ||
    !tenthMore(previous.maxPriorityFeePerGas, fees.maxPriorityFeePerGas)
  ) {
    throw new ChainError(
      ChainErrorCode.FEE_CAP_REACHED,
      'A replacement would exceed the fee cap.',
      {
        metadata: { maxFeePerGas: previous.maxFeePerGas, cap: caps.maxFeePerGas },
      },
    );
  }
  return fees;
}

function capped(fees: Fees, caps: SpendingCaps): Fees {
  const min = (a: bigint, b: bigint) => (a < b ? a : b);
  const maxFeePerGas = min(fees.maxFeePerGas, caps.maxFeePerGas);
  const tip = min(fees.maxPriorityFeePerGas, caps.maxPriorityFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas: min(tip, maxFeePerGas) };
}
