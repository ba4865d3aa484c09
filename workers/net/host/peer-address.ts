import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';

import { NetError, NetErrorCode } from '../errors.ts';

const hostProtocols: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6']);
const maxAddressLength = 300;

/**
 * Parses the address that a peer registered, for dialling it.
 *
 * The text is the peer's choice, so everything but a host and a TCP port is refused: relays, Unix
 * sockets, address indirection. A trailing `/p2p/` must name the peer itself.
 * Throws `addressInvalid`.
 */
export function parsePeerAddress(peerId: string, address: string): Multiaddr {
  if (address.length > maxAddressLength) throw invalid(peerId);
  let parsed: Multiaddr;
  try {
    parsed = multiaddr(address);
  } catch (cause) {
    throw invalid(peerId, cause);
  }
  const [host, tcp, peer, ...more] = parsed.getComponents();
  if (host === undefined || !hostProtocols.has(host.name)) throw invalid(peerId);
  if (tcp?.name !== 'tcp' || tcp.value === '0' || more.length > 0) throw invalid(peerId);
  if (peer === undefined) return parsed.encapsulate(`/p2p/${peerId}`);
  if (peer.name !== 'p2p' || peer.value !== peerId) throw invalid(peerId);
  return parsed;
}

function invalid(peerId: string, cause?: unknown): NetError {
  return new NetError(NetErrorCode.addressInvalid, 'Not the TCP address of this peer', {
    metadata: { peerId },
    ...(cause === undefined ? {} : { cause }),
  });
}
