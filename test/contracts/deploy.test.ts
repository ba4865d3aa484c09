import { getAddress, toFunctionSelector, type AbiFunction, type Address } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { gatewayAbis, permissions, Role, type GatewayContract } from '../../deploy/roles.ts';
import {
  connectChain,
  deployGateway,
  type DeployedGateway,
  type LocalChain,
} from './support/gateway.ts';

/** Everything that is not for everybody, by contract; the admin's unless a role is named for it. */
const restricted: Record<GatewayContract, readonly string[]> = {
  OperatorRegistry: ['seat', 'setMinimumBond', 'setUnbondingDelay', 'unseat', 'upgradeToAndCall'],
  EpochManager: ['proposeEpoch', 'retire', 'setSetupWindow', 'upgradeToAndCall'],
  KeyManager: [
    'addParameterSet',
    'pauseRequests',
    'requestKey',
    'retireKey',
    'setResponseWindow',
    'unpauseRequests',
    'upgradeToAndCall',
  ],
  EvaluationKeyManager: [
    'pauseRequests',
    'requestGaloisKeys',
    'requestRelinearizationKey',
    'setResponseWindow',
    'unpauseRequests',
    'upgradeToAndCall',
  ],
  CiphertextRegistry: ['register', 'registerSwitched', 'upgradeToAndCall'],
  DecryptionGateway: ['pauseRequests', 'setResponseWindow', 'unpauseRequests', 'upgradeToAndCall'],
};

describe('the deployment module', () => {
  let chain: LocalChain;
  let gateway: DeployedGateway;
  let proxies: Record<GatewayContract, Address>;

  beforeAll(async () => {
    chain = await connectChain();
    gateway = await deployGateway(chain);
    proxies = {
      OperatorRegistry: gateway.operatorRegistry.address,
      EpochManager: gateway.epochManager.address,
      KeyManager: gateway.keyManager.address,
      EvaluationKeyManager: gateway.evaluationKeyManager.address,
      CiphertextRegistry: gateway.ciphertextRegistry.address,
      DecryptionGateway: gateway.decryptionGateway.address,
    };
  });

  test('wires the six contracts so that a client needs the gateway only', async () => {
    const { read } = gateway.decryptionGateway;
    expect(getAddress(await read.operatorRegistry())).toBe(getAddress(proxies.OperatorRegistry));
    expect(getAddress(await read.epochManager())).toBe(getAddress(proxies.EpochManager));
    expect(getAddress(await read.keyManager())).toBe(getAddress(proxies.KeyManager));
    expect(getAddress(await read.evaluationKeyManager())).toBe(
      getAddress(proxies.EvaluationKeyManager),
    );
    expect(getAddress(await read.ciphertextRegistry())).toBe(
      getAddress(proxies.CiphertextRegistry),
    );
    expect(getAddress(await gateway.operatorRegistry.read.bondToken())).toBe(
      getAddress(gateway.bondToken.address),
    );
  });

  test('deploys the gateway no earlier than the contracts whose logs count', async () => {
    const block = await gateway.decryptionGateway.read.deploymentBlock();
    for (const address of Object.values(proxies))
      expect(await chain.client.getCode({ address, blockNumber: block })).toBeDefined();
  });

  test('every restricted function has the role that roles.ts names, the admin the rest', async () => {
    for (const [contract, abi] of Object.entries(gatewayAbis)) {
      const name = contract as GatewayContract;
      const roles = new Map<string, bigint>();
      for (const permission of permissions.filter((entry) => entry.contract === name))
        for (const fn of permission.functions) roles.set(fn, Role[permission.role]);
      for (const fn of restricted[name]) {
        const item = abi.find((entry) => entry.type === 'function' && entry.name === fn);
        const selector = toFunctionSelector(item as AbiFunction);
        const role = await gateway.authority.read.getTargetFunctionRole([proxies[name], selector]);
        expect({ contract, fn, role }).toEqual({ contract, fn, role: roles.get(fn) ?? Role.admin });
        roles.delete(fn);
      }
      expect([...roles.keys()]).toEqual([]);
    }
  });

  test('a stranger is refused by every restricted function', async () => {
    for (const [contract, abi] of Object.entries(gatewayAbis)) {
      const name = contract as GatewayContract;
      for (const fn of restricted[name]) {
        const item = abi.find((entry) => entry.type === 'function' && entry.name === fn);
        const [allowed] = await gateway.authority.read.canCall([
          chain.outsider.account.address,
          proxies[name],
          toFunctionSelector(item as AbiFunction),
        ]);
        expect({ contract, fn, allowed }).toEqual({ contract, fn, allowed: false });
      }
    }
  });

  test('only the epoch manager seats operators', async () => {
    const { read } = gateway.authority;
    expect(await read.hasRole([Role.epochManager, proxies.EpochManager])).toEqual([true, 0]);
    const deployer = chain.governor.account.address;
    expect(await read.hasRole([Role.epochManager, deployer])).toEqual([false, 0]);
    for (const role of ['admin', 'governor', 'registrar', 'keyRequester'] as const)
      expect(await read.hasRole([Role[role], deployer])).toEqual([true, 0]);
  });
});
