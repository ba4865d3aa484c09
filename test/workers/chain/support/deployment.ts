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
import { operatorRegistryAbi } from '../../../../workers/chain/abi.ts';
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
  const proxy = async (name: keyof typeof gatewayAbis, args: unknown[]): Promise<Address> => {
    const abi: Abi = gatewayAbis[name];
    const data = encodeFunctionData({ abi, functionName: 'initialize', args });
    return create('governance/', 'GatewayProxy', [await create('', name, []), data]);
  };
  const operatorRegistry = await proxy('OperatorRegistry', [
    authority,
    token,
    minimumBondWei,
    86_400n * 14n,
  ]);
  const epochManager = await proxy('EpochManager', [authority, operatorRegistry, 86_400n]);
  const keyManager = await proxy('KeyManager', [authority, epochManager, 3_600n]);
  const evaluationKeyManager = await proxy('EvaluationKeyManager', [authority, keyManager, 3_600n]);
  const ciphertextRegistry = await proxy('CiphertextRegistry', [authority, evaluationKeyManager]);
  const decryptionGateway = await proxy('DecryptionGateway', [
    authority,
    ciphertextRegistry,
    3_600n,
  ]);
  const addresses: GatewayAddresses = {
    ...{ decryptionGateway, epochManager, keyManager, evaluationKeyManager },
    ...{ ciphertextRegistry, operatorRegistry },
  };

  const authorityAbi = artifact('governance/', 'Authority').abi;
  const govern = (functionName: string, args: unknown[]) =>
    send(node, account(0), { address: authority, abi: authorityAbi, functionName, args });
  const byName = {
    OperatorRegistry: operatorRegistry,
    EpochManager: epochManager,
    KeyManager: keyManager,
    EvaluationKeyManager: evaluationKeyManager,
    CiphertextRegistry: ciphertextRegistry,
    DecryptionGateway: decryptionGateway,
  };
  for (const { contract, role, functions } of permissions) {
    const selectors = selectorsOf(contract, functions);
    await govern('setTargetFunctionRole', [byName[contract], selectors, Role[role]]);
  }
  await govern('grantRole', [Role.epochManager, epochManager, 0]);
  for (const role of ['governor', 'registrar', 'keyRequester'] as const) {
    await govern('grantRole', [Role[role], account(0).address, 0]);
  }
  return { addresses, token, deploymentBlock: await deployer.getBlockNumber() };
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

/** The call by which an operator announces `/tcp/<port>`: one gateway log. */
export const announce = ({ addresses }: TestDeployment, port: number) =>
  ({
    address: addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'updateEndpoints',
    args: [`/dns4/operator/tcp/${port}`, ''],
  }) as const;
