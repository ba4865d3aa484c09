import { isAddress, isHex, size, zeroAddress, zeroHash, type Address, type Hex } from 'viem';

import {
  maxPermitHandles,
  maxPermitSeconds,
  permitTypedData,
  type UserDecryptionPermit,
} from '../workers/chain/permit.ts';
import { SdkError, SdkErrorCode } from './errors.ts';

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

/** EIP-712 typed data of a permit, for any signer. */
export type PermitTypedData = ReturnType<typeof userDecryptionPermit>;

/**
 * A permit as EIP-712 typed data, checked as far as one can without the chain.
 *
 * viem: `account.signTypedData(permit)`; ethers: `signer.signTypedData(permit.domain, permit.types,
 * permit.message)`. Both give the same signature; `permit.message` goes to the gateway with it.
 *
 * @throws SdkError PERMIT_INVALID
 */
export function userDecryptionPermit(request: PermitRequest) {
  const { publicKeyDigest } = request;
  const handles = scopeOf(request);
  for (const value of [publicKeyDigest, ...handles])
    if (!isHex(value) || size(value) !== 32 || value === zeroHash)
      throw invalid(`not a digest or handle of 32 bytes: ${value}`);
  const chainId = Number(request.chainId);
  if (!Number.isSafeInteger(chainId) || chainId < 1) throw invalid(`not a chain id: ${chainId}`);
  const { domain, types, ...rest } = permitTypedData(
    { chainId: BigInt(chainId), addresses: { decryptionGateway: checked(request.gateway) } },
    {
      user: checked(request.user),
      publicKeyDigest,
      handles,
      owner: request.owner === undefined ? zeroAddress : checked(request.owner),
      ...timesOf(request),
    },
  );
  return {
    ...rest,
    // As a number: the one form of it that every wallet takes.
    domain: { ...domain, chainId },
    types: types as Mutable<typeof types>,
  };
}

/** ethers wants lists that it could change, and leaves them alone. */
type Mutable<Types> = { -readonly [Name in keyof Types]: MutableList<Types[Name]> };
type MutableList<List> = { -readonly [Item in keyof List]: List[Item] };

function scopeOf({ handles = [], owner }: PermitRequest): readonly Hex[] {
  if (handles.length > 0 === (owner !== undefined))
    throw invalid('a permit covers either named ciphertexts or all of one owner');
  if (handles.length > maxPermitHandles)
    throw invalid(`a permit names at most ${maxPermitHandles} ciphertexts`);
  return handles;
}

function timesOf({
  validFrom,
  validUntil,
}: PermitRequest): Pick<UserDecryptionPermit, 'validFrom' | 'validUntil'> {
  if (![validFrom, validUntil].every((time) => Number.isSafeInteger(time) && time >= 0))
    throw invalid('times are whole seconds of Unix time');
  if (validUntil < validFrom) throw invalid('the permit ends before it begins');
  if (validUntil - validFrom > maxPermitSeconds)
    throw invalid(`a permit holds for at most ${maxPermitSeconds} seconds`);
  return { validFrom: BigInt(validFrom), validUntil: BigInt(validUntil) };
}

function checked(address: Address): Address {
  if (isAddress(address) && address !== zeroAddress) return address;
  throw invalid(`not an account's address with a valid checksum: ${address}`);
}

const invalid = (message: string): SdkError => new SdkError(SdkErrorCode.PERMIT_INVALID, message);
