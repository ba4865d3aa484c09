import type { Address } from 'viem';

import type { Gateway } from '../tasks/support/gateway.ts';
import { listConvictions, type Conviction } from '../tasks/support/slashing.ts';
import { waitUntil } from './wait.ts';

/** Waits until the operators have had one of theirs slashed: they watch, prove and submit by themselves. */
export function waitUntilSlashed(
  gateway: Gateway,
  operator: Address,
  options: { deadlineMs?: number } = {},
): Promise<Conviction> {
  return waitUntil(
    `operator ${operator} is slashed`,
    async () => (await listConvictions(gateway, operator))[0],
    options,
  );
}
