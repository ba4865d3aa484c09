import type { Hex } from 'viem';

import type { EpochEntry } from '../../chain/state.ts';
import { isKeyloomError } from '../../errors.ts';
import { SharedRandomness } from '../../sharing/prss.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { OperatorContext } from '../context.ts';
import { DamageCode } from '../damages.ts';
import { OperatorErrorCode } from '../errors.ts';
import { heldSetKeys } from './held-keys.ts';
import type { KeyShares } from './key-shares.ts';
import { indexIn, membershipIn } from './membership.ts';
import { secretName, type Place, type Seat } from './seat.ts';
import { Wakeup } from '../waiting.ts';

/** This operator's standing in one live epoch, for health reports. */
export interface EpochStanding {
  readonly epochId: Hex;
  readonly index: number;
  readonly phase: EpochEntry['phase'];
  /**
   * `held`: it can take part. `pending`: the set-up is not complete. `missing`: it confirmed to hold
   * its keys and its data directory does not have them. `damaged`: what it has is not what the chain says.
   */
  readonly shares: 'held' | 'pending' | 'missing' | 'damaged';
}

/** This operator's places in all epochs, and its seats: those of live epochs whose set keys it holds. */
export class Seats {
  readonly #context: OperatorContext;
  readonly #chain: ChainState;
  readonly #keyShares: KeyShares;
  readonly #places = new Map<Hex, Place>();
  readonly #seats = new Map<Hex, Seat>();
  readonly #reportedMissing = new Set<Hex>();
  readonly #damaged = new Set<Hex>();
  readonly #changed = new Wakeup();

  constructor(context: OperatorContext, chain: ChainState, keyShares: KeyShares) {
    this.#context = context;
    this.#chain = chain;
    this.#keyShares = keyShares;
  }

  /** The place in an epoch, live or ended, as soon as it is known. Rejects with the signal's reason. */
  async place(epochId: Hex, signal: AbortSignal): Promise<Place> {
    for (;;) {
      const place = this.#places.get(epochId);
      if (place !== undefined) return place;
      await this.#changed.wait(signal);
    }
  }

  /** The place in an epoch, if it is known. */
  placeIn(epochId: Hex): Place | undefined {
    return this.#places.get(epochId);
  }

  get(epochId: Hex): Seat | undefined {
    return this.#seats.get(epochId);
  }

  /** The seat of an epoch, as soon as its set keys are held. Rejects with the signal's reason. */
  async ready(epochId: Hex, signal: AbortSignal): Promise<Seat> {
    for (;;) {
      const seat = this.get(epochId);
      if (seat !== undefined) return seat;
      await this.#changed.wait(signal);
    }
  }

  /** Brings places and seats up to date with the chain and the store. */
  refresh(): void {
    for (const epoch of this.#chain.now.epochs.values()) {
      if (!this.#places.has(epoch.epochId)) this.#enter(epoch);
      if (!isEnded(epoch) && !this.#seats.has(epoch.epochId)) this.#fill(epoch);
    }
    this.#changed.wake();
  }

  /** Forgets what was entered on the word of blocks that are void; nothing is erased. */
  clear(): void {
    this.#places.clear();
    this.#seats.clear();
    this.#damaged.clear();
  }

  standings(): EpochStanding[] {
    const { account, store } = this.#context;
    return [...this.#chain.now.epochs.values()].flatMap((epoch) => {
      const { epochId, phase } = epoch;
      const index = indexIn(epoch, account.address);
      if (index === undefined || isEnded(epoch)) return [];
      const kept = store.secrets.has(secretName.setKeys(epochId));
      const held = this.#damaged.has(epochId) ? 'damaged' : 'held';
      const shares = kept ? held : epoch.confirmations.has(index) ? 'missing' : 'pending';
      return [{ epochId, index, phase, shares } as const];
    });
  }

  /** True if the store has secrets of an epoch. */
  hasSecrets({ epochId, proposalId }: EpochEntry): boolean {
    const { secrets } = this.#context.store;
    return (
      secrets.has(secretName.setKeys(epochId)) ||
      secrets.list(secretName.seeds(proposalId)).length > 0
    );
  }

  /**
   * Erases an epoch's set keys, seeds and key shares, for good: with the public transcripts they would
   * give everything. Only once 2t+1 operators agree that it has ended.
   */
  erase({ epochId, proposalId }: EpochEntry): void {
    const { store, log } = this.#context;
    this.#seats.get(epochId)?.randomness.erase();
    this.#seats.delete(epochId);
    for (const key of this.#chain.now.keys.values())
      if (key.epochId === epochId) this.#keyShares.erase(key.keyId);
    store.secrets.deleteAll(secretName.seeds(proposalId));
    store.secrets.delete(secretName.setKeys(epochId));
    log.info({ epochId }, 'epoch ended: its secrets are erased');
  }

  #enter(epoch: EpochEntry): void {
    const { gateway, account } = this.#context;
    const { epochId, setupDigest, signers } = epoch;
    const membership = membershipIn(epoch, account.address);
    if (membership === undefined) return;
    const { committee, index, peers } = membership;
    const { chainId, addresses } = gateway;
    const session = {
      chainId,
      gateway: addresses.decryptionGateway,
      epochId,
      setupDigest,
      committee,
    };
    this.#places.set(epochId, { session, index, signers, peers, setAside: new Set() });
  }

  /** The set keys, checked against the chain; undefined if there are none, or they are damaged. */
  #checkedKeys(epoch: EpochEntry, { session, index }: Place): Map<number, Uint8Array> | undefined {
    try {
      return heldSetKeys(this.#context, { committee: session.committee, index }, epoch);
    } catch (error) {
      if (!isKeyloomError(error, OperatorErrorCode.HOLDINGS_DAMAGED)) throw error;
      this.#damaged.add(epoch.epochId);
      this.#context.damages.report(
        DamageCode.SET_KEYS_DAMAGED,
        String(error.metadata['name']),
        error,
      );
      return undefined;
    }
  }

  #fill(epoch: EpochEntry): void {
    const { log } = this.#context;
    const { epochId, confirmations } = epoch;
    const place = this.#places.get(epochId);
    if (place === undefined || this.#damaged.has(epochId)) return;
    const { session, index } = place;
    const keys = this.#checkedKeys(epoch, place);
    if (keys !== undefined) {
      const randomness = new SharedRandomness(session.committee, index, keys);
      this.#seats.set(epochId, { ...place, randomness });
    } else if (
      confirmations.has(index) &&
      !this.#damaged.has(epochId) &&
      !this.#reportedMissing.has(epochId)
    ) {
      this.#reportedMissing.add(epochId);
      log.error(
        { epochId, index, code: OperatorErrorCode.SHARES_MISSING },
        'this operator confirmed that it holds its shares of this epoch, and its data directory ' +
          'does not have them: restore the data directory; the other operators will not send ' +
          'them again',
      );
    }
  }
}

/** True of an epoch that serves no requests any more. */
export const isEnded = ({ phase }: Pick<EpochEntry, 'phase'>): boolean =>
  phase === 'retired' || phase === 'abandoned';
