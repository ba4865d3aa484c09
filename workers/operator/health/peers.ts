import type { Hex } from 'viem';

import type { OperatorContext } from '../context.ts';
import type { Seats } from '../committee/seats.ts';
import { pause } from '../waiting.ts';

/** How often peers without a connection are tried. */
const TRY_EVERY_MS = 15_000;

/** How many operators of an active epoch are reachable, this one included, and how many it takes. */
export interface EpochReach {
  readonly epochId: Hex;
  readonly reachable: number;
  readonly quorum: number;
}

/**
 * Keeps connections to the peers of live epochs: whether they can be reached is known before a request
 * needs them.
 */
export class PeerMonitor {
  readonly #context: Pick<OperatorContext, 'host'>;
  readonly #seats: Seats;
  #hasTried = false;

  constructor(context: Pick<OperatorContext, 'host'>, seats: Seats) {
    this.#context = context;
    this.#seats = seats;
  }

  /** Whether the peers of this operator's epochs were tried at all. */
  get hasTried(): boolean {
    return this.#hasTried;
  }

  /** Tries until the signal aborts, from when `isKnown` is true: then the chain has said who they are. */
  async run(isKnown: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (isKnown()) await this.try(signal);
      await pause(this.#hasTried ? TRY_EVERY_MS : 100, signal).catch(() => undefined);
    }
  }

  /** Tries all that there is no connection with, once. */
  async try(signal: AbortSignal): Promise<void> {
    const { host } = this.#context;
    const connected = host.connectedPeers();
    const peerIds = new Set(
      this.#seats
        .standings()
        .flatMap(({ epochId }) => this.#seats.placeIn(epochId)?.peers ?? [])
        .map(({ peerId }) => peerId),
    );
    await Promise.allSettled(
      [...peerIds]
        .filter((peerId) => !connected.has(peerId))
        .map((peerId) => host.connect(peerId, signal)),
    );
    this.#hasTried = true;
  }

  /** Of the active epochs, which serve requests. */
  reach(): EpochReach[] {
    const connected = this.#context.host.connectedPeers();
    return this.#seats.standings().flatMap(({ epochId, phase }) => {
      const place = this.#seats.placeIn(epochId);
      if (phase !== 'active' || place === undefined) return [];
      const reachable = 1 + place.peers.filter(({ peerId }) => connected.has(peerId)).length;
      return [{ epochId, reachable, quorum: place.session.committee.quorum }];
    });
  }
}
