import type { Address, Hex } from 'viem';
import type { Deployment } from './client.ts';

/**
 * What a user signs so that ciphertexts are re-encrypted to its key (IDecryptionGateway). Covered are
 * either the handles, or all ciphertexts of the owner.
 */
export interface UserDecryptionPermit {
  readonly user: Address;
  /** SHA-256 of the user's canonical public key. */
  readonly publicKeyDigest: Hex;
  /** Empty if the permit is for an owner's ciphertexts. */
  readonly handles: readonly Hex[];
  /** The zero address if handles are named. */
  readonly owner: Address;
  /** Timestamp in seconds. */
  readonly validFrom: bigint;
  /** Timestamp in seconds, at most `maxPermitSeconds` after `validFrom`. */
  readonly validUntil: bigint;
}

/** Longest validity of a permit. */
export const maxPermitSeconds = 30n * 86_400n;

/** Most handles a permit can name. */
export const maxPermitHandles = 64;

/** The struct's fields. Without EIP712Domain, as both viem and ethers take them. */
export const userDecryptionPermitTypes = {
  UserDecryptionPermit: [
    { name: 'user', type: 'address' },
    { name: 'publicKeyDigest', type: 'bytes32' },
    { name: 'handles', type: 'bytes32[]' },
    { name: 'owner', type: 'address' },
    { name: 'validFrom', type: 'uint64' },
    { name: 'validUntil', type: 'uint64' },
  ],
} as const;

/** EIP-712 typed data of a permit for one deployment: what wallets sign. */
export function permitTypedData(
  {
    chainId,
    addresses,
  }: {
    readonly chainId: bigint;
    readonly addresses: Pick<Deployment['addresses'], 'decryptionGateway'>;
  },
  permit: UserDecryptionPermit,
) {
  return {
    domain: {
      name: 'Keyloom DecryptionGateway',
      version: '1',
      chainId,
      verifyingContract: addresses.decryptionGateway,
    },
    types: userDecryptionPermitTypes,
    primaryType: 'UserDecryptionPermit',
    message: permit,
  } as const;
}
