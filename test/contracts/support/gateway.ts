import { network } from 'hardhat';
import {
  concatHex,
  getContract,
  keccak256,
  parseAbi,
  toHex,
  type Abi,
  type Address,
  type Hex,
  type LocalAccount,
  type TransactionReceipt,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import keyloomModule from '../../../deploy/modules/KeyloomDevnet.ts';
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
} from '../../../workers/chain/abi.ts';
import type { Deployment } from '../../../workers/chain/client.ts';
import { signStatement, type Statement } from '../../../workers/chain/typed-data.ts';

/** The chain of one test file, in this process. */
export async function connectChain() {
  const connection = await network.create();
  const [governor, outsider] = await connection.viem.getWalletClients();
  if (governor === undefined || outsider === undefined) throw new TypeError('no accounts');
  const client = await connection.viem.getPublicClient();
  return { ...connection, governor, outsider, client };
}

export type LocalChain = Awaited<ReturnType<typeof connectChain>>;

const authorityAbi = parseAbi([
  'function getTargetFunctionRole(address target, bytes4 selector) view returns (uint64)',
  'function canCall(address caller, address target, bytes4 selector) view returns (bool, uint32)',
  'function hasRole(uint64 role, address account) view returns (bool, uint32)',
  'event RoleGranted(uint64 indexed roleId, address indexed account, uint32 delay, uint48 since, bool newMember)',
]);
const tokenAbi = parseAbi([
  'function mint(address account, uint256 amountWei)',
  'function approve(address spender, uint256 amountWei) returns (bool)',
]);

/** What the first account has deposited for fees: more than any test needs. */
export const DEPOSIT_WEI = 10n ** 24n;

/**
 * Deploys with the project's own module. The first account is admin, governor and key requester, and has a
 * deposit for fees.
 * @param parameters of the module: what is not there has its default
 */
export async function deployGateway(
  chain: LocalChain,
  parameters: { readonly registrar?: Address } = {},
) {
  const options = { parameters: { KeyloomDevnet: parameters } };
  const deployed = (await chain.ignition.deploy(keyloomModule, options)) as unknown as Record<
    keyof Deployment['addresses'] | 'authority' | 'bondToken' | 'feeVault' | 'slashingManager',
    { address: Address }
  >;
  const at = <const A extends Abi>(name: keyof typeof deployed, abi: A) =>
    getContract({
      address: deployed[name].address,
      abi,
      client: { public: chain.client, wallet: chain.governor },
    });
  const contracts = {
    authority: at('authority', authorityAbi),
    bondToken: at('bondToken', tokenAbi),
    operatorRegistry: at('operatorRegistry', operatorRegistryAbi),
    epochManager: at('epochManager', epochManagerAbi),
    feeVault: at('feeVault', feeVaultAbi),
    keyManager: at('keyManager', keyManagerAbi),
    slashingManager: at('slashingManager', slashingManagerAbi),
    evaluationKeyManager: at('evaluationKeyManager', evaluationKeyManagerAbi),
    ciphertextRegistry: at('ciphertextRegistry', ciphertextRegistryAbi),
    crsManager: at('crsManager', crsManagerAbi),
    decryptionGateway: at('decryptionGateway', decryptionGatewayAbi),
  };
  const deployment: Deployment = {
    chainId: BigInt(await chain.client.getChainId()),
    addresses: {
      decryptionGateway: contracts.decryptionGateway.address,
      epochManager: contracts.epochManager.address,
      keyManager: contracts.keyManager.address,
      evaluationKeyManager: contracts.evaluationKeyManager.address,
      ciphertextRegistry: contracts.ciphertextRegistry.address,
      crsManager: contracts.crsManager.address,
      operatorRegistry: contracts.operatorRegistry.address,
    },
  };
  const { bondToken, feeVault } = contracts;
  const payer = chain.governor.account.address;
  await bondToken.write.mint([payer, DEPOSIT_WEI]);
  await bondToken.write.approve([feeVault.address, DEPOSIT_WEI]);
  await feeVault.write.deposit([payer, DEPOSIT_WEI]);
  return { ...contracts, deployment };
}

export type DeployedGateway = Awaited<ReturnType<typeof deployGateway>>;

/** Operator number i, from 1: one key is its owner and its signer. */
export function operatorAccount(index: number): LocalAccount {
  return privateKeyToAccount(keccak256(toHex(`operator ${index}`)));
}

/** Sends a call and returns its receipt. Without an account the governor sends it. */
export async function send(
  chain: LocalChain,
  account: LocalAccount | undefined,
  contract: { address: Address; abi: Abi },
  functionName: string,
  args: readonly unknown[],
): Promise<TransactionReceipt> {
  const wallet = account
    ? await chain.viem.getWalletClient(account.address, { account })
    : chain.governor;
  const { address, abi } = contract;
  const hash = await wallet.writeContract({ address, abi, functionName, args });
  return chain.client.getTransactionReceipt({ hash });
}

/** Registers operators 1 to n with the minimum bond. */
export async function registerOperators(
  chain: LocalChain,
  { operatorRegistry, bondToken }: DeployedGateway,
  n: number,
): Promise<Address[]> {
  const bondWei = await operatorRegistry.read.minimumBondWei();
  const operators: Address[] = [];
  for (let i = 1; i <= n; i++) {
    const account = operatorAccount(i);
    operators.push(account.address);
    if ((await operatorRegistry.read.operatorOf([account.address])) === account.address) continue;
    await chain.networkHelpers.setBalance(account.address, 10n ** 20n);
    await bondToken.write.mint([account.address, bondWei]);
    await send(chain, account, bondToken, 'approve', [operatorRegistry.address, bondWei]);
    await send(chain, account, operatorRegistry, 'register', [
      account.address,
      toHex(`peer ${i}`),
      '/ip4/127.0.0.1/tcp/4001',
      '',
      bondWei,
    ]);
  }
  return operators;
}

/** 2t+1 */
export const quorumOf = (n: number): number => (2 * n + 1) / 3;

/** Bitmap of the indices 1 to count. */
export const firstMembers = (count: number): bigint => (1n << BigInt(count)) - 1n;

/** Signatures of a statement by the indices 1 to count, as responses carry them. */
export async function signaturesOf(
  deployment: Deployment,
  statement: Statement,
  count: number,
): Promise<Hex> {
  const signatures: Hex[] = [];
  for (let i = 1; i <= count; i++)
    signatures.push(await signStatement(operatorAccount(i), deployment, statement));
  return concatHex(signatures);
}
