import type {
  AccountRuntimeValue,
  ArgumentType,
  CallableContractFuture,
  IgnitionModuleBuilder,
  ModuleParameterRuntimeValue,
  NamedArtifactContractAtFuture,
} from '@nomicfoundation/ignition-core';

import { zeroAddress } from 'viem';

import { permissions, Role, selectorsOf, type GatewayContract, type RoleName } from './roles.ts';

const DAY = 86_400n;

/** What every deployment can set: name → safe default. In wei or seconds unless the name says otherwise. */
const defaults = {
  minimumBondWei: 10_000n * 10n ** 18n,
  unbondingDelaySeconds: 14n * DAY,
  setupWindowSeconds: DAY,
  responseWindowSeconds: 3_600n,
  attestationWindowSeconds: 3_600n,
  feeQuantumWei: 10n ** 14n,
  reimbursementQuanta: 30n,
  retentionBps: 1_000n,
} as const;

/** Fees at deployment in quanta, by operation (contracts/libraries/Operations.sol): base, per 1024 coefficients. */
const prices = {
  1: [10_000, 0],
  2: [90, 10],
  3: [20_000, 0],
  4: [1_000, 200],
  5: [20_000, 0],
  6: [90, 10],
  7: [20_000, 500],
} as const;

type Proxy = NamedArtifactContractAtFuture<Exclude<GatewayContract, 'FeeVault'>>;

/**
 * Deploys the authority, the fee vault and the gateway contracts around the tokens for bonds and fees,
 * wires them, and grants the roles to the accounts in the parameters. The deployer is admin afterwards.
 *
 * The DecryptionGateway comes after all other contracts: logs are read from its block on.
 */
export function buildGateway(
  m: IgnitionModuleBuilder,
  bondToken: ArgumentType,
  feeToken: ArgumentType,
) {
  const deployer = m.getAccount(0);
  const authority = m.contract('Authority', [deployer]);
  const setting = (name: keyof typeof defaults) => m.getParameter(name, defaults[name]);
  const windows = [setting('responseWindowSeconds'), setting('attestationWindowSeconds')];
  const treasury: ArgumentType = m.getParameter('treasury', deployer);

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
  const feeVault = m.contract('FeeVault', [
    authority,
    feeToken,
    epochManager,
    setting('feeQuantumWei'),
    {
      treasury,
      reimbursement: setting('reimbursementQuanta'),
      retentionBps: setting('retentionBps'),
    },
  ]);
  const requests = [authority, ...windows];
  const keyManager = deployProxy(m, 'KeyManager', requests, [feeVault]);
  const slashingManager = deployProxy(m, 'SlashingManager', [authority, keyManager, treasury]);
  const evaluationKeyManager = deployProxy(m, 'EvaluationKeyManager', requests, [keyManager]);
  const ciphertextRegistry = deployProxy(m, 'CiphertextRegistry', [
    authority,
    evaluationKeyManager,
  ]);
  const crsManager = deployProxy(m, 'CrsManager', requests, [slashingManager]);
  const decryptionGateway = deployProxy(m, 'DecryptionGateway', requests, [
    ciphertextRegistry,
    crsManager,
  ]);

  const contracts: Record<GatewayContract, ArgumentType> = {
    OperatorRegistry: operatorRegistry,
    EpochManager: epochManager,
    FeeVault: feeVault,
    KeyManager: keyManager,
    SlashingManager: slashingManager,
    CrsManager: crsManager,
    EvaluationKeyManager: evaluationKeyManager,
    CiphertextRegistry: ciphertextRegistry,
    DecryptionGateway: decryptionGateway,
  };
  assignFunctions(m, authority, contracts);
  m.call(epochManager, 'setKeyManager', [keyManager]);
  grantRole(m, authority, 'epochManager', epochManager);
  grantRole(m, authority, 'evaluationKeyManager', evaluationKeyManager);
  grantRole(m, authority, 'feeVault', feeVault);
  grantRole(m, authority, 'slashingManager', slashingManager);
  for (const [operation, price] of Object.entries(prices))
    m.call(feeVault, 'setPrice', [operation, ...price], { id: `price_${operation}` });
  for (const [source, operations] of [
    [keyManager, [1]],
    [decryptionGateway, [2, 6]],
    [evaluationKeyManager, [3, 4, 5]],
    [crsManager, [7]],
  ] as const)
    for (const operation of operations)
      m.call(feeVault, 'addOperation', [operation, source], { id: `operation_${operation}` });
  for (const role of ['governor', 'keyRequester'] as const)
    grantRole(m, authority, role, m.getParameter(role, deployer));
  // Nobody sends from the zero address: there is a registrar only where one is named.
  grantRole(m, authority, 'registrar', m.getParameter('registrar', zeroAddress));

  return {
    authority,
    operatorRegistry,
    epochManager,
    feeVault,
    keyManager,
    slashingManager,
    evaluationKeyManager,
    ciphertextRegistry,
    crsManager,
    decryptionGateway,
  };
}

/**
 * An implementation and the proxy in front of it, initialised in the proxy's constructor.
 *
 * @param fixed arguments of the implementation's constructor, which are part of its code
 */
function deployProxy(
  m: IgnitionModuleBuilder,
  name: Exclude<GatewayContract, 'FeeVault'>,
  args: ArgumentType[],
  fixed: ArgumentType[] = [],
): Proxy {
  const implementation = m.contract(name, fixed, { id: `${name}Implementation` });
  const initializer = m.encodeFunctionCall(implementation, 'initialize', args);
  const proxy = m.contract('GatewayProxy', [implementation, initializer], { id: `${name}Proxy` });
  return m.contractAt(name, proxy);
}

function assignFunctions(
  m: IgnitionModuleBuilder,
  authority: CallableContractFuture<string>,
  contracts: Record<GatewayContract, ArgumentType>,
): void {
  for (const { contract, role, functions } of permissions) {
    m.call(
      authority,
      'setTargetFunctionRole',
      [contracts[contract], selectorsOf(contract, functions), Role[role]],
      { id: `${contract}_${role}` },
    );
  }
}

/** Grants without an execution delay; docs/contracts.md says how to hand governance over. */
function grantRole(
  m: IgnitionModuleBuilder,
  authority: CallableContractFuture<string>,
  role: Exclude<RoleName, 'admin'>,
  account: ArgumentType | AccountRuntimeValue | ModuleParameterRuntimeValue<AccountRuntimeValue>,
): void {
  m.call(authority, 'grantRole', [Role[role], account as ArgumentType, 0], {
    id: `grant_${role}`,
  });
}
