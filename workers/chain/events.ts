import { decodeEventLog, type DecodeEventLogReturnType, type Hex } from 'viem';
import {
  ciphertextRegistryAbi,
  crsManagerAbi,
  decryptionGatewayAbi,
  epochManagerAbi,
  evaluationKeyManagerAbi,
  keyManagerAbi,
  operatorRegistryAbi,
} from './abi.ts';
import { contractAt, type GatewayAddresses } from './client.ts';
import type { GatewayLog } from './logs.ts';

/** An event of any gateway contract: `eventName` tells them apart, `args` are typed by it. */
export type GatewayEvent =
  | DecodeEventLogReturnType<typeof operatorRegistryAbi>
  | DecodeEventLogReturnType<typeof epochManagerAbi>
  | DecodeEventLogReturnType<typeof keyManagerAbi>
  | DecodeEventLogReturnType<typeof evaluationKeyManagerAbi>
  | DecodeEventLogReturnType<typeof ciphertextRegistryAbi>
  | DecodeEventLogReturnType<typeof crsManagerAbi>
  | DecodeEventLogReturnType<typeof decryptionGatewayAbi>;

const abis = {
  operatorRegistry: operatorRegistryAbi,
  epochManager: epochManagerAbi,
  keyManager: keyManagerAbi,
  evaluationKeyManager: evaluationKeyManagerAbi,
  ciphertextRegistry: ciphertextRegistryAbi,
  crsManager: crsManagerAbi,
  decryptionGateway: decryptionGatewayAbi,
} as const;

/**
 * Decodes the logs of a block, in order.
 *
 * A log is read by the ABI of the contract that emitted it. One that does not decode, after an
 * upgrade or because the endpoint made it up, is left out; the log digest still covers it.
 */
export function decodeGatewayLogs(
  addresses: GatewayAddresses,
  logs: readonly GatewayLog[],
): GatewayEvent[] {
  return logs.flatMap((log) => {
    const contract = contractAt(addresses, log.address);
    const event = contract && decode(abis[contract], log);
    return event === undefined ? [] : [event];
  });
}

function decode(abi: (typeof abis)[keyof typeof abis], log: GatewayLog): GatewayEvent | undefined {
  try {
    return decodeEventLog({ abi, topics: log.topics as [Hex, ...Hex[]], data: log.data });
  } catch {
    return undefined;
  }
}
