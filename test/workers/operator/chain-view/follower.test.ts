import { describe, expect, it } from 'vitest';

import type { GatewayUpdate, GatewayWatcher } from '../../../../workers/chain/watcher.ts';
import { ChainState } from '../../../../workers/operator/chain-view/chain-state.ts';
import { Follower } from '../../../../workers/operator/chain-view/follower.ts';
import { KeyShares } from '../../../../workers/operator/committee/key-shares.ts';
import { Seats } from '../../../../workers/operator/committee/seats.ts';
import { unlessAborted } from '../../../../workers/operator/waiting.ts';
import { StoreError, StoreErrorCode } from '../../../../workers/store/errors.ts';
import { digestOf, type Block } from '../fake-chain.ts';
import { startCommittee, stopped } from '../harness.ts';

/** A watcher that reports what a test tells it to. */
class ToldWatcher {
  readonly rewound: bigint[] = [];
  #journal: Block[];
  #queue: { update: GatewayUpdate; taken: () => void }[] = [];
  #more = Promise.withResolvers<void>();

  constructor(journal: readonly Block[]) {
    this.#journal = [...journal];
  }

  /** Reports an update; resolves when the follower comes for the next one. */
  tell(update: GatewayUpdate): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (update.kind === 'block') this.#journal.push(update);
    else this.#journal = this.#journal.filter(({ height }) => height < update.height);
    this.#queue.push({ update, taken: resolve });
    this.#more.resolve();
    return promise;
  }

  *replay() {
    yield* this.#journal;
  }

  /** Fails the next look. */
  failure: Error | undefined;

  rewind(height: bigint): void {
    this.rewound.push(height);
  }

  async *watch(signal: AbortSignal) {
    while (!signal.aborted) {
      const { failure } = this;
      this.failure = undefined;
      if (failure !== undefined) throw failure;
      for (const { update, taken } of this.#queue.splice(0)) {
        yield update;
        taken();
      }
      this.#more = Promise.withResolvers<void>();
      await unlessAborted(this.#more.promise, signal).catch(() => undefined);
    }
  }
}

/** A follower at operator 1 of a committee, which has its chain from a watcher that is told. */
async function start() {
  const committee = await startCommittee(4);
  const { context } = committee.at(1);
  const stop = new AbortController();
  const told = new ToldWatcher(committee.chain.blocks);
  const chain = new ChainState(() => true);
  const keyShares = new KeyShares(context.store);
  const following = { ...context, stopping: stop.signal };
  const seats = new Seats(following, chain, keyShares);
  const watcher = told as unknown as GatewayWatcher;
  const ended = new Follower(following, chain, watcher, seats, keyShares).run();
  return { ...committee, context, told, state: chain, seats, ended, stop };
}

const keyId = digestOf('key');

const requestKey = (epochId: string) => ({
  eventName: 'KeyRequested' as const,
  args: { keyId, epochId, parameterSetId: digestOf('set'), requester: '0x', deadline: 10n ** 10n },
});

describe('a follower', () => {
  it('starts from the journal and takes up what each block asks for', async () => {
    const { chain, epochId, told, state, seats, context, ended, stop } = await start();
    expect(state.height).toBe(3n);
    expect(seats.get(epochId)).toMatchObject({ index: 1 });
    await told.tell(chain.emit(requestKey(epochId)));
    expect(state.height).toBe(4n);
    expect(context.progress.get(keyId)?.state).toBe('agreeing');
    stop.abort(stopped());
    await ended;
  });

  it('keeps nothing of blocks that a reorganisation made void, and serves on', async () => {
    const { chain, epochId, told, state, seats, context, ended, stop } = await start();
    const block = chain.emit(requestKey(epochId));
    await told.tell(block);
    const { views } = context.boards;
    const view = { blockHash: block.hash, logsDigest: block.logsDigest, signature: '0x' } as const;
    views.publish('view', view);
    const seat = seats.get(epochId);
    await told.tell({ kind: 'reorganised', height: 4n });
    expect(state.height).toBe(3n);
    expect(state.now.keys.size).toBe(0);
    expect(views.get('view')).toBeUndefined();
    expect(seats.get(epochId)).toMatchObject({ index: 1 });
    expect(seats.get(epochId)).not.toBe(seat);
    await told.tell({ ...block, hash: digestOf('in another block') });
    expect(state.block(4n)?.blockHash).toBe(digestOf('in another block'));
    expect(state.now.keys.size).toBe(1);
    stop.abort(stopped());
    await ended;
  });

  it('goes on when there is room for its journal again, and ends when its disk fails', async () => {
    const { chain, epochId, told, state, ended } = await start();
    told.failure = new StoreError(StoreErrorCode.DISK_FULL, 'no room');
    const seen = told.tell(chain.emit(requestKey(epochId)));
    await seen;
    expect(state.height).toBe(4n);
    told.failure = new StoreError(StoreErrorCode.DISK_FAILED, 'a failing disk');
    told.tell(chain.emit(requestKey(epochId))).catch(() => undefined);
    await expect(ended).rejects.toMatchObject({ code: StoreErrorCode.DISK_FAILED });
  });

  it('reads a block again that 2t+1 others see differently', async () => {
    const { chain, epochId, told, ended, stop } = await start();
    const block = chain.emit(requestKey(epochId));
    const outvoted = Promise.withResolvers<void>();
    told.rewind = (height) => {
      told.rewound.push(height);
      outvoted.resolve();
    };
    await told.tell({ ...block, logsDigest: digestOf('logs that never happened') });
    await outvoted.promise;
    expect(told.rewound).toEqual([4n]);
    stop.abort(stopped());
    await ended;
  });

  it('ends with what its journal throws', async () => {
    const { told, ended } = await start();
    told.replay = () => {
      throw new RangeError('damaged journal');
    };
    void told.tell({ kind: 'reorganised', height: 4n });
    await expect(ended).rejects.toThrow(RangeError);
  });
});
