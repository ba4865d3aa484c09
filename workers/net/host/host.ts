import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';

import { isNetError, NetError, NetErrorCode } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { Scope } from '../scope.ts';
import { Admission, type LimitName } from './admission.ts';
import { Dialler, unreachable } from './dialler.ts';
import { startNode } from './node.ts';
import { parsePeerAddress } from './peer-address.ts';
import { decodePeerKey, peerIdToBytes } from './peer-id.ts';
import type { Traffic } from './traffic.ts';

export interface HostOptions {
  /** Protobuf-encoded Ed25519 private key (`generatePeerKey`). Secret. */
  readonly privateKey: Uint8Array;
  /** Multiaddrs to listen on; none for a host that only dials. */
  readonly listen: readonly string[];
  /** Whether to talk to this peer at all. Asked at every connection and every question. */
  readonly isAllowed: (peerId: string) => boolean;
  /** Told of faults in what peers ask, and of providers that threw. What peers answer wrongly is
   * thrown to the asker instead. */
  readonly onFault?: (peerId: string, error: NetError) => void;
  /** Told each time that a peer meets a bound. */
  readonly onRefusal?: (peerId: string, limit: LimitName) => void;
  readonly limits?: Partial<Limits>;
}

export interface Peer {
  readonly peerId: string;
  readonly multiaddr: string;
}

export type StreamHandler = (peerId: string, stream: Stream) => Promise<void>;

/** One operator's end of the network: authenticated streams to and from the peers it allows. */
export interface Host {
  readonly peerId: string;
  readonly limits: Limits;
  readonly admission: Admission;
  readonly traffic: Traffic;
  /** Aborts with `hostStopped` when the host is stopped. */
  readonly signal: AbortSignal;
  /** The multiaddrs that this host listens on, with its peer id. */
  addresses(): string[];
  /**
   * Replaces the peers' addresses and closes connections of peers that are no longer allowed.
   * Returns an error for each address that cannot be used; a peer chooses its own address, so a
   * bad one concerns nobody else.
   */
  setPeers(peers: readonly Peer[]): NetError[];
  /** Hands inbound streams of a protocol to `handler`. */
  handle(protocol: string, handler: StreamHandler): Promise<void>;
  /** Peers that a connection is open with, whoever dialled. */
  connectedPeers(): ReadonlySet<string>;
  /**
   * Makes sure of a connection with the peer, dialling it if need be.
   *
   * Throws `peerUnreachable`, also where the peer failed so recently that it is not dialled again yet.
   */
  connect(peerId: string, signal: AbortSignal): Promise<void>;
  /** Opens a stream, dialling the peer if need be. The caller closes or aborts it. */
  openStream(peerId: string, protocol: string, signal: AbortSignal): Promise<Stream>;
  /** Resolves when the peer is worth asking again: after `ms` and any dial backoff, or as soon as
   * a connection with it opens. */
  waitForPeer(peerId: string, ms: number, signal: AbortSignal): Promise<void>;
  /** Reports a fault of a peer that no caller is waiting for. */
  fault(peerId: string, error: NetError): void;
  stop(): Promise<void>;
}

/** Starts a host. Throws `keyInvalid` or `listenFailed`. */
export async function createHost(options: HostOptions): Promise<Host> {
  const limits = { ...defaultLimits, ...options.limits };
  const key = decodePeerKey(options.privateKey);
  const admission = new Admission(limits, options.onRefusal);
  const mayDial = (peerId: string) => options.isAllowed(peerId) && admission.connect(peerId);
  const node = await startNode(key, options.listen, options.isAllowed, mayDial, limits);
  return new Libp2pHost(node, limits, admission, options);
}

class Libp2pHost implements Host {
  readonly peerId: string;
  readonly limits: Limits;
  readonly admission: Admission;
  readonly traffic: Traffic = { sentBytes: 0, receivedBytes: 0 };
  readonly #node: Libp2p;
  readonly #options: HostOptions;
  readonly #dialler: Dialler;
  readonly #life = new Scope();
  readonly #waiters = new Set<{ peerId: string; resolve: () => void }>();

