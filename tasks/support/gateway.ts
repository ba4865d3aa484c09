import {
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  isAddress,
  type Account,
  type Address,
  type Chain,
  type PublicClient,
  type Transport,
  type WalletClient,
} from 'viem';

import { decryptionGatewayAbi, keyManagerAbi } from '../../workers/chain/abi.ts';
import type { GatewayAddresses } from '../../workers/chain/client.ts';
import { ClientError, ClientErrorCode } from './errors.ts';

const RECEIPT_POLL_MS = 200;

/** A deployment as a user reaches it: reads through `client`, and writes through `wallet` if it has an account. */
export interface Gateway {
  readonly client: PublicClient<Transport, Chain>;
  readonly wallet: WalletClient<Transport, Chain, Account> | undefined;
  readonly chainId: bigint;
  readonly addresses: GatewayAddresses;
  /** Where fees are deposited, and paid out. */
  readonly feeVault: Address;
  /** Where evidence against operators is judged. */
  readonly slashingManager: Address;
  /** The first block that can hold a log of the deployment. */
  readonly deploymentBlock: bigint;
}

export interface GatewayOptions {
  /** viem transport, e.g. `http(url)`, or `custom(provider)` over an EIP-1193 provider. */
  transport: Transport;
  /** Address of the DecryptionGateway. */
  gateway: Address;
  /** Signs transactions: a local account, or the address of one that the transport signs for. */
  account?: Account | Address | undefined;
}

/**
 * Opens a deployment by the address of its DecryptionGateway.
 * @throws ClientError `RPC_UNREACHABLE`, `NO_GATEWAY_AT_ADDRESS`
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const chainId = await chainIdOf(options.transport);
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [] } },
  });
  const common = { chain, transport: options.transport, pollingInterval: RECEIPT_POLL_MS };
  const client = createPublicClient({ ...common, cacheTime: 0 });
  const wallet =
    options.account === undefined
      ? undefined
      : createWalletClient({ ...common, account: options.account });
  return { client, wallet, chainId: BigInt(chainId), ...(await discover(client, options.gateway)) };
}

/** {@link openGateway} over an RPC URL. */
export async function openGatewayAt(options: {
  rpcUrl: string;
  gateway: Address;
  account?: Account | Address | undefined;
}): Promise<Gateway> {
  return openGateway({ ...options, transport: http(options.rpcUrl) });
}

/** Checks an address that a person typed. @throws ClientError `INVALID_ARGUMENT` */
export function checkedAddress(text: string, what: string): Address {
  if (isAddress(text)) return text;
  throw new ClientError(
    ClientErrorCode.INVALID_ARGUMENT,
    `${what} is not an address with a valid checksum: ${text}`,
  );
}

async function chainIdOf(transport: Transport): Promise<number> {
  try {
    return await createPublicClient({ transport }).getChainId();
  } catch (cause) {
    throw new ClientError(ClientErrorCode.RPC_UNREACHABLE, 'the RPC endpoint does not answer', {
      advice: 'Check that the chain is running and that the network has the right URL.',
      cause,
    });
  }
}

async function discover(
  client: PublicClient,
  address: Address,
): Promise<Pick<Gateway, 'addresses' | 'feeVault' | 'slashingManager' | 'deploymentBlock'>> {
  const read = { address, abi: decryptionGatewayAbi } as const;
  try {
    const [
      epochManager,
      keyManager,
      evaluationKeyManager,
      ciphertextRegistry,
      crsManager,
      operatorRegistry,
      slashingManager,
      deploymentBlock,
    ] = await Promise.all([
      client.readContract({ ...read, functionName: 'epochManager' }),
      client.readContract({ ...read, functionName: 'keyManager' }),
      client.readContract({ ...read, functionName: 'evaluationKeyManager' }),
      client.readContract({ ...read, functionName: 'ciphertextRegistry' }),
      client.readContract({ ...read, functionName: 'crsManager' }),
      client.readContract({ ...read, functionName: 'operatorRegistry' }),
      client.readContract({ ...read, functionName: 'slashingManager' }),
      client.readContract({ ...read, functionName: 'deploymentBlock' }),
    ]);
    const feeVault = await client.readContract({
      ...{ address: keyManager, abi: keyManagerAbi, functionName: 'feeVault' },
    });
    return {
      feeVault,
      slashingManager,
      addresses: {
        decryptionGateway: address,
        epochManager,
        keyManager,
        evaluationKeyManager,
        ciphertextRegistry,
        crsManager,
        operatorRegistry,
      },
      deploymentBlock: BigInt(deploymentBlock),
    };
  } catch (cause) {
    throw new ClientError(
      ClientErrorCode.NO_GATEWAY_AT_ADDRESS,
      `there is no DecryptionGateway at ${address} on this chain`,
      { advice: 'Check the address and that --network names the chain it is on.', cause },
    );
  }
}
