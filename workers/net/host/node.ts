import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Ed25519PrivateKey, Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';

import { NetError, NetErrorCode } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { guardFrames, streamWindowBytes } from './frame-guard.ts';

/** Streams that one connection may have open from the other side, of every protocol and state. */
const maxStreamsPerConnection = 1024;
/** Bytes that may wait on a stream between the choice of its protocol and its first reader. */
const maxUnreadBytes = 256 * 1024;

/**
 * Starts the libp2p node under a host: TCP, Noise and yamux, and nothing that finds, announces or
 * relays peers. Both ends of a connection must be allowed; who they are is known from the Noise
 * handshake before anything else is agreed.
 *
 * @param mayDial asked of an allowed peer each time that it has dialled this host
 *
 * Throws `listenFailed`.
 */
export async function startNode(
  privateKey: Ed25519PrivateKey,
  listen: readonly string[],
  isAllowed: (peerId: string) => boolean,
  mayDial: (peerId: string) => boolean,
  limits: Limits,
): Promise<Libp2p> {
  const createMuxer = yamux({
    maxInboundStreams: maxStreamsPerConnection,
    maxOutboundStreams: maxStreamsPerConnection,
    // Streams that arrive while the connection is still being checked; the default is 10, and one
    // more resets them all.
    maxEarlyStreams: maxStreamsPerConnection,
    streamOptions: {
      initialStreamWindowSize: streamWindowBytes,
      maxStreamWindowSize: streamWindowBytes,
      maxReadBufferLength: maxUnreadBytes,
    },
  });
  const deny = (peerId: { toString(): string }) => !isAllowed(peerId.toString());
  try {
    return await createLibp2p({
      privateKey,
      addresses: { listen: [...listen] },
      transports: [tcp({ maxConnections: limits.connections + limits.pendingConnections })],
      connectionEncrypters: [noise()],
      streamMuxers: [() => guardFrames(createMuxer(), limits)],
      connectionGater: {
        denyDialPeer: deny,
        denyInboundEncryptedConnection: (peerId) => !mayDial(peerId.toString()),
        denyOutboundEncryptedConnection: deny,
      },
      connectionManager: {
        maxConnections: limits.connections,
        maxIncomingPendingConnections: limits.pendingConnections,
        inboundConnectionThreshold: limits.connectionsPerSecond,
        inboundUpgradeTimeout: limits.handshakeTimeoutMs,
        inboundStreamProtocolNegotiationTimeout: limits.handshakeTimeoutMs,
        dialTimeout: limits.dialTimeoutMs,
        addressDialTimeout: limits.dialTimeoutMs,
      },
      connectionMonitor: {
        pingInterval: limits.probeIntervalMs,
        pingTimeout: { minTimeout: limits.probeTimeoutMs, maxTimeout: limits.probeTimeoutMs },
      },
    });
  } catch (cause) {
    throw new NetError(NetErrorCode.listenFailed, 'Could not listen on the given addresses', {
      cause,
    });
  }
}
