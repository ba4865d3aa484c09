import { getAddress, toFunctionSelector, zeroAddress, type AbiFunction, type Address } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { gatewayAbis, permissions, Role, type GatewayContract } from '../../deploy/roles.ts';
import { Operation } from '../../workers/sharing/ids.ts';
import {
  connectChain,
  deployGateway,
  type DeployedGateway,
  type LocalChain,
} from './support/gateway.ts';

/** Everything that is not for everybody, by contract; the admin's unless a role is named for it. */
const restricted: Record<GatewayContract, readonly string[]> = {
  OperatorRegistry: [
    'bench',
    'payTreasury',
    'seat',
    'setMinimumBond',
    'setUnbondingDelay',
    'slash',
    'unseat',
    'upgradeToAndCall',
  ],
  EpochManager: [
    'proposeEpoch',
    'recordService',
    'retire',
    'setKeyManager',
    'setParticipationTerms',
    'setSetupWindow',
    'upgradeToAndCall',
  ],
  FeeVault: ['addOperation', 'setPrice', 'setTerms'],
  KeyManager: [
    'addParameterSet',
    'endEpoch',
    'markTarget',
    'pauseRequests',
    'requestKey',
    'retireKey',
    'setWindows',
    'unpauseRequests',
    'upgradeToAndCall',
  ],
  SlashingManager: ['setPenalty', 'setTreasury', 'upgradeToAndCall'],
  EvaluationKeyManager: [
    'pauseRequests',
    'requestGaloisKeys',
    'requestRelinearizationKey',
    'setWindows',
    'unpauseRequests',
    'upgradeToAndCall',
  ],
  CrsManager: ['pauseRequests', 'setWindows', 'unpauseRequests', 'upgradeToAndCall'],
  CiphertextRegistry: ['register', 'registerSwitched', 'upgradeToAndCall'],
  DecryptionGateway: ['pauseRequests', 'setWindows', 'unpauseRequests', 'upgradeToAndCall'],
};

describe('the deployment module', () => {
  let chain: LocalChain;
  let gateway: DeployedGateway;
  let addresses: Record<GatewayContract, Address>;

  beforeAll(async () => {
    chain = await connectChain();
    gateway = await deployGateway(chain);
    addresses = {
      OperatorRegistry: gateway.operatorRegistry.address,
      EpochManager: gateway.epochManager.address,
      FeeVault: gateway.feeVault.address,
      KeyManager: gateway.keyManager.address,
      SlashingManager: gateway.slashingManager.address,
      EvaluationKeyManager: gateway.evaluationKeyManager.address,
      CiphertextRegistry: gateway.ciphertextRegistry.address,
      CrsManager: gateway.crsManager.address,
      DecryptionGateway: gateway.decryptionGateway.address,
    };
  });

  test('wires the contracts so that a client needs the gateway only', async () => {
    const { read } = gateway.decryptionGateway;
    expect(getAddress(await read.operatorRegistry())).toBe(getAddress(addresses.OperatorRegistry));
    expect(getAddress(await read.epochManager())).toBe(getAddress(addresses.EpochManager));
    expect(getAddress(await read.keyManager())).toBe(getAddress(addresses.KeyManager));
    expect(getAddress(await read.evaluationKeyManager())).toBe(
      getAddress(addresses.EvaluationKeyManager),
    );
    expect(getAddress(await read.ciphertextRegistry())).toBe(
      getAddress(addresses.CiphertextRegistry),
    );
    expect(getAddress(await read.slashingManager())).toBe(getAddress(addresses.SlashingManager));
    expect(getAddress(await read.crsManager())).toBe(getAddress(addresses.CrsManager));
    expect(getAddress(await gateway.crsManager.read.slashingManager())).toBe(
      getAddress(addresses.SlashingManager),
    );
    expect(getAddress(await gateway.operatorRegistry.read.bondToken())).toBe(
      getAddress(gateway.bondToken.address),
    );
    expect(getAddress(await gateway.epochManager.read.keyManager())).toBe(
      getAddress(addresses.KeyManager),
    );
    expect(getAddress(await gateway.keyManager.read.feeVault())).toBe(
      getAddress(addresses.FeeVault),
    );
  });

  test('has a price for every operation, and takes it for the contract that is asked', async () => {
    const { feeVault, keyManager, evaluationKeyManager, crsManager, decryptionGateway } = gateway;
    for (const operation of Object.values(Operation))
      expect(await feeVault.read.quote([operation, 8192n])).toBeGreaterThan(0n);
    const sources = new Map<number, Address>([
      [Operation.keyGeneration, keyManager.address],
      [Operation.publicDecryption, decryptionGateway.address],
      [Operation.relinearizationKey, evaluationKeyManager.address],
      [Operation.galoisKey, evaluationKeyManager.address],
      [Operation.switchingKey, evaluationKeyManager.address],
      [Operation.userDecryption, decryptionGateway.address],
      [Operation.crs, crsManager.address],
    ]);
    expect(sources.size).toBe(Object.values(Operation).length);
    for (const [operation, source] of sources)
      expect(await feeVault.read.escrowOf([operation])).toEqual([getAddress(source), 0n]);
    for (const { read } of [keyManager, evaluationKeyManager, crsManager, decryptionGateway]) {
      expect(getAddress(await read.feeVault())).toBe(getAddress(feeVault.address));
      expect(await read.attestationWindowSeconds()).toBe(3_600n);
    }
    expect(getAddress(await feeVault.read.token())).toBe(getAddress(gateway.bondToken.address));
  });

  test('deploys the gateway no earlier than the contracts whose logs count', async () => {
    const block = await gateway.decryptionGateway.read.deploymentBlock();
    for (const address of Object.values(addresses))
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
        const role = await gateway.authority.read.getTargetFunctionRole([
          addresses[name],
          selector,
        ]);
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
          addresses[name],
          toFunctionSelector(item as AbiFunction),
        ]);
        expect({ contract, fn, allowed }).toEqual({ contract, fn, allowed: false });
      }
    }
  });

  test('only contracts have the roles that are for contracts', async () => {
    const { read } = gateway.authority;
    const deployer = chain.governor.account.address;
    for (const [role, contract] of [
      ['epochManager', 'EpochManager'],
      ['slashingManager', 'SlashingManager'],
      ['feeVault', 'FeeVault'],
      ['evaluationKeyManager', 'EvaluationKeyManager'],
    ] as const) {
      expect(await read.hasRole([Role[role], addresses[contract]])).toEqual([true, 0]);
      expect(await read.hasRole([Role[role], deployer])).toEqual([false, 0]);
    }
    for (const role of ['admin', 'governor', 'keyRequester'] as const)
      expect(await read.hasRole([Role[role], deployer])).toEqual([true, 0]);
  });

  test('nobody may vouch for ciphertexts unless somebody is named', async () => {
    const granted = await gateway.authority.getEvents.RoleGranted(
      { roleId: Role.registrar },
      { fromBlock: 0n },
    );
    expect(granted.map(({ args }) => args.account)).toEqual([zeroAddress]);
    const registrar = chain.outsider.account.address;
    const other = await deployGateway(await connectChain(), { registrar });
    const [isMember] = await other.authority.read.hasRole([Role.registrar, registrar]);
    expect(isMember).toBe(true);
  });
});
