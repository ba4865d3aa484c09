import { getAbiItem, toFunctionSelector, type Abi, type AbiFunction, type Hex } from 'viem';

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
} from '../workers/chain/abi.ts';

/**
 * Roles of the authority. Restricted functions that no role is named for below (upgrades, bonds,
 * delays, windows, penalties and the treasury) belong to the admin role, which also grants all others.
 */
export const Role = {
  admin: 0n,
  /** Epochs, parameter sets, retiring keys, pausing requests. */
  governor: 1n,
  /** Vouches for the origin and the noise of ciphertexts without a proof. Nobody, unless one is named. */
  registrar: 2n,
  /** Asks for keys, and for evaluation keys of any key. */
  keyRequester: 3n,
  /** The EpochManager, for seats and benches in the OperatorRegistry and ended epochs in the KeyManager. */
  epochManager: 4n,
  /** The SlashingManager, for bonds in the OperatorRegistry. */
  slashingManager: 5n,
  /** The FeeVault, for counting in the EpochManager who served. */
  feeVault: 6n,
  /** The EvaluationKeyManager, for marking targets of switching keys in the KeyManager. */
  evaluationKeyManager: 7n,
} as const;

export type RoleName = keyof typeof Role;

export const gatewayAbis = {
  OperatorRegistry: operatorRegistryAbi,
  EpochManager: epochManagerAbi,
  KeyManager: keyManagerAbi,
  SlashingManager: slashingManagerAbi,
  CrsManager: crsManagerAbi,
  EvaluationKeyManager: evaluationKeyManagerAbi,
  CiphertextRegistry: ciphertextRegistryAbi,
  DecryptionGateway: decryptionGatewayAbi,
  FeeVault: feeVaultAbi,
} as const satisfies Record<string, Abi>;

export type GatewayContract = keyof typeof gatewayAbis;

/** Which role may call which restricted functions of which contract. */
export const permissions: readonly {
  contract: GatewayContract;
  role: RoleName;
  functions: readonly string[];
}[] = [
  { contract: 'OperatorRegistry', role: 'epochManager', functions: ['bench', 'seat', 'unseat'] },
  { contract: 'OperatorRegistry', role: 'slashingManager', functions: ['payTreasury', 'slash'] },
  { contract: 'EpochManager', role: 'governor', functions: ['proposeEpoch', 'retire'] },
  { contract: 'EpochManager', role: 'feeVault', functions: ['recordService'] },
  {
    contract: 'KeyManager',
    role: 'governor',
    functions: ['addParameterSet', 'retireKey', 'pauseRequests', 'unpauseRequests'],
  },
  { contract: 'KeyManager', role: 'keyRequester', functions: ['requestKey'] },
  { contract: 'KeyManager', role: 'evaluationKeyManager', functions: ['markTarget'] },
  { contract: 'KeyManager', role: 'epochManager', functions: ['endEpoch'] },
  {
    contract: 'EvaluationKeyManager',
    role: 'governor',
    functions: ['pauseRequests', 'unpauseRequests'],
  },
  {
    contract: 'CrsManager',
    role: 'governor',
    functions: ['pauseRequests', 'unpauseRequests'],
  },
  {
    // The owner of a key needs no role. Switching keys are for owners only, so not in this list.
    contract: 'EvaluationKeyManager',
    role: 'keyRequester',
    functions: ['requestRelinearizationKey', 'requestGaloisKeys'],
  },
  {
    contract: 'CiphertextRegistry',
    role: 'registrar',
    functions: ['register', 'registerSwitched'],
  },
  {
    contract: 'DecryptionGateway',
    role: 'governor',
    functions: ['pauseRequests', 'unpauseRequests'],
  },
];

/** Selectors of functions of a gateway contract by name. */
export function selectorsOf(contract: GatewayContract, functions: readonly string[]): Hex[] {
  const abi: Abi = gatewayAbis[contract];
  return functions.map((name) => toFunctionSelector(getAbiItem({ abi, name }) as AbiFunction));
}
