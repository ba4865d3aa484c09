import { parseEventLogs, type Address, type Hex, type Log } from 'viem';

import { operatorRegistryAbi, slashingManagerAbi } from '../../workers/chain/abi.ts';
import { offenceNumbers, type EvidenceKind } from '../../workers/protocols/evidence.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';

const KINDS = Object.keys(offenceNumbers) as EvidenceKind[];

/** An offence that was proven, and what the operator paid for it. */
export interface Conviction {
  offenceId: Hex;
  kind: EvidenceKind | undefined;
  operator: Address;
  epochId: Hex;
  /** The opening's id, or the request id of a wrong result. */
  subject: Hex;
  beneficiary: Address;
  slashedWei: bigint;
  /** Part of it that the beneficiary is owed. */
  rewardWei: bigint;
  /** What was left of the bond. */
  bondWei: bigint;
  blockNumber: bigint;
  transactionHash: Hex;
}

/** How an offence is punished, in 1e-18. */
export interface Penalty {
  kind: EvidenceKind;
  /** Part of the bond. */
  slashWad: bigint;
  /** Part of what is slashed. */
  rewardWad: bigint;
}

/** All convictions, or those of one operator, oldest first. */
export async function listConvictions(gateway: Gateway, operator?: Address): Promise<Conviction[]> {
  const address = gateway.slashingManager;
  const args = operator === undefined ? {} : { args: { operator } };
  const proven = await eventsOf(gateway, {
    ...{ address, abi: slashingManagerAbi, eventName: 'OffenceProven' },
    ...args,
  });
  // Later, so that no offence of the newest block is without what it cost.
  const slashed = await eventsOf(gateway, {
    ...{ address: gateway.addresses.operatorRegistry, abi: operatorRegistryAbi },
    ...{ eventName: 'OperatorSlashed', ...args },
  });
  return paired(proven, slashed);
}

/** The convictions in the logs of a transaction. */
export function convictionsIn(
  { addresses, slashingManager }: Gateway,
  logs: readonly Log[],
): Conviction[] {
  const from = (address: Address) =>
    logs.filter((log) => log.address.toLowerCase() === address.toLowerCase());
  const proven = parseEventLogs({
    ...{ abi: slashingManagerAbi, eventName: 'OffenceProven', logs: from(slashingManager) },
  });
  const slashed = parseEventLogs({
    ...{ abi: operatorRegistryAbi, eventName: 'OperatorSlashed' },
    logs: from(addresses.operatorRegistry),
  });
  return paired(proven, slashed);
}

/** The penalties in force. */
export async function penaltiesOf(gateway: Gateway): Promise<Penalty[]> {
  const address = gateway.slashingManager;
  return Promise.all(
    KINDS.map(async (kind) => {
      const { slashWad, rewardWad } = await gateway.client.readContract({
        ...{ address, abi: slashingManagerAbi, functionName: 'penalty' },
        args: [offenceNumbers[kind]],
      });
      return { kind, slashWad, rewardWad };
    }),
  );
}

/** Who gets what was slashed beyond rewards, and how much of that is not paid out yet. */
export async function treasuryOf(gateway: Gateway): Promise<{ account: Address; owedWei: bigint }> {
  const address = gateway.slashingManager;
  const [account, owedWei] = await Promise.all([
    gateway.client.readContract({ address, abi: slashingManagerAbi, functionName: 'treasury' }),
    gateway.client.readContract({
      ...{ address: gateway.addresses.operatorRegistry, abi: operatorRegistryAbi },
      functionName: 'treasuryWei',
    }),
  ]);
  return { account, owedWei };
}

/** A part in 1e-18 in percent. */
export const percent = (wad: bigint): string => `${Number(wad / 10n ** 12n) / 10_000} %`;

interface Proven {
  args: {
    offenceId: Hex;
    operator: Address;
    epochId: Hex;
    offence: number;
    subject: Hex;
    beneficiary: Address;
  };
  blockNumber: bigint;
  transactionHash: Hex;
  logIndex: number;
}

interface Slashed {
  args: { operator: Address; slashedWei: bigint; rewardWei: bigint; bondWei: bigint };
  transactionHash: Hex;
  logIndex: number;
}

/** The registry's event follows that of the offence in the same call. @throws ClientError `RESULT_MISMATCH` */
function paired(proven: readonly Proven[], slashed: readonly Slashed[]): Conviction[] {
  return proven.map(({ args, blockNumber, transactionHash, logIndex }) => {
    const loss = slashed.find(
      (one) => one.transactionHash === transactionHash && one.logIndex > logIndex,
    )?.args;
    if (loss === undefined)
      throw new ClientError(
        ClientErrorCode.RESULT_MISMATCH,
        `the logs have an offence of ${args.operator} and not what it was slashed`,
        { advice: 'Ask another RPC endpoint.', metadata: { transactionHash } },
      );
    const { offence, ...rest } = args;
    const { slashedWei, rewardWei, bondWei } = loss;
    return {
      ...{ ...rest, kind: KINDS[offence] },
      ...{ slashedWei, rewardWei, bondWei, blockNumber, transactionHash },
    };
  });
}
