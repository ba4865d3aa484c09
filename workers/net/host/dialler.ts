import type { Connection, Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';

import { NetError, NetErrorCode } from '../errors.ts';
import type { Limits } from '../limits.ts';

interface PeerState {
  failures: number;
  /** Not dialled again before this time of `performance.now()`. */
  retryAt: number;
  dial?: Promise<Connection>;
}

/**
 * Connections to peers: those that exist, and new ones dialled when somebody needs one.
 *
 * All questions to a peer share one dial and one backoff, so a peer that is down is dialled at the
 * same rate whether one question waits for it or hundreds.
 */
export class Dialler {
  readonly #node: Libp2p;
  readonly #limits: Limits;
  readonly #peers = new Map<string, PeerState>();
  #addresses: ReadonlyMap<string, Multiaddr> = new Map();

  constructor(node: Libp2p, limits: Limits) {
    this.#node = node;
    this.#limits = limits;
  }

  setAddresses(addresses: ReadonlyMap<string, Multiaddr>): void {
    this.#addresses = addresses;
    for (const peerId of this.#peers.keys()) {
      if (!addresses.has(peerId)) this.#peers.delete(peerId);
    }
  }

  /**
   * A connection to the peer: the newest that is open, whoever dialled it, or else a new one.
   *
   * Throws `peerUnreachable` when there is no address, the dial fails, or the peer failed so
   * recently that it is not dialled again yet.
   */
  async connect(peerId: string): Promise<Connection> {
    const open = this.#newestConnection(peerId);
    if (open !== undefined) return open;
    const state = this.#state(peerId);
    if (state.dial !== undefined) return state.dial;
    const address = this.#addresses.get(peerId);
    if (address === undefined) throw unreachable(peerId, 'no address is known');
    if (this.retryInMs(peerId) > 0) throw unreachable(peerId, 'it failed moments ago');
    state.dial = this.#dial(peerId, address).finally(() => delete state.dial);
    return state.dial;
  }

  /** Time until the peer may be dialled again, in milliseconds; 0 when it may be now. */
  retryInMs(peerId: string): number {
    return Math.max(0, (this.#peers.get(peerId)?.retryAt ?? 0) - performance.now());
  }

  /**
   * Records that the peer took a question on a connection of this age: if it has lasted, the next failure
   * starts from the shortest wait. A new one proves little. Where connections break as soon as they are made,
   * the peers would otherwise dial each other as fast as they can.
   */
  succeeded(peerId: string, ageMs: number): void {
    if (ageMs >= this.#limits.maxBackoffMs) this.#state(peerId).failures = 0;
  }

  /** Records that a connection was closed at this age, which is a failure if it has not lasted. */
  closed(peerId: string, ageMs: number): void {
    if (!this.#addresses.has(peerId)) return;
    this.succeeded(peerId, ageMs);
    if (ageMs < this.#limits.maxBackoffMs && this.#newestConnection(peerId) === undefined)
      this.failed(peerId);
  }

  /** Records that the peer could not be asked. Failures during one wait count once. */
  failed(peerId: string): void {
    if (this.retryInMs(peerId) > 0) return;
    const state = this.#state(peerId);
    const { backoffMs, maxBackoffMs } = this.#limits;
    state.retryAt = performance.now() + Math.min(maxBackoffMs, backoffMs * 2 ** state.failures);
    state.failures += 1;
  }

  async #dial(peerId: string, address: Multiaddr): Promise<Connection> {
    try {
      const signal = AbortSignal.timeout(this.#limits.dialTimeoutMs);
      return await this.#node.dial(address, { signal });
    } catch (cause) {
      this.failed(peerId);
      throw unreachable(peerId, 'the dial failed', cause);
    }
  }

  #newestConnection(peerId: string): Connection | undefined {
    return this.#node
      .getConnections(peerIdFromString(peerId))
      .filter((connection) => connection.status === 'open')
      .sort((a, b) => b.timeline.open - a.timeline.open)[0];
  }

  #state(peerId: string): PeerState {
    let state = this.#peers.get(peerId);
    if (state === undefined) {
      state = { failures: 0, retryAt: 0 };
      this.#peers.set(peerId, state);
    }
    return state;
  }
}

/** The error for a peer that cannot be asked now. */
export function unreachable(peerId: string, why: string, cause?: unknown): NetError {
  return new NetError(NetErrorCode.peerUnreachable, `Peer cannot be reached: ${why}`, {
    metadata: { peerId },
    ...(cause === undefined ? {} : { cause }),
  });
}
