import type {
  AccountRuntimeValue,
  ArgumentType,
  CallableContractFuture,
  IgnitionModuleBuilder,
  ModuleParameterRuntimeValue,
  NamedArtifactContractAtFuture,
} from '@nomicfoundation/ignition-core';

import { permissions, Role, selectorsOf, type GatewayContract, type RoleName } from './roles.ts';

const DAY = 86_400n;

/** What every deployment can set: name → safe default. All in wei or seconds. */
const defaults = {
  minimumBondWei: 10_000n * 10n ** 18n,
  unbondingDelaySeconds: 14n * DAY,
  setupWindowSeconds: DAY,
  responseWindowSeconds: 3_600n,
} as const;

type Proxy = NamedArtifactContractAtFuture<GatewayContract>;

/**
 * Deploys the authority and the six gateway contracts around a bond token, wires them, and grants
 * the roles to the accounts in the parameters. The deployer is admin afterwards.
 *
 * The DecryptionGateway comes after all other contracts: logs are read from its block on.
 */
export function buildGateway(m: IgnitionModuleBuilder, bondToken: ArgumentType) {
  const deployer = m.getAccount(0);
  const authority = m.contract('Authority', [deployer]);
  const setting = (name: keyof typeof defaults) => m.getParameter(name, defaults[name]);
  const responseWindow = setting('responseWindowSeconds');

  const operatorRegistry = deployProxy(m, 'OperatorRegistry', [
    authority,
    bondToken,
    setting('minimumBondWei'),
    setting('unbondingDelaySeconds'),
  ]);
  const epochManager = deployProxy(m, 'EpochManager', [
    authority,
    operatorRegistry,
    setting('setupWindowSeconds'),
  ]);
  const keyManager = deployProxy(m, 'KeyManager', [authority, epochManager, responseWindow]);
  const evaluationKeyManager = deployProxy(m, 'EvaluationKeyManager', [
    authority,
    keyManager,
    responseWindow,
  ]);
  const ciphertextRegistry = deployProxy(m, 'CiphertextRegistry', [
    authority,
    evaluationKeyManager,
  ]);
  const decryptionGateway = deployProxy(m, 'DecryptionGateway', [
    authority,
    ciphertextRegistry,
    responseWindow,
  ]);

  const proxies: Record<GatewayContract, Proxy> = {
    OperatorRegistry: operatorRegistry,
    EpochManager: epochManager,
    KeyManager: keyManager,
    EvaluationKeyManager: evaluationKeyManager,
    CiphertextRegistry: ciphertextRegistry,
    DecryptionGateway: decryptionGateway,
  };
  assignFunctions(m, authority, proxies);
  grantRole(m, authority, 'epochManager', epochManager);
  for (const role of ['governor', 'registrar', 'keyRequester'] as const)
    grantRole(m, authority, role, m.getParameter(role, deployer));

  return {
    authority,
    operatorRegistry,
    epochManager,
    keyManager,
    evaluationKeyManager,
    ciphertextRegistry,
    decryptionGateway,
  };
}

/** An implementation and the proxy in front of it, initialised in the proxy's constructor. */
function deployProxy(m: IgnitionModuleBuilder, name: GatewayContract, args: ArgumentType[]): Proxy {
  const implementation = m.contract(name, [], { id: `${name}Implementation` });
  const initializer = m.encodeFunctionCall(implementation, 'initialize', args);
  const proxy = m.contract('GatewayProxy', [implementation, initializer], { id: `${name}Proxy` });
  return m.contractAt(name, proxy);
}

function assignFunctions(
  m: IgnitionModuleBuilder,
  authority: CallableContractFuture<string>,
  proxies: Record<GatewayContract, Proxy>,
): void {
  for (const { contract, role, functions } of permissions) {
    m.call(
      authority,
      'setTargetFunctionRole',
      [proxies[contract], selectorsOf(contract, functions), Role[role]],
      { id: `${contract}_${role}` },
    );
  }
}

/** Grants without an execution delay; docs/contracts.md says how to hand governance over. */
function grantRole(
  m: IgnitionModuleBuilder,
  authority: CallableContractFuture<string>,
  role: Exclude<RoleName, 'admin'>,
  account: Proxy | AccountRuntimeValue | ModuleParameterRuntimeValue<AccountRuntimeValue>,
): void {
  m.call(authority, 'grantRole', [Role[role], account as ArgumentType, 0], {
    id: `grant_${role}`,
  });
}