  constructor(node: Libp2p, limits: Limits, admission: Admission, options: HostOptions) {
    this.#node = node;
    this.#options = options;
    this.#dialler = new Dialler(node, limits);
    this.peerId = node.peerId.toString();
    this.limits = limits;
    this.admission = admission;
    node.addEventListener('connection:open', ({ detail }) => this.#onConnection(detail));
  }

  get signal(): AbortSignal {
    return this.#life.signal;
  }

  addresses(): string[] {
    return this.#node.getMultiaddrs().map(String);
  }

  setPeers(peers: readonly Peer[]): NetError[] {
    const errors: NetError[] = [];
    const addresses = new Map<string, Multiaddr>();
    for (const { peerId, multiaddr } of peers) {
      if (peerId === this.peerId) continue;
      try {
        peerIdToBytes(peerId);
        addresses.set(peerId, parsePeerAddress(peerId, multiaddr));
      } catch (error) {
        if (!isNetError(error)) throw error;
        errors.push(error);
      }
    }
    this.#dialler.setAddresses(addresses);
    for (const connection of this.#node.getConnections()) {
      const peerId = connection.remotePeer.toString();
      if (!this.#options.isAllowed(peerId)) connection.abort(notAllowed(peerId));
    }
    return errors;
  }

  async handle(protocol: string, handler: StreamHandler): Promise<void> {
    await this.#node.handle(
      protocol,
      (stream, connection) => {
        const peerId = connection.remotePeer.toString();
        if (!this.#options.isAllowed(peerId)) stream.abort(notAllowed(peerId));
        else void handler(peerId, stream);
      },
      // The muxer and the admission count bound these; libp2p's own limits would reset streams
      // where the protocol can say "busy".
      { maxInboundStreams: Infinity, maxOutboundStreams: Infinity },
    );
  }

  async openStream(peerId: string, protocol: string, signal: AbortSignal): Promise<Stream> {
    peerIdToBytes(peerId);
    if (!this.#options.isAllowed(peerId)) throw notAllowed(peerId);
    const scope = new Scope(signal, this.signal);
    try {
      scope.signal.throwIfAborted();
      const connection = await scope.race(this.#dialler.connect(peerId));
      return await this.#openOn(connection, peerId, protocol, scope);
    } finally {
      scope.dispose();
    }
  }

  connectedPeers(): ReadonlySet<string> {
    const open = this.#node.getConnections().filter(({ status }) => status === 'open');
    return new Set(open.map(({ remotePeer }) => remotePeer.toString()));
  }

  async connect(peerId: string, signal: AbortSignal): Promise<void> {
    const scope = new Scope(signal, this.signal);
    try {
      scope.signal.throwIfAborted();
      await scope.race(this.#dialler.connect(peerId));
    } finally {
      scope.dispose();
    }
  }

  async waitForPeer(peerId: string, ms: number, signal: AbortSignal): Promise<void> {
    const scope = new Scope(signal, this.signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(ms, this.#dialler.retryInMs(peerId)));
    const waiter = { peerId, resolve };
    this.#waiters.add(waiter);
    try {
      await scope.race(promise);
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
      scope.dispose();
    }
  }

  fault(peerId: string, error: NetError): void {
    this.#options.onFault?.(peerId, error);
  }

  async stop(): Promise<void> {
    const stopped = new NetError(NetErrorCode.hostStopped, 'The host was stopped');
    this.#life.end(stopped);
    for (const connection of this.#node.getConnections()) connection.abort(stopped);
    await this.#node.stop();
  }

  async #openOn(
    connection: Connection,
    peerId: string,
    protocol: string,
    scope: Scope,
  ): Promise<Stream> {
    scope.limit('handshake', this.limits.handshakeTimeoutMs);
    try {
      const stream = await connection.newStream(protocol, {
        signal: scope.signal,
        maxOutboundStreams: Infinity,
      });
      this.#dialler.succeeded(peerId, ageOf(connection));
      return stream;
    } catch (cause) {
      if (scope.signal.aborted && !isNetError(scope.signal.reason, NetErrorCode.timedOut)) {
        throw scope.signal.reason as NetError;
      }
      if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') {
        throw new NetError(NetErrorCode.protocolUnsupported, 'Peer does not know the protocol', {
          metadata: { peerId, protocol },
        });
      }
      this.#dialler.failed(peerId);
      // A closing muxer on a connection that still counts as open would be chosen again.
      if (cause instanceof Error && closedErrors.has(cause.name)) connection.abort(cause);
      throw unreachable(peerId, 'the connection failed', cause);
    }
  }

  /** Wakes whoever waits for the peer, keeps its newest connections and reports abuse of any. */
  #onConnection(connection: Connection): void {
    const peerId = connection.remotePeer.toString();
    connection.addEventListener('close', ({ error }) => {
      this.#dialler.closed(peerId, ageOf(connection));
      if (!isNetError(error, NetErrorCode.connectionAbused)) return;
      this.admission.refuse(peerId, 'frames');
      this.fault(peerId, error);
    });
    for (const waiter of this.#waiters) {
      if (waiter.peerId === peerId) waiter.resolve();
    }
    const connections = this.#node
      .getConnections(connection.remotePeer)
      .sort((a, b) => b.timeline.open - a.timeline.open);
    for (const old of connections.slice(this.limits.connectionsPerPeer)) {
      old.abort(new NetError(NetErrorCode.aborted, 'Replaced by newer connections'));
    }
  }
}

/** For how long a connection has been open, in milliseconds. */
const ageOf = ({ timeline }: Connection): number => Date.now() - timeline.open;

const closedErrors: ReadonlySet<string> = new Set(['ConnectionClosedError', 'MuxerClosedError']);

function notAllowed(peerId: string): NetError {
  return new NetError(NetErrorCode.peerNotAllowed, 'This host does not talk to the peer', {
    metadata: { peerId },
  });
}
