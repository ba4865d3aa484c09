import { readFileSync } from 'node:fs';
import {
  createWalletClient,
  encodeFunctionData,
  http,
  publicActions,
  type Abi,
  type Address,
  type Hex,
  type LocalAccount,
} from 'viem';
import { hardhat } from 'viem/chains';
import { gatewayAbis, permissions, Role, selectorsOf } from '../../../../deploy/roles.ts';
import {
  epochManagerAbi,
  feeVaultAbi,
  operatorRegistryAbi,
} from '../../../../workers/chain/abi.ts';
import type { GatewayAddresses } from '../../../../workers/chain/client.ts';
import { account, type TestNode } from './node.ts';

interface Artifact {
  abi: Abi;
  bytecode: Hex;
}

const artifact = (path: string, name: string): Artifact =>
  JSON.parse(
    readFileSync(
      new URL(`../../../../artifacts/contracts/${path}${name}.sol/${name}.json`, import.meta.url),
      'utf8',
    ),
  ) as Artifact;

export const minimumBondWei = 1_000n;
export const feeQuantumWei = 100n;

/** Deploys the contracts as deploy/ does, with account 0 in every role. */
export async function deployGateway(node: TestNode) {
  const deployer = walletOf(node, account(0));
  const create = async (path: string, name: string, args: unknown[]): Promise<Address> => {
    const { abi, bytecode } = artifact(path, name);
    const hash = await deployer.deployContract({ abi, bytecode, args });
    const { contractAddress } = await deployer.waitForTransactionReceipt({ hash });
    if (!contractAddress) throw new Error(`${name} was not deployed`);
    return contractAddress;
  };
  const token = await create('devnet/', 'DevnetToken', []);
  const authority = await create('governance/', 'Authority', [account(0).address]);
  const proxy = async (
    name: keyof typeof gatewayAbis,
    args: unknown[],
    fixed: unknown[] = [],
  ): Promise<Address> => {
    const abi: Abi = gatewayAbis[name];
    const data = encodeFunctionData({ abi, functionName: 'initialize', args });
    return create('governance/', 'GatewayProxy', [await create('', name, fixed), data]);
  };
  const operatorRegistry = await proxy('OperatorRegistry', [
    authority,
    token,
    minimumBondWei,
    86_400n * 14n,
  ]);
  const epochManager = await proxy('EpochManager', [authority, operatorRegistry, 86_400n]);
  const terms = { treasury: account(0).address, reimbursement: 2, retentionBps: 1_000 };
  const feeVault = await create('', 'FeeVault', [
    ...[authority, token, epochManager, feeQuantumWei, terms],
  ]);
  const requests = [authority, 3_600n, 600n];
  const keyManager = await proxy('KeyManager', requests, [feeVault]);
  const slashingManager = await proxy('SlashingManager', [
    authority,
    keyManager,
    account(0).address,
  ]);
  const evaluationKeyManager = await proxy('EvaluationKeyManager', requests, [keyManager]);
  const ciphertextRegistry = await proxy('CiphertextRegistry', [authority, evaluationKeyManager]);
  const crsManager = await proxy('CrsManager', requests, [slashingManager]);
  const decryptionGateway = await proxy('DecryptionGateway', requests, [
    ciphertextRegistry,
    crsManager,
  ]);
  const addresses: GatewayAddresses = {
    ...{ decryptionGateway, epochManager, keyManager, evaluationKeyManager },
    ...{ ciphertextRegistry, crsManager, operatorRegistry },
  };

  const authorityAbi = artifact('governance/', 'Authority').abi;
  const govern = (functionName: string, args: unknown[]) =>
    send(node, account(0), { address: authority, abi: authorityAbi, functionName, args });
  const byName = {
    OperatorRegistry: operatorRegistry,
    EpochManager: epochManager,
    KeyManager: keyManager,
    SlashingManager: slashingManager,
    EvaluationKeyManager: evaluationKeyManager,
    CiphertextRegistry: ciphertextRegistry,
    CrsManager: crsManager,
    DecryptionGateway: decryptionGateway,
    FeeVault: feeVault,
  };
  for (const { contract, role, functions } of permissions) {
    const selectors = selectorsOf(contract, functions);
    await govern('setTargetFunctionRole', [byName[contract], selectors, Role[role]]);
  }
  await govern('grantRole', [Role.epochManager, epochManager, 0]);
  await govern('grantRole', [Role.slashingManager, slashingManager, 0]);
  await govern('grantRole', [Role.evaluationKeyManager, evaluationKeyManager, 0]);
  await govern('grantRole', [Role.feeVault, feeVault, 0]);
  for (const role of ['governor', 'registrar', 'keyRequester'] as const) {
    await govern('grantRole', [Role[role], account(0).address, 0]);
  }
  const manager = { address: epochManager, abi: epochManagerAbi };
  await send(node, account(0), { ...manager, functionName: 'setKeyManager', args: [keyManager] });
  const vault = { address: feeVault, abi: feeVaultAbi } as const;
  for (const [operation, source] of [
    ...[[1, keyManager] as const, [2, decryptionGateway] as const, [6, decryptionGateway] as const],
    ...[3, 4, 5].map((kind) => [kind, evaluationKeyManager] as const),
    [7, crsManager] as const,
  ]) {
    const add = { ...vault, functionName: 'addOperation', args: [operation, source] };
    await send(node, account(0), add);
    await send(node, account(0), { ...vault, functionName: 'setPrice', args: [operation, 10, 1] });
  }
  return { addresses, token, feeVault, deploymentBlock: await deployer.getBlockNumber() };
}

