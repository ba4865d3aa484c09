import type { Address, Hex } from 'viem';

import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { send, walletOf } from './transactions.ts';

/** How many decryptions a key allows, in units: a ciphertext for one recipient, however often. */
export interface Meter {
  limit: bigint;
  /** Granted to accounts, spent or not. */
  reserved: bigint;
  reservedSpent: bigint;
  /** Spent beside grants, and under keys that this one is a source of. */
  commonSpent: bigint;
}

/** The decryption meter of a key. */
export async function meterOf(gateway: Gateway, keyId: Hex): Promise<Meter> {
  return gateway.client.readContract({
    ...contractOf(gateway),
    functionName: 'meter',
    args: [keyId],
  });
}

/** What an account can spend under a key in all, its grant and what is common, and has spent of it. */
export async function quotaOf(
  gateway: Gateway,
  keyId: Hex,
  consumer: Address,
): Promise<{ quota: bigint; spent: bigint }> {
  const [quota, spent] = await gateway.client.readContract({
    ...contractOf(gateway),
    functionName: 'quotaOf',
    args: [keyId, consumer],
  });
  return { quota, spent };
}

/**
 * Reserves units of a key for an account, on top of what it has. For good.
 * @throws ClientError `NOT_AUTHORISED` unless the gateway's account owns the key, `METER_SPENT`
 */
export async function grantUnits(
  gateway: Gateway,
  grant: { keyId: Hex; consumer: Address; units: bigint },
): Promise<void> {
  const { keyId, consumer, units } = grant;
  const { address: account } = walletOf(gateway).account;
  await send(
    gateway,
    { ...contractOf(gateway), functionName: 'grantUnits', args: [keyId, consumer, units] },
    ({ errorName, args }) => {
      switch (errorName) {
        case 'DecryptionGatewayNotKeyOwner':
          return new ClientError(
            ClientErrorCode.NOT_AUTHORISED,
            `${account} did not request key ${keyId}, so it does not own it`,
            { advice: 'Choose the owner’s account with --from.', metadata: { account } },
          );
        case 'DecryptionGatewayMeterSpent':
          return new ClientError(
            ClientErrorCode.METER_SPENT,
            `key ${keyId} has fewer than ${units} of its ${String(args[1])} decryptions left`,
            { advice: '`kms status KEY` shows what is left.', metadata: { keyId } },
          );
        default:
          return undefined;
      }
    },
  );
}

/** A meter as people read it. */
export function describeMeter({ limit, reserved, reservedSpent, commonSpent }: Meter): string {
  const spent = `${reservedSpent + commonSpent} of ${limit} decryptions spent`;
  return reserved === 0n ? spent : `${spent}; ${reserved - reservedSpent} granted and not spent`;
}

const contractOf = (gateway: Gateway) =>
  ({ address: gateway.addresses.decryptionGateway, abi: decryptionGatewayAbi }) as const;
