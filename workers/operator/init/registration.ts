import { isIP } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import type { Address, Hex } from 'viem';

import { OperatorError, OperatorErrorCode } from '../errors.ts';

/** Name of the file in an operator's folder. */
export const registrationName = 'registration.json';

/** Longest addresses that the OperatorRegistry takes, in bytes. */
const MAX_ADDRESS_BYTES = 256;

/**
 * What the owner of an operator hands to the OperatorRegistry, and which deployment it is for. All of it is
 * public. It proves nothing: the owner takes it from its own operator.
 */
export interface Registration {
  readonly format: 'keyloom-registration/1';
  readonly chainId: string;
  /** DecryptionGateway. */
  readonly gateway: Address;
  readonly signer: Address;
  readonly peerId: string;
  /** The same as multihash bytes. */
  readonly peerIdBytes: Hex;
  /** Where the other operators reach this one. */
  readonly multiaddr: string;
  /** Base URL of its public HTTP interface. */
  readonly endpoint: string;
}

/**
 * The multiaddr of a host and TCP port.
 *
 * @param host an IP address or a name
 * @throws OperatorError ADDRESS_INVALID
 */
export function announcedAddress(host: string, port: number): string {
  const protocol = { 0: 'dns', 4: 'ip4', 6: 'ip6' }[isIP(host)] ?? 'dns';
  const isName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/iu;
  if (protocol === 'dns' && !isName.test(host))
    throw invalid(`--host must be an IP address or a name, without a port: ${host}`);
  const written = `/${protocol}/${host}/tcp/${port}`;
  if (written.length <= MAX_ADDRESS_BYTES) return written;
  throw invalid('--host is longer than the registry takes');
}

/** TCP port of a multiaddr. */
export const portOf = (address: string): number =>
  Number(multiaddr(address).getComponents()[1]?.value ?? 0);

/** Checks the base URL for users. @throws OperatorError ADDRESS_INVALID */
export function announcedEndpoint(url: string): string {
  const isUrl = /^https?:\/\//u.test(url) && URL.canParse(url);
  if (isUrl && Buffer.byteLength(url) <= MAX_ADDRESS_BYTES) return url;
  throw invalid(`--endpoint must be an http(s) URL of at most ${MAX_ADDRESS_BYTES} bytes`);
}

const invalid = (message: string): OperatorError =>
  new OperatorError(OperatorErrorCode.ADDRESS_INVALID, message);
