import type { Hex } from 'viem';

import type { GatewayEvent } from '../../chain/events.ts';
import { apply } from '../../chain/reducer.ts';
import { emptyState, requestedAs, type GatewayState } from '../../chain/state.ts';
import type { GatewayUpdate } from '../../chain/watcher.ts';
import { PublicDigests } from '../public/objects.ts';
import { RecordedEntries } from '../registration/recorded-entries.ts';
import type { BlockView } from './views.ts';
import { Wakeup } from '../waiting.ts';

/** Whether an event may be believed, given the state before it. */
export type Authenticator = (state: GatewayState, event: GatewayEvent) => boolean;

/** The gateway's confirmed state, as the operator follows it. */
export class ChainState {
  readonly #isAuthentic: Authenticator;
  readonly #blocks = new Map<bigint, BlockView>();
  readonly #changed = new Wakeup();
  #state: GatewayState = emptyState();
  #publicDigests = new PublicDigests();
  #recordedEntries = new RecordedEntries();
  #pending = new Set<Hex>();
  #height = 0n;

  /** @param isAuthentic what it is false of is left out of the state (the log digest covers it) */
  constructor(isAuthentic: Authenticator) {
    this.#isAuthentic = isAuthentic;
  }

  get now(): GatewayState {
    return this.#state;
  }

  /** Digests that the chain names as public objects. */
  get publicDigests(): PublicDigests {
    return this.#publicDigests;
  }

  /** Digests of recorded entries of evaluation keys. */
  get recordedEntries(): RecordedEntries {
    return this.#recordedEntries;
  }

  /**
   * Ids of everything that is asked for, not recorded and not refunded: keys, evaluation keys and decryptions, in the
   * chain's order. So what operators do at each block does not grow with what they have done before.
   */
  get pending(): ReadonlySet<Hex> {
    return this.#pending;
  }

  /** Height of the last block with gateway logs. */
  get height(): bigint {
    return this.#height;
  }

  /** Own view of a block that has gateway logs. */
  block(height: bigint): BlockView | undefined {
    return this.#blocks.get(height);
  }

  apply(update: GatewayUpdate & { kind: 'block' }): void {
    const { height, hash, logsDigest, events } = update;
    for (const event of events) {
      if (!this.#isAuthentic(this.#state, event)) continue;
      apply(this.#state, event, height);
      this.#publicDigests.note(this.#state, event);
      this.#recordedEntries.note(this.#state, event);
      this.#track(event);
    }
    this.#blocks.set(height, { height, blockHash: hash, logsDigest });
    this.#height = height;
    this.#changed.wake();
  }

  /** Starts again from the beginning, with the blocks that are still on the chain. */
  rebuild(blocks: Iterable<GatewayUpdate & { kind: 'block' }>): void {
    this.#state = emptyState();
    this.#publicDigests = new PublicDigests();
    this.#recordedEntries = new RecordedEntries();
    this.#pending.clear();
    this.#blocks.clear();
    this.#height = 0n;
    for (const block of blocks) this.apply(block);
    this.#changed.wake();
  }

  /** Resolves when the state next changes; rejects with the signal's reason. */
  change(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal);
  }

  /** Takes note of what an event, applied already, asks for or settles. */
  #track({ args }: GatewayEvent): void {
    for (const name of ['keyId', 'ceremonyId', 'requestId']) {
      const id = (args as Record<string, unknown>)[name] as Hex;
      if (requestedAs(this.#state, id)?.state === 'pending') this.#pending.add(id);
      else this.#pending.delete(id);
    }
  }
}
