import { readFile } from 'node:fs/promises';
import { isAddress, isAddressEqual, isHex, type Address, type Hex } from 'viem';

import type { Registration } from '../../workers/operator/init/registration.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';

/** What is registered of an operator. */
export type Announced = Pick<Registration, 'signer' | 'multiaddr' | 'endpoint'> & { peerId: Hex };

/**
 * Reads the registration that an operator's `init` wrote.
 * @throws ClientError `INVALID_ARGUMENT` if it is none, `WRONG_DEPLOYMENT` if it is for another chain or
 *   gateway than this one
 */
export async function readRegistration(gateway: Gateway, file: string): Promise<Announced> {
  const {
    chainId,
    gateway: at,
    signer,
    peerIdBytes,
    ...addresses
  } = parse(await readFile(file, 'utf8'), file);
  const own = gateway.addresses.decryptionGateway;
  if (BigInt(chainId) !== gateway.chainId || !isAddressEqual(at, own))
    throw new ClientError(
      ClientErrorCode.WRONG_DEPLOYMENT,
      `${file} is for the gateway ${at} on chain ${chainId}; this is ${own} on chain ${gateway.chainId}`,
      { advice: 'Choose its chain with --network and its gateway with --gateway.' },
    );
  return { ...addresses, signer, peerId: peerIdBytes };
}

type Fields = Record<'chainId' | 'multiaddr' | 'endpoint', string> &
  Record<'gateway' | 'signer', Address> & { peerIdBytes: Hex };

function parse(text: string, file: string): Fields {
  const refused = (cause?: unknown): ClientError =>
    new ClientError(ClientErrorCode.INVALID_ARGUMENT, `${file} is no registration`, {
      advice: 'It is the registration.json in the folder of `keyloom-operator init`.',
      cause,
    });
  let found: Partial<Record<keyof Registration, unknown>>;
  try {
    found = (JSON.parse(text) ?? {}) as typeof found;
  } catch (cause) {
    throw refused(cause);
  }
  const { format, chainId, gateway, signer, peerIdBytes, multiaddr, endpoint } = found;
  if (
    format === 'keyloom-registration/1' &&
    typeof chainId === 'string' &&
    /^\d+$/.test(chainId) &&
    isAddress(String(gateway)) &&
    isAddress(String(signer)) &&
    isHex(peerIdBytes) &&
    typeof multiaddr === 'string' &&
    typeof endpoint === 'string'
  )
    return {
      chainId,
      gateway: gateway as Address,
      signer: signer as Address,
      peerIdBytes,
      multiaddr,
      endpoint,
    };
  throw refused();
}
