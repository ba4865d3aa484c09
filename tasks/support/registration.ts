import { erc20Abi, isAddressEqual, zeroAddress, type Address, type Hex } from 'viem';

import { operatorRegistryAbi } from '../../workers/chain/abi.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { amountText, provide, tokenAt, type Token } from './payments.ts';
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
  /** Whether it has been slashed: it never takes a seat again. */
  removed: boolean;
  /** Unix seconds before which it takes no new seat; 0 if it never was benched. */
  benchedUntil: number;
  /** Unix seconds from which the bond can be withdrawn; 0 unless it is unbonding without a seat. */
  withdrawableAt: number;
  peerId: Hex;
  multiaddr: string;
  endpoint: string;
}

const PAGE = 100n;

/**
 * Registers the gateway's account as operator: approves the bond and pays it in.
 * @param options.peerId libp2p peer id as multihash bytes
 * @param options.bondWei in the bond token's smallest unit; the minimum bond if absent
 * @throws ClientError `STAKE_STATE` if the account is an operator or the signer is one's, before anything is
 *   paid; `INSUFFICIENT_FUNDS`, `REVERTED` with the registry's error
 */
export async function registerOperator(
  gateway: Gateway,
  options: { signer: Address; peerId: Hex; multiaddr: string; endpoint: string; bondWei?: bigint },
  onProgress?: (text: string) => void,
): Promise<{ operator: Address; bondWei: bigint }> {
  await requireNew(gateway, walletOf(gateway).account.address, options.signer);
  const registry = {
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
  } as const;
  const bondWei =
    options.bondWei ??
    (await gateway.client.readContract({ ...registry, functionName: 'minimumBondWei' }));
  onProgress?.('approving the bond');
  await approveBond(gateway, bondWei);
  onProgress?.('registering');
  const { signer, peerId, multiaddr, endpoint } = options;
  await send(gateway, {
    ...registry,
    functionName: 'register',
    args: [signer, peerId, multiaddr, endpoint, bondWei],
  });
  return { operator: walletOf(gateway).account.address, bondWei };
}

async function requireNew(gateway: Gateway, account: Address, signer: Address): Promise<void> {
  const owner = await operatorOfSigner(gateway, signer);
  const refused = (message: string, advice: string): ClientError =>
    new ClientError(ClientErrorCode.STAKE_STATE, message, {
      advice,
      metadata: { account, signer },
    });
  if (owner !== zeroAddress)
    throw refused(
      `the signer ${signer} is that of operator ${owner} already`,
      'To change its addresses use `kms operator update`; for another operator run `keyloom-operator init` in a new folder.',
    );
  if ((await operatorAt(gateway, account)).state !== 'None')
    throw refused(
      `${account} is an operator already, with another signer`,
      'An account is one operator, once: choose another account with --from.',
    );
}

/**
 * Announces other addresses of the operator that the gateway's account is.
 * @returns the operator
 * @throws ClientError `STAKE_STATE` if the account is not the operator of the signer
 */
export async function updateEndpoints(
  gateway: Gateway,
  { signer, multiaddr, endpoint }: { signer: Address; multiaddr: string; endpoint: string },
): Promise<Address> {
  const account = walletOf(gateway).account.address;
  const owner = await operatorOfSigner(gateway, signer);
  if (!isAddressEqual(owner, account))
    throw new ClientError(
      ClientErrorCode.STAKE_STATE,
      owner === zeroAddress
        ? `no operator has the signer ${signer}`
        : `the signer ${signer} is that of operator ${owner}, not of ${account}`,
      {
        advice: 'Register it with `kms operator register`, or choose its owner with --from.',
        metadata: { account, signer },
      },
    );
  await send(gateway, {
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'updateEndpoints',
    args: [multiaddr, endpoint],
  });
  return owner;
}

const operatorOfSigner = ({ client, addresses }: Gateway, signer: Address): Promise<Address> =>
  client.readContract({
    ...{ address: addresses.operatorRegistry, abi: operatorRegistryAbi },
    ...{ functionName: 'operatorOf', args: [signer] },
  });

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
  return Promise.all(addresses.map((operator) => operatorAt(gateway, operator)));
}

/** The record of an account; state `None` if it never registered. */
export async function operatorAt(
  { client, addresses }: Gateway,
  operator: Address,
): Promise<RegisteredOperator> {
  const registry = { address: addresses.operatorRegistry, abi: operatorRegistryAbi } as const;
  const args = [operator] as const;
  const [{ state, benchedUntil, withdrawableAt, ...record }, eligible] = await Promise.all([
    client.readContract({ ...registry, functionName: 'getOperator', args }),
    client.readContract({ ...registry, functionName: 'isEligible', args }),
  ]);
  return {
    operator,
    ...record,
    state: OPERATOR_STATES[state] ?? 'None',
    eligible,
    benchedUntil: Number(benchedUntil),
    withdrawableAt: Number(withdrawableAt),
  };
}

/** The token that bonds are held in. */
export async function bondTokenOf(gateway: Gateway): Promise<Token> {
  const address = await gateway.client.readContract({
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'bondToken',
  });
  return tokenAt(gateway, address);
}

/**
 * Lets the registry take an amount of the bond token. On local networks what the wallet lacks is minted.
 * @throws ClientError `INSUFFICIENT_FUNDS`
 */
export async function approveBond(gateway: Gateway, amountWei: bigint): Promise<void> {
  const token = await bondTokenOf(gateway);
  const owner = walletOf(gateway).account.address;
  const missingWei = await provide(gateway, token, amountWei);
  if (missingWei > 0n)
    throw new ClientError(
      ClientErrorCode.INSUFFICIENT_FUNDS,
      `${owner} has ${amountText(token, amountWei - missingWei)} for a bond, and ${amountText(token, amountWei)} are to be paid`,
      {
        advice: `Get ${amountText(token, missingWei)} (token ${token.address}) to it.`,
        metadata: { token: token.address, amountWei, missingWei },
      },
    );
  await send(gateway, {
    address: token.address,
    abi: erc20Abi,
    functionName: 'approve',
    args: [gateway.addresses.operatorRegistry, amountWei],
  });
}
