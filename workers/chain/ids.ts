import {
  encodeAbiParameters,
  keccak256,
  parseAbiParameters,
  zeroHash,
  type Address,
  type Hex,
} from 'viem';

import { numberOfOrigin, type Origin } from '../proofs/origins.ts';
import type { Deployment } from './client.ts';
import { numberOfKind, type EvaluationKeyKind } from './state.ts';

// The contracts' own ids (docs/formats.md, Ids), computed as the contracts do.

const layouts = {
  proposal: parseAbiParameters('uint256, address, address[], address[], bytes32'),
  key: parseAbiParameters('uint256, address, bytes32, bytes32, address, bytes32'),
  handle: parseAbiParameters('uint256, address, bytes32, bytes32, address, uint8, bytes32'),
  registration: parseAbiParameters('uint8, uint16, bytes32[]'),
  evaluationKeys: parseAbiParameters(
    'uint256, address, bytes32, bytes32, uint8, bytes32, uint32[]',
  ),
  publicDecryption: parseAbiParameters(
    'uint256, address, bytes32, bytes32[], uint32[], address, bytes32',
  ),
  userDecryption: parseAbiParameters(
    'uint256, address, bytes32, bytes32[], bool, address, bytes32, address, bytes32',
  ),
  ceremony: parseAbiParameters('uint256, address, bytes32, uint8, uint16, uint8, address, bytes32'),
};

/** Id of a proposal for an epoch. */
export function proposalId(
  { chainId, addresses: { epochManager } }: Deployment,
  proposal: {
    readonly operators: readonly Address[];
    readonly signers: readonly Address[];
    readonly salt: Hex;
  },
): Hex {
  const { operators, signers, salt } = proposal;
  return keccak256(
    encodeAbiParameters(layouts.proposal, [chainId, epochManager, operators, signers, salt]),
  );
}

/** Id of a key. */
export function keyId(
  { chainId, addresses: { keyManager } }: Deployment,
  key: {
    readonly epochId: Hex;
    readonly parameterSetId: Hex;
    readonly requester: Address;
    readonly label: Hex;
  },
): Hex {
  const { epochId, parameterSetId, requester, label } = key;
  return keccak256(
    encodeAbiParameters(layouts.key, [
      ...([chainId, keyManager, epochId, parameterSetId] as const),
      ...([requester, label] as const),
    ]),
  );
}

/** What a ciphertext's handle stands for: its bytes, and why whom may have them decrypted. */
export interface CiphertextIdentity {
  readonly keyId: Hex;
  /** SHA-256 of the ciphertext. */
  readonly digest: Hex;
  readonly owner: Address;
  readonly origin: Origin;
  /** SHA-256 of the proof; undefined for one that is vouched for. */
  readonly proofDigest: Hex | undefined;
}

/** Handle of a ciphertext. What it was switched from is not part of it. */
export function ciphertextHandle(
  { chainId, addresses: { ciphertextRegistry } }: Deployment,
  ciphertext: CiphertextIdentity,
): Hex {
  const { keyId: key, digest, owner, origin, proofDigest = zeroHash } = ciphertext;
  return keccak256(
    encodeAbiParameters(layouts.handle, [
      ...([chainId, ciphertextRegistry, key, digest] as const),
      ...([owner, numberOfOrigin(origin), proofDigest] as const),
    ]),
  );
}

/** What operators sign as the result of a registration by proof, whose request id is the handle. */
export function registrationResult(found: {
  readonly limbs: number;
  /** At the first level. */
  readonly noiseBits: number;
  /** Handles of what was computed with, in the program's order. */
  readonly inputs: readonly Hex[];
}): Hex {
  const { limbs, noiseBits, inputs } = found;
  return encodeAbiParameters(layouts.registration, [limbs, noiseBits, inputs]);
}

/** Id of a request for evaluation keys: of what is asked, whoever asks. */
export function evaluationKeysRequestId(
  { chainId, addresses: { evaluationKeyManager } }: Deployment,
  request: {
    readonly epochId: Hex;
    /** For a switching key the one that ciphertexts come from. */
    readonly keyId: Hex;
    readonly kind: EvaluationKeyKind;
    /** For a switching key the one that ciphertexts are switched to. */
    readonly targetKeyId?: Hex | undefined;
    /** Galois elements, ascending. */
    readonly elements?: readonly number[];
  },
): Hex {
  const { epochId, keyId: key, kind, targetKeyId = zeroHash, elements = [] } = request;
  return keccak256(
    encodeAbiParameters(layouts.evaluationKeys, [
      ...([chainId, evaluationKeyManager, epochId, key] as const),
      ...([numberOfKind(kind), targetKeyId, elements] as const),
    ]),
  );
}

/** Id of a public decryption request. */
export function publicDecryptionRequestId(
  { chainId, addresses: { decryptionGateway } }: Deployment,
  request: {
    readonly epochId: Hex;
    readonly handles: readonly Hex[];
    readonly positions: readonly number[];
    readonly requester: Address;
    readonly salt: Hex;
  },
): Hex {
  const { epochId, handles, positions, requester, salt } = request;
  return keccak256(
    encodeAbiParameters(layouts.publicDecryption, [
      ...([chainId, decryptionGateway, epochId] as const),
      ...([handles, positions, requester, salt] as const),
    ]),
  );
}

/** Id of a user decryption request. */
export function userDecryptionRequestId(
  { chainId, addresses: { decryptionGateway } }: Deployment,
  request: {
    readonly epochId: Hex;
    readonly handles: readonly Hex[];
    readonly packed: boolean;
    readonly user: Address;
    readonly publicKeyDigest: Hex;
    readonly requester: Address;
    readonly salt: Hex;
  },
): Hex {
  const { epochId, handles, packed, user, publicKeyDigest, requester, salt } = request;
  return keccak256(
    encodeAbiParameters(layouts.userDecryption, [
      ...([chainId, decryptionGateway, epochId, handles, packed] as const),
      ...([user, publicKeyDigest, requester, salt] as const),
    ]),
  );
}

/** Id of a ceremony, and of the request for it. */
export function ceremonyId(
  { chainId, addresses: { crsManager } }: Deployment,
  ceremony: {
    readonly epochId: Hex;
    readonly power: number;
    readonly slotSeconds: number;
    /** 0 if there is no beacon. */
    readonly beaconIterationsExp: number;
    readonly requester: Address;
    readonly salt: Hex;
  },
): Hex {
  const { epochId, power, slotSeconds, beaconIterationsExp, requester, salt } = ceremony;
  return keccak256(
    encodeAbiParameters(layouts.ceremony, [
      ...([chainId, crsManager, epochId, power] as const),
      ...([slotSeconds, beaconIterationsExp, requester, salt] as const),
    ]),
  );
}
