import type { Address } from 'viem';

import { eventsOf } from '../tasks/support/events.ts';
import type { Gateway } from '../tasks/support/gateway.ts';
import { operatorRegistryAbi } from '../workers/chain/abi.ts';
import { waitUntil } from './wait.ts';

/** What a proven offence has cost an operator, and brought whoever proved it. */
export interface Slashed {
  readonly slashedWei: bigint;
  /** What is left. */
  readonly bondWei: bigint;
  readonly beneficiary: Address;
  readonly rewardWei: bigint;
}

/** Waits until the operators have had one of theirs slashed: they watch, prove and submit by themselves. */
export function waitUntilSlashed(
  gateway: Gateway,
  operator: Address,
  options: { deadlineMs?: number } = {},
): Promise<Slashed> {
  return waitUntil(
    `operator ${operator} is slashed`,
    async () => {
      const events = await eventsOf(gateway, {
        address: gateway.addresses.operatorRegistry,
        abi: operatorRegistryAbi,
        eventName: 'OperatorSlashed',
        args: { operator },
      });
      return events[0]?.args;
    },
    options,
  );
}

/** What the registry owes an account: rewards that it has not collected. */
export function owedTo(gateway: Gateway, account: Address): Promise<bigint> {
  return gateway.client.readContract({
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'owedWei',
    args: [account],
  });
}

/** What an operator has at stake. */
export async function bondOf(gateway: Gateway, operator: Address): Promise<bigint> {
  const { bondWei } = await gateway.client.readContract({
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'getOperator',
    args: [operator],
  });
  return bondWei;
}