export type TestDeployment = Awaited<ReturnType<typeof deployGateway>>;

export const walletOf = (node: TestNode, from: LocalAccount) =>
  createWalletClient({
    account: from,
    chain: hardhat,
    transport: http(node.rpcUrl, { retryCount: 0 }),
    cacheTime: 0,
    pollingInterval: 20,
  }).extend(publicActions);

/** Sends a call and waits until it has succeeded. */
export async function send(
  node: TestNode,
  from: LocalAccount,
  call: { address: Address; abi: Abi; functionName: string; args: readonly unknown[] },
) {
  const wallet = walletOf(node, from);
  const hash = await wallet.writeContract(call);
  const receipt = await wallet.waitForTransactionReceipt({ hash });
  if (receipt.status !== 'success') throw new Error(`${call.functionName} reverted`);
  return receipt;
}

/** Makes an account an operator; `signer` sends and signs for it. */
export async function registerOperator(
  node: TestNode,
  { addresses, token }: TestDeployment,
  operator: LocalAccount,
  signer: Address,
) {
  const { abi } = artifact('devnet/', 'DevnetToken');
  const bond = minimumBondWei;
  await send(node, operator, {
    ...{ address: token, abi, functionName: 'mint', args: [operator.address, bond] },
  });
  await send(node, operator, {
    ...{ address: token, abi, functionName: 'approve', args: [addresses.operatorRegistry, bond] },
  });
  const peerId = `0x0024${signer.slice(2)}`;
  return send(node, operator, {
    address: addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'register',
    args: [signer, peerId, `/dns4/${operator.address}/tcp/9`, 'https://operator', bond],
  });
}

/** Deposits so much for an account's fees that they are never what a test is about. */
export async function depositFor(
  node: TestNode,
  { token, feeVault }: TestDeployment,
  payer: LocalAccount,
) {
  const { abi } = artifact('devnet/', 'DevnetToken');
  const amountWei = 10n ** 18n;
  await send(node, payer, {
    ...{ address: token, abi, functionName: 'mint', args: [payer.address, amountWei] },
  });
  await send(node, payer, {
    ...{ address: token, abi, functionName: 'approve', args: [feeVault, amountWei] },
  });
  return send(node, payer, {
    address: feeVault,
    abi: feeVaultAbi,
    functionName: 'deposit',
    args: [payer.address, amountWei],
  });
}

/** The call by which an operator announces `/tcp/<port>`: one gateway log. */
export const announce = ({ addresses }: TestDeployment, port: number) =>
  ({
    address: addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'updateEndpoints',
    args: [`/dns4/operator/tcp/${port}`, ''],
  }) as const;
