import type { GatewayEvent } from '../../chain/events.ts';
import { apply } from '../../chain/reducer.ts';
import { emptyState, type GatewayState } from '../../chain/state.ts';
import type { GatewayUpdate } from '../../chain/watcher.ts';
import { PublicDigests } from '../public/objects.ts';
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
    }
    this.#blocks.set(height, { height, blockHash: hash, logsDigest });
    this.#height = height;
    this.#changed.wake();
  }

  /** Starts again from the beginning, with the blocks that are still on the chain. */
  rebuild(blocks: Iterable<GatewayUpdate & { kind: 'block' }>): void {
    this.#state = emptyState();
    this.#publicDigests = new PublicDigests();
    this.#blocks.clear();
    this.#height = 0n;
    for (const block of blocks) this.apply(block);
    this.#changed.wake();
  }

  /** Resolves when the state next changes; rejects with the signal's reason. */
  change(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal);
  }
}
