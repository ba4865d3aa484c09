import { isAddress, isHex, size, zeroAddress, zeroHash, type Address, type Hex } from 'viem';

import { SdkError, SdkErrorCode } from './errors.ts';

/** Longest time from the first to the last second of a permit. */
export const MAX_PERMIT_SECONDS = 30 * 86_400;

/** Most ciphertexts that a permit can name. */
export const MAX_PERMIT_HANDLES = 64;

/** What a user allows: to have these ciphertexts decrypted for the holder of this SEAL key. */
export type PermitRequest = PermitScope & {
  readonly chainId: bigint | number;
  /** Address of the DecryptionGateway. */
  readonly gateway: Address;
  /** Who signs: the account that may decrypt the ciphertexts. */
  readonly user: Address;
  /** SHA-256 of the user's SEAL public key. */
  readonly publicKeyDigest: Hex;
  /** First and last second in Unix time, at most 30 days apart. */
  readonly validFrom: number;
  readonly validUntil: number;
};

/** Which ciphertexts a permit covers: those named, at most 64, or all that one account owns. */
export type PermitScope =
  | { readonly handles: readonly Hex[]; readonly owner?: undefined }
  | { readonly owner: Address; readonly handles?: undefined };

/** The struct that the gateway takes. (A type, not an interface: signers want an index signature.) */
export type UserDecryptionPermit = {
  readonly user: Address;
  readonly publicKeyDigest: Hex;
  readonly handles: readonly Hex[];
  readonly owner: Address;
  readonly validFrom: bigint;
  readonly validUntil: bigint;
};

const types = {
  UserDecryptionPermit: [
    { name: 'user', type: 'address' },
    { name: 'publicKeyDigest', type: 'bytes32' },
    { name: 'handles', type: 'bytes32[]' },
    { name: 'owner', type: 'address' },
    { name: 'validFrom', type: 'uint64' },
    { name: 'validUntil', type: 'uint64' },
  ],
};

/** EIP-712 typed data of a permit, for any signer. */
export interface PermitTypedData {
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number;
    readonly verifyingContract: Address;
  };
  readonly types: { UserDecryptionPermit: { name: string; type: string }[] };
  readonly primaryType: 'UserDecryptionPermit';
  readonly message: UserDecryptionPermit;
}

/**
 * A permit as EIP-712 typed data, checked as far as one can without the chain.
 *
 * viem: `account.signTypedData(permit)`; ethers: `signer.signTypedData(permit.domain, permit.types,
 * permit.message)`. Both give the same signature; `permit.message` goes to the gateway with it.
 *
 * @throws SdkError PERMIT_INVALID
 */
export function userDecryptionPermit(request: PermitRequest): PermitTypedData {
  const { publicKeyDigest } = request;
  const handles = scopeOf(request);
  for (const value of [publicKeyDigest, ...handles])
    if (!isHex(value) || size(value) !== 32 || value === zeroHash)
      throw invalid(`not a digest or handle of 32 bytes: ${value}`);
  const chainId = Number(request.chainId);
  if (!Number.isSafeInteger(chainId) || chainId < 1) throw invalid(`not a chain id: ${chainId}`);
  return {
    domain: {
      name: 'Keyloom DecryptionGateway',
      version: '1',
      // As a number: the one form of it that every wallet takes.
      chainId,
      verifyingContract: checked(request.gateway),
    },
    types: { UserDecryptionPermit: types.UserDecryptionPermit.map((field) => ({ ...field })) },
    primaryType: 'UserDecryptionPermit',
    message: {
      user: checked(request.user),
      publicKeyDigest,
      handles,
      owner: request.owner === undefined ? zeroAddress : checked(request.owner),
      ...timesOf(request),
    },
  };
}

function scopeOf({ handles = [], owner }: PermitRequest): readonly Hex[] {
  if (handles.length > 0 === (owner !== undefined))
    throw invalid('a permit covers either named ciphertexts or all of one owner');
  if (handles.length > MAX_PERMIT_HANDLES)
    throw invalid(`a permit names at most ${MAX_PERMIT_HANDLES} ciphertexts`);
  return handles;
}

function timesOf({
  validFrom,
  validUntil,
}: PermitRequest): Pick<UserDecryptionPermit, 'validFrom' | 'validUntil'> {
  if (![validFrom, validUntil].every((time) => Number.isSafeInteger(time) && time >= 0))
    throw invalid('times are whole seconds of Unix time');
  if (validUntil < validFrom) throw invalid('the permit ends before it begins');
  if (validUntil - validFrom > MAX_PERMIT_SECONDS)
    throw invalid(`a permit holds for at most ${MAX_PERMIT_SECONDS} seconds`);
  return { validFrom: BigInt(validFrom), validUntil: BigInt(validUntil) };
}

function checked(address: Address): Address {
  if (isAddress(address) && address !== zeroAddress) return address;
  throw invalid(`not an account's address with a valid checksum: ${address}`);
}

const invalid = (message: string): SdkError => new SdkError(SdkErrorCode.PERMIT_INVALID, message);
