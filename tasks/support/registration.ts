import { erc20Abi, type Address, type Hex } from 'viem';

import { operatorRegistryAbi } from '../../workers/chain/abi.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { send, walletOf } from './transactions.ts';

/** States by their number on chain. */
export const OPERATOR_STATES = ['None', 'Bonded', 'Unbonding', 'Withdrawn'] as const;
export type OperatorState = (typeof OPERATOR_STATES)[number];

/** An operator as the registry has it. */
export interface RegisteredOperator {
  operator: Address;
  signer: Address;
  state: OperatorState;
  /** Number of live epochs it sits in. */
  seats: number;
  bondWei: bigint;
  eligible: boolean;
  peerId: Hex;
  multiaddr: string;
  endpoint: string;
}

const PAGE = 100n;

/**
 * Registers the gateway's account as operator: approves the bond and pays it in.
 * @param options.peerId libp2p peer id as multihash bytes, as `keyloom-operator init` prints it
 * @param options.bondWei in the bond token's smallest unit; the minimum bond if absent
 * @throws ClientError `INSUFFICIENT_FUNDS`, `REVERTED` with the registry's error
 */
export async function registerOperator(
  gateway: Gateway,
  options: { signer: Address; peerId: Hex; multiaddr: string; endpoint: string; bondWei?: bigint },
): Promise<{ operator: Address; bondWei: bigint }> {
  const registry = {
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
  } as const;
  const token = await gateway.client.readContract({ ...registry, functionName: 'bondToken' });
  const bondWei =
    options.bondWei ??
    (await gateway.client.readContract({ ...registry, functionName: 'minimumBondWei' }));
  await requireBalance(gateway, token, bondWei);
  await send(gateway, {
    address: token,
    abi: erc20Abi,
    functionName: 'approve',
    args: [registry.address, bondWei],
  });
  const { signer, peerId, multiaddr, endpoint } = options;
  await send(gateway, {
    ...registry,
    functionName: 'register',
    args: [signer, peerId, multiaddr, endpoint, bondWei],
  });
  return { operator: walletOf(gateway).account.address, bondWei };
}

/** All operators ever registered, in order of registration. */
export async function listOperators(gateway: Gateway): Promise<RegisteredOperator[]> {
  const registry = {
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
  } as const;
  const { client } = gateway;
  const count = await client.readContract({ ...registry, functionName: 'operatorCount' });
  const addresses: Address[] = [];
  for (let offset = 0n; offset < count; offset += PAGE)
    addresses.push(
      ...(await client.readContract({
        ...registry,
        functionName: 'operators',
        args: [offset, PAGE],
      })),
    );
  return Promise.all(
    addresses.map(async (operator) => {
      const [record, eligible] = await Promise.all([
        client.readContract({ ...registry, functionName: 'getOperator', args: [operator] }),
        client.readContract({ ...registry, functionName: 'isEligible', args: [operator] }),
      ]);
      const { signer, state, seats, bondWei, peerId, multiaddr, endpoint } = record;
      return {
        operator,
        signer,
        state: OPERATOR_STATES[state] ?? 'None',
        seats,
        bondWei,
        eligible,
        peerId,
        multiaddr,
        endpoint,
      };
    }),
  );
}

async function requireBalance(gateway: Gateway, token: Address, bondWei: bigint): Promise<void> {
  const owner = walletOf(gateway).account.address;
  const balance = await gateway.client.readContract({
    address: token,
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [owner],
  });
  if (balance < bondWei)
    throw new ClientError(
      ClientErrorCode.INSUFFICIENT_FUNDS,
      `${owner} has ${balance} wei of the bond token ${token}, the bond is ${bondWei}`,
      { metadata: { token, balance, bondWei } },
    );
}
