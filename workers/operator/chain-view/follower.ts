import type { GatewayUpdate, GatewayWatcher } from '../../chain/watcher.ts';
import { isKeyloomError } from '../../errors.ts';
import { StoreErrorCode } from '../../store/errors.ts';
import type { ChainState } from './chain-state.ts';
import type { OperatorContext } from '../context.ts';
import { duties } from '../duties/duties.ts';
import { Jobs } from '../duties/jobs.ts';
import type { KeyShares } from '../committee/key-shares.ts';
import { knownPeers } from '../committee/membership.ts';
import type { Seats } from '../committee/seats.ts';
import { pause } from '../waiting.ts';

/** Pause before a block is journaled again for which there was no room. */
const ROOM_PAUSE_MS = 2_000;
/** Least time between two readings of what others see differently: a reading stops all jobs. */
const REREAD_PAUSE_MS = 10_000;
/** After this time without one, the next reading starts close by again. */
const REREAD_FORGET_MS = 600_000;

/**
 * Follows the gateway: after each block that concerns it, brings peers, seats and jobs up to date.
 *
 * After a reorganisation all jobs are stopped and the state is folded anew: what is still asked for
 * starts again, and by the id rule computes the same shares.
 */
export class Follower {
  readonly #context: OperatorContext;
  readonly #chain: ChainState;
  readonly #watcher: GatewayWatcher;
  readonly #seats: Seats;
  readonly #keyShares: KeyShares;
  readonly #jobs: Jobs;
  #rereadAt = -Infinity;
  #rereadBlocks = 0n;

  constructor(
    context: OperatorContext,
    chain: ChainState,
    watcher: GatewayWatcher,
    seats: Seats,
    keyShares: KeyShares,
  ) {
    this.#context = context;
    this.#chain = chain;
    this.#watcher = watcher;
    this.#seats = seats;
    this.#keyShares = keyShares;
    this.#jobs = new Jobs(context.log);
  }

  /** Follows until the context is stopping, then waits for the jobs to end. */
  async run(): Promise<void> {
    const { log, boards } = this.#context;
    try {
      this.#chain.rebuild(this.#watcher.replay());
      this.#adjust();
      for await (const update of this.#updates()) {
        if (update.kind === 'reorganised') {
          log.warn({ height: update.height }, 'the chain was reorganised');
          await this.#jobs.stop();
          boards.views.clear();
          this.#seats.clear();
          this.#chain.rebuild(this.#watcher.replay());
        } else {
          this.#chain.apply(update);
          const events = update.events.map(({ eventName }) => eventName);
          log.debug({ height: update.height, events }, 'block');
        }
        this.#adjust();
      }
    } finally {
      await this.#jobs.stop();
    }
  }

  /** What the watcher sees. While there is no room for its journal, the chain is not followed further. */
  async *#updates(): AsyncGenerator<GatewayUpdate, void, undefined> {
    const { log, stopping } = this.#context;
    while (!stopping.aborted) {
      try {
        yield* this.#watcher.watch(stopping);
      } catch (error) {
        if (!isKeyloomError(error, StoreErrorCode.DISK_FULL)) throw error;
        log.error({ code: error.code, err: error }, 'the chain is not followed: there is no room');
        await pause(ROOM_PAUSE_MS, stopping).catch(() => undefined);
      }
    }
  }

  #adjust(): void {
    const { host, account, log } = this.#context;
    const peers = knownPeers(this.#chain.now, account.address);
    const refused = host.setPeers(
      [...peers].map(([peerId, { multiaddr }]) => ({ peerId, multiaddr })),
    );
    for (const error of refused) log.debug({ err: error }, 'address of a peer');
    this.#seats.refresh();
    this.#jobs.reconcile(
      duties({
        context: this.#context,
        chain: this.#chain,
        seats: this.#seats,
        keyShares: this.#keyShares,
        reread: (height) => this.#reread(height),
      }),
    );
  }

  /**
   * Reads the chain again from a height on that 2t+1 operators see differently. The digest is a running
   * one, and what the endpoint withheld may lie further back: so each time further, up to all of it.
   */
  #reread(height: bigint): void {
    const now = performance.now();
    if (now - this.#rereadAt < REREAD_PAUSE_MS) return;
    if (now - this.#rereadAt > REREAD_FORGET_MS) this.#rereadBlocks = 0n;
    this.#rereadAt = now;
    const { deploymentBlock } = this.#context.gateway;
    const wanted = height - this.#rereadBlocks;
    const from = wanted > deploymentBlock ? wanted : deploymentBlock;
    this.#rereadBlocks = this.#rereadBlocks === 0n ? 256n : this.#rereadBlocks * 16n;
    this.#context.log.error({ from }, '2t+1 operators see another chain: reading it again');
    this.#watcher.rewind(from);
  }
}
