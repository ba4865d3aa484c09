import type { PublicClient } from 'viem';
import { isKeyloomError } from '../errors.ts';
import { blockHashAt, readGatewayBlocks, type BlockReference } from './block-reader.ts';
import type { GatewayAddresses } from './client.ts';
import type { BlockEndpoint, BlockSource } from './endpoints.ts';
import { ChainError, ChainErrorCode, type WarningHandler } from './errors.ts';
import { decodeGatewayLogs, type GatewayEvent } from './events.ts';
import { emptyLogsDigest, nextLogsDigest, type GatewayBlock } from './logs.ts';
import { backoffMs, pause, rpcError } from './rpc.ts';

/** Durable journal of the gateway's blocks; workers/store has one. */
export interface BlockJournal {
  append(blocks: readonly GatewayBlock[], scanned: BlockReference): void;
  truncateFrom(height: bigint, scanned: BlockReference | undefined): void;
  head(): GatewayBlock | undefined;
  below(height: bigint): GatewayBlock | undefined;
  scanned(): BlockReference | undefined;
  iterate(): Iterable<GatewayBlock>;
}

/** What the watcher reports. */
export type GatewayUpdate =
  /** A confirmed block with gateway logs; the next one after the last. */
  | {
      readonly kind: 'block';
      readonly height: bigint;
      readonly hash: GatewayBlock['hash'];
      readonly logsDigest: GatewayBlock['logsDigest'];
      readonly events: readonly GatewayEvent[];
    }
  /** Blocks from this height on are void: fold the state anew from `replay()`. */
  | { readonly kind: 'reorganised'; readonly height: bigint };

export interface WatcherOptions {
  readonly source: BlockSource;
  readonly addresses: GatewayAddresses;
  readonly journal: BlockJournal;
  /** Number of blocks on top of a block that make it confirmed. */
  readonly confirmations: number;
  /** Pause between two looks at the head of the chain. */
  readonly pollMs: number;
  /** First block that can have gateway logs. */
  readonly fromBlock: bigint;
  /** Most blocks asked for at once; halved when it refuses, then raised slowly. */
  readonly maxRange?: number;
  readonly onWarning?: WarningHandler;
}

interface Step {
  readonly updates: readonly GatewayUpdate[];
  /** True if there is nothing more to read for now. */
  readonly caughtUp: boolean;
}

const defaultMaxRange = 2_000;
/** An endpoint that stays below what has been scanned for so many looks is taken at its word. */
const LOOKS_UNTIL_UNDONE = 20;
/** An endpoint whose answers are of no use so many times in a row is not asked first any more. */
const FAILURES_UNTIL_DISTRUST = 3;

/**
 * Follows the gateway's logs on the confirmed chain, and journals each block before reporting it.
 *
 * After a restart `replay()` gives what has been journaled, and `watch()` goes on from there. The
 * endpoint is not trusted: answers that contradict each other are asked for again, of another endpoint
 * after some times, and a warning is given; nothing an endpoint says ends the watch. Each look asks one
 * endpoint only, so that what is journaled together is of one chain; what comes next has to lie on top of it.
 */
