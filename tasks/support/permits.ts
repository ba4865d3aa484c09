import { getAddress, isAddressEqual, type Hex } from 'viem';

import {
  userDecryptionPermit,
  type PermitRequest,
  type PermitScope,
  type PermitTypedData,
  type UserDecryptionPermit,
} from '../../sdk/index.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { chainTime } from './results.ts';
import { walletOf, type Refusal } from './transactions.ts';

/** A permit and its user's signature: all that anybody needs to ask in the user's name. */
export interface SignedPermit {
  readonly permit: PermitTypedData;
  readonly signature: Hex;
}

/**
 * Signs a permit with the gateway's account, valid from the newest block on.
 * @throws SdkError `PERMIT_INVALID`; ClientError `NO_ACCOUNT`
 */
export async function signPermit(
  gateway: Gateway,
  options: PermitScope & { publicKeyDigest: Hex; validSeconds: number },
): Promise<SignedPermit> {
  const wallet = walletOf(gateway);
  const { publicKeyDigest, validSeconds, ...scope } = options;
  const validFrom = await chainTime(gateway);
  const permit = userDecryptionPermit({
    ...scope,
    chainId: gateway.chainId,
    gateway: gateway.addresses.decryptionGateway,
    user: getAddress(wallet.account.address),
    publicKeyDigest,
    validFrom,
    validUntil: validFrom + validSeconds,
  });
  return { permit, signature: await wallet.signTypedData(permit) };
}

/** A signed permit as a file has it. */
export function permitDocument({ permit, signature }: SignedPermit): Record<string, unknown> {
  const { domain, message } = permit;
  const { handles, owner, validFrom, validUntil } = message;
  return {
    chainId: domain.chainId,
    gateway: domain.verifyingContract,
    user: message.user,
    publicKeyDigest: message.publicKeyDigest,
    ...(handles.length > 0 ? { handles } : { owner }),
    validFrom: Number(validFrom),
    validUntil: Number(validUntil),
    signature,
  };
}

/**
 * Reads what {@link permitDocument} wrote.
 * @throws ClientError `PERMIT_REFUSED` for anything else; SdkError `PERMIT_INVALID`
 */
export function readPermit(text: string): SignedPermit {
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(text) as typeof document;
  } catch (cause) {
    throw refused('the permit is not a JSON document', cause);
  }
  const { signature, ...request } = document;
  const { chainId, publicKeyDigest, validFrom, validUntil } = request;
  const lists = request.handles === undefined || Array.isArray(request.handles);
  const texts = [signature, publicKeyDigest, request.gateway, request.user];
  const numbers = [chainId, validFrom, validUntil];
  if (
    !lists ||
    texts.some((value) => typeof value !== 'string') ||
    numbers.some((value) => typeof value !== 'number')
  )
    throw refused('the permit lacks a field, or has it in another form');
  const permit = userDecryptionPermit(request as unknown as PermitRequest);
  return { permit, signature: signature as Hex };
}

/**
 * Refuses what the chain would refuse without saying why: the signature of a permit for another
 * chain or contract is just one of somebody else's.
 * @throws ClientError `PERMIT_REFUSED`
 */
export function requirePermitFor(
  gateway: Gateway,
  { domain, message }: PermitTypedData,
  publicKeyDigest: Hex,
): void {
  if (BigInt(domain.chainId) !== gateway.chainId)
    throw refused(`the permit is for chain ${domain.chainId}, not ${gateway.chainId}`);
  if (!isAddressEqual(domain.verifyingContract, gateway.addresses.decryptionGateway))
    throw refused(`the permit is for the gateway ${domain.verifyingContract}`);
  if (message.publicKeyDigest.toLowerCase() !== publicKeyDigest)
    throw refused('the permit names another public key than the one at hand');
}

/** What the gateway says of a permit that it does not take. */
export function permitRefusal(
  { errorName, args }: Refusal,
  { user, owner }: UserDecryptionPermit,
): ClientError | undefined {
  switch (errorName) {
    case 'DecryptionGatewayPermitTime': {
      const [validFrom, validUntil, now] = args.map(Number);
      const early = now < validFrom;
      return new ClientError(
        early ? ClientErrorCode.PERMIT_NOT_YET_VALID : ClientErrorCode.PERMIT_EXPIRED,
        early
          ? `the permit holds in ${validFrom - now} seconds`
          : `the permit’s time was over ${now - validUntil} seconds ago`,
        {
          advice: early ? 'Wait, or have a new one signed.' : 'Have a new one signed.',
          metadata: { validFrom, validUntil, now },
        },
      );
    }
    case 'DecryptionGatewayPermitSignature':
      return refused(`the permit is not signed by ${user} for this chain and contract`);
    case 'DecryptionGatewayPermitHandle':
      return refused(`the permit does not cover ciphertext ${String(args[0])}`);
    case 'CiphertextRegistryNotOwner':
      return refused(
        `ciphertext ${String(args[0])} is not one of ${owner}, whose the permit covers`,
      );
    case 'DecryptionGatewayPermitScope':
    case 'DecryptionGatewayPermitDuration':
    case 'DecryptionGatewayPermitHandleCount':
    case 'DecryptionGatewayZeroPublicKey':
      return refused(
        `the gateway refuses the permit: ${errorName}(${args.map(String).join(', ')})`,
      );
    default:
      return undefined;
  }
}

const refused = (message: string, cause?: unknown): ClientError =>
  new ClientError(ClientErrorCode.PERMIT_REFUSED, message, {
    advice: 'Have a new one signed: `kms permit`.',
    cause,
  });
