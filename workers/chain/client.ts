import { getAddress, getContract, isAddressEqual, type Address, type PublicClient } from 'viem';
import {
  ciphertextRegistryAbi,
  crsManagerAbi,
  decryptionGatewayAbi,
  epochManagerAbi,
  evaluationKeyManagerAbi,
  feeVaultAbi,
  keyManagerAbi,
  operatorRegistryAbi,
  slashingManagerAbi,
} from './abi.ts';
import { Endpoints, type EndpointsOptions } from './endpoints.ts';
import { ChainError, ChainErrorCode } from './errors.ts';
import { rpcError } from './rpc.ts';

/** The seven contracts whose logs operators follow, as checksummed addresses. */
export interface GatewayAddresses {
  readonly decryptionGateway: Address;
  readonly epochManager: Address;
  readonly keyManager: Address;
  readonly evaluationKeyManager: Address;
  readonly ciphertextRegistry: Address;
  readonly crsManager: Address;
  readonly operatorRegistry: Address;
}

/** A deployment as signatures name it. */
export interface Deployment {
  readonly chainId: bigint;
  readonly addresses: GatewayAddresses;
}

/** A deployment that can be read. */
export interface GatewayClient extends Deployment {
  readonly client: PublicClient;
  /** What the client asks. */
  readonly endpoints: Endpoints;
  /** First block that can have logs of the deployment; no later than that (see the contract). */
  readonly deploymentBlock: bigint;
  /** Typed views: `contracts.epochManager.read.proposal([id])`. */
  readonly contracts: GatewayContracts;
}

export type GatewayContracts = ReturnType<typeof contractsAt>;

/**
 * Reaches a deployment by the address of its DecryptionGateway, from which the others are read: at the
 * first endpoint that has it. What others serve is checked when they are asked.
 *
 * Requests are not retried inside the client: the watcher and the sender have their own loops.
 *
 * @param expectedChainId if given, the chain the endpoints must serve
 * @throws ChainError RPC_UNREACHABLE, RPC_FAILED, WRONG_CHAIN, NO_GATEWAY: of the first endpoint, or of the
 *   first that may yet answer
 */
export async function connectGateway(
  options: {
    rpcUrls: readonly string[];
    gateway: Address;
    expectedChainId?: bigint | undefined;
  } & EndpointsOptions,
): Promise<GatewayClient> {
  const { rpcUrls, gateway, expectedChainId, ...rest } = options;
  const endpoints = new Endpoints(rpcUrls, rest);
  const failures: ChainError[] = [];
  for (const { client } of endpoints.all) {
    try {
      const chainId = await chainIdOf(client, expectedChainId);
      const found = await discover(client, gateway);
      const { addresses, feeVault, slashingManager, deploymentBlock } = found;
      endpoints.chainId = chainId;
      const contracts = contractsAt(endpoints.client, addresses, { feeVault, slashingManager });
      return {
        ...{ client: endpoints.client, endpoints },
        ...{ chainId, deploymentBlock, addresses, contracts },
      };
    } catch (error) {
      failures.push(rpcError(error));
    }
  }
  throw failures.find(({ code }) => code === ChainErrorCode.RPC_UNREACHABLE) ?? failures[0];
}

async function chainIdOf(client: PublicClient, expected: bigint | undefined): Promise<bigint> {
  const chainId = BigInt(await requested(client.getChainId()));
  if (expected === undefined || expected === chainId) return chainId;
  throw new ChainError(ChainErrorCode.WRONG_CHAIN, 'The RPC endpoint serves another chain.', {
    metadata: { expected, actual: chainId },
  });
}

async function discover(client: PublicClient, gateway: Address) {
  const noGateway = (cause?: unknown) =>
    new ChainError(ChainErrorCode.NO_GATEWAY, 'There is no DecryptionGateway at this address.', {
      metadata: { gateway },
      cause,
    });
  const code = await requested(client.getCode({ address: gateway }));
  if (code === undefined || code === '0x') throw noGateway();
  const { read } = getContract({ address: gateway, abi: decryptionGatewayAbi, client });
  try {
    const [deploymentBlock, slashingManager, ...others] = await Promise.all([
      read.deploymentBlock(),
      read.slashingManager(),
      read.epochManager(),
      read.keyManager(),
      read.evaluationKeyManager(),
      read.ciphertextRegistry(),
      read.crsManager(),
      read.operatorRegistry(),
    ]);
    const [epochManager, keyManager, evaluationKeyManager, ...more] = others;
    const [ciphertextRegistry, crsManager, operatorRegistry] = more;
    const addresses: GatewayAddresses = {
      decryptionGateway: getAddress(gateway),
      epochManager,
      keyManager,
      evaluationKeyManager,
      ciphertextRegistry,
      crsManager,
      operatorRegistry,
    };
    const keys = getContract({ address: keyManager, abi: keyManagerAbi, client });
    const feeVault = await keys.read.feeVault();
    return { addresses, feeVault, slashingManager, deploymentBlock };
  } catch (error) {
    const failure = rpcError(error);
    throw failure.code === ChainErrorCode.RPC_UNREACHABLE ? failure : noGateway(error);
  }
}

function contractsAt(
  client: PublicClient,
  addresses: GatewayAddresses,
  { feeVault, slashingManager }: { feeVault: Address; slashingManager: Address },
) {
  return {
    decryptionGateway: getContract({
      address: addresses.decryptionGateway,
      abi: decryptionGatewayAbi,
      client,
    }),
    epochManager: getContract({ address: addresses.epochManager, abi: epochManagerAbi, client }),
    keyManager: getContract({ address: addresses.keyManager, abi: keyManagerAbi, client }),
    evaluationKeyManager: getContract({
      address: addresses.evaluationKeyManager,
      abi: evaluationKeyManagerAbi,
      client,
    }),
    ciphertextRegistry: getContract({
      address: addresses.ciphertextRegistry,
      abi: ciphertextRegistryAbi,
      client,
    }),
    crsManager: getContract({ address: addresses.crsManager, abi: crsManagerAbi, client }),
    operatorRegistry: getContract({
      address: addresses.operatorRegistry,
      abi: operatorRegistryAbi,
      client,
    }),
    // Its logs ask nothing of operators, so they are not followed.
    feeVault: getContract({ address: feeVault, abi: feeVaultAbi, client }),
    slashingManager: getContract({ address: slashingManager, abi: slashingManagerAbi, client }),
  };
}

/** The contract of a deployment that has this address, or undefined. */
export function contractAt(
  addresses: GatewayAddresses,
  address: Address,
): keyof GatewayAddresses | undefined {
  const names = Object.keys(addresses) as (keyof GatewayAddresses)[];
  return names.find((name) => isAddressEqual(addresses[name], address));
}

async function requested<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw rpcError(error);
  }
}