export class GatewayWatcher {
  readonly #options: WatcherOptions;
  #range: number;
  #rewindTo: bigint | undefined;
  #looksBehind = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#range = this.#maxRange;
  }

  /**
   * Journaled blocks, ascending, as updates. From a block on that is not as it was written, by the running
   * digest, they are forgotten: the chain has them still.
   */
  *replay(): Generator<GatewayUpdate & { kind: 'block' }> {
    const { journal, onWarning } = this.#options;
    let logsDigest = emptyLogsDigest;
    for (const block of journal.iterate()) {
      const { height } = block;
      logsDigest = nextLogsDigest(logsDigest, block);
      if (logsDigest !== block.logsDigest) {
        onWarning?.(
          new ChainError(ChainErrorCode.JOURNAL_DAMAGED, 'A journaled block is read again.', {
            metadata: { height },
          }),
        );
        journal.truncateFrom(height, journal.below(height));
        return;
      }
      yield this.#update(block);
    }
  }

  /**
   * Forgets blocks from a height on and reads them again; reported as a reorganisation.
   *
   * For an operator that finds itself alone with its view of a block: its endpoint may have
   * withheld a log once, and the journal would keep that for ever.
   */
  rewind(height: bigint): void {
    if (this.#rewindTo === undefined || height < this.#rewindTo) this.#rewindTo = height;
  }

  /**
   * Updates as they come, until the signal is aborted. One watch at a time.
   *
   * @throws whatever the journal throws, and nothing else
   */
  async *watch(signal: AbortSignal): AsyncGenerator<GatewayUpdate, void, undefined> {
    const { source, pollMs, onWarning } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const endpoint = source.pick();
      let step: Step;
      try {
        step = await this.#step(endpoint);
      } catch (error) {
        if (isKeyloomError(error) && !(error instanceof ChainError)) throw error;
        const failure = rpcError(error);
        onWarning?.(failure);
        // It may only have been too much at once; backing off starts when it cannot be less.
        const tooMuch = failure.code === ChainErrorCode.RPC_FAILED && this.#range > 1;
        this.#range = Math.max(1, this.#range >> 1);
        failures = tooMuch ? 0 : failures + 1;
        if (failures >= FAILURES_UNTIL_DISTRUST && endpoint.distrust()) failures = 0;
        await pause(backoffMs(pollMs, failures), signal);
        continue;
      }
      failures = 0;
      for (const update of step.updates) {
        if (signal.aborted) return;
        yield update;
      }
      if (step.caughtUp) await pause(pollMs, signal);
    }
  }

  /** Looks at the chain once: undoes what is no longer on it, or reads one range further. */
  async #step(endpoint: BlockEndpoint): Promise<Step> {
    const { addresses, journal, confirmations, fromBlock } = this.#options;
    const { client } = endpoint;
    if (this.#rewindTo !== undefined) {
      const height = this.#rewindTo;
      journal.truncateFrom(height, journal.below(height));
      this.#rewindTo = undefined;
      // It is the one that withheld a log, or the others' endpoints do.
      endpoint.distrust();
      return { updates: [{ kind: 'reorganised', height }], caughtUp: false };
    }
    const scanned = journal.scanned();
    const latest = await client.getBlockNumber({ cacheTime: 0 });
    if (scanned !== undefined) {
      if (latest < scanned.height && ++this.#looksBehind < LOOKS_UNTIL_UNDONE) {
        throw new ChainError(ChainErrorCode.CHAIN_BEHIND, 'The endpoint has fallen behind.', {
          metadata: { latest, scanned: scanned.height },
        });
      }
      this.#looksBehind = 0;
      if (!(await this.#isCanonical(client, scanned, latest))) return this.#undo(client, latest);
    }
    const from = scanned === undefined ? fromBlock : scanned.height + 1n;
    const depth = BigInt(confirmations);
    if (from > latest - depth) return { updates: [], caughtUp: true };
    const confirmed = (await endpoint.seconded(latest)) - depth;
    if (from > confirmed) return { updates: [], caughtUp: true };

    const end = from + BigInt(this.#range) - 1n;
    const to = end < confirmed ? end : confirmed;
    const { blocks, last } = await readGatewayBlocks(client, addresses, from, to);
    // The range must lie on top of what was read before, not of a branch that replaced it meanwhile.
    if (scanned !== undefined && !(await this.#isCanonical(client, scanned, latest)))
      return this.#undo(client, latest);
    let logsDigest = journal.head()?.logsDigest ?? emptyLogsDigest;
    const digested = blocks.map((block) => {
      logsDigest = nextLogsDigest(logsDigest, block);
      return { ...block, logsDigest };
    });
    journal.append(digested, last);
    this.#range = Math.min(this.#maxRange, Math.ceil(this.#range * 1.125));
    return { updates: digested.map((block) => this.#update(block)), caughtUp: to === confirmed };
  }

  /** Goes back to the highest journaled block that is still on the chain. */
  async #undo(client: PublicClient, latest: bigint): Promise<Step> {
    const { journal } = this.#options;
    let lost: bigint | undefined;
    let kept = journal.head();
    while (kept !== undefined && !(await this.#isCanonical(client, kept, latest))) {
      lost = kept.height;
      kept = journal.below(lost);
    }
    journal.truncateFrom(kept === undefined ? 0n : kept.height + 1n, kept);
    const updates = lost === undefined ? [] : [{ kind: 'reorganised' as const, height: lost }];
    return { updates, caughtUp: false };
  }

  async #isCanonical(
    client: PublicClient,
    { height, hash }: BlockReference,
    latest: bigint,
  ): Promise<boolean> {
    // Above the head there is nothing: the endpoint claimed more once than there is.
    if (height > latest) return false;
    return (await blockHashAt(client, height)) === hash;
  }

  #update(block: GatewayBlock): GatewayUpdate & { kind: 'block' } {
    const { height, hash, logsDigest, logs } = block;
    const events = decodeGatewayLogs(this.#options.addresses, logs);
    return { kind: 'block', height, hash, logsDigest, events };
  }

  get #maxRange(): number {
    return this.#options.maxRange ?? defaultMaxRange;
  }
}
