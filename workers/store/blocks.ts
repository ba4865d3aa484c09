import type { Hex } from 'viem';
import type { Database } from './database.ts';
import { StoreError, StoreErrorCode } from './errors.ts';
import { parsed } from './json.ts';

/** A log of a gateway contract as the chain gave it. */
export interface JournaledLog {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly logIndex: number;
}

/** A confirmed block that has gateway logs. */
export interface JournaledBlock {
  readonly height: bigint;
  readonly hash: Hex;
  /** Running digest of all gateway logs up to and with this block. */
  readonly logsDigest: Hex;
  readonly logs: readonly JournaledLog[];
}

/** A block, with gateway logs or without, up to which the chain has been read. */
export interface ScannedBlock {
  readonly height: bigint;
  readonly hash: Hex;
}

interface BlockRow {
  height: bigint;
  hash: Hex;
  logs_digest: Hex;
  logs: string;
}

/**
 * Journal of the gateway's blocks: what the state is folded from after a restart, and where reading
 * the chain goes on.
 */
export class Blocks {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Adds blocks above the head and moves the scanned mark, in one durable step.
   *
   * @param scanned not below the last of `blocks`
   * @throws StoreError BLOCK_OUT_OF_ORDER if heights do not ascend; nothing is written
   */
  append(blocks: readonly JournaledBlock[], scanned: ScannedBlock): void {
    this.#database.transact(() => {
      let previous = this.head()?.height ?? -1n;
      for (const { height, hash, logsDigest, logs } of blocks) {
        if (height <= previous) throw outOfOrder(height, previous);
        this.#database.run(
          'INSERT INTO blocks (height, hash, logs_digest, logs) VALUES (?, ?, ?, ?)',
          height,
          hash,
          logsDigest,
          JSON.stringify(logs),
        );
        previous = height;
      }
      if (scanned.height < previous) throw outOfOrder(scanned.height, previous);
      this.#setScanned(scanned);
    });
  }

  /**
   * Forgets every block at or above `height`: they are no longer on the chain.
   *
   * @param scanned the block at which reading goes on, below `height`; undefined for the beginning
   */
  truncateFrom(height: bigint, scanned: ScannedBlock | undefined): void {
    this.#database.transact(() => {
      this.#database.run('DELETE FROM blocks WHERE height >= ?', height);
      if (scanned === undefined) this.#database.run('DELETE FROM scanned');
      else this.#setScanned(scanned);
    });
  }

  /** The highest journaled block, or undefined. */
  head(): JournaledBlock | undefined {
    return this.#first('SELECT * FROM blocks ORDER BY height DESC LIMIT 1');
  }

  /** The highest journaled block below a height, or undefined. */
  below(height: bigint): JournaledBlock | undefined {
    return this.#first(
      'SELECT * FROM blocks WHERE height < ? ORDER BY height DESC LIMIT 1',
      height,
    );
  }

  /** The block up to which the chain has been read, or undefined. */
  scanned(): ScannedBlock | undefined {
    const row = this.#database.get<ScannedBlock>('SELECT height, hash FROM scanned');
    return row && { height: row.height, hash: row.hash };
  }

  /** All journaled blocks, ascending; those appended meanwhile included. */
  *iterate(): Generator<JournaledBlock> {
    let height = -1n;
    for (;;) {
      const block = this.#first(
        'SELECT * FROM blocks WHERE height > ? ORDER BY height LIMIT 1',
        height,
      );
      if (block === undefined) return;
      yield block;
      height = block.height;
    }
  }

  #first(sql: string, ...values: bigint[]): JournaledBlock | undefined {
    const row = this.#database.get<BlockRow>(sql, ...values);
    return (
      row && {
        height: row.height,
        hash: row.hash,
        logsDigest: row.logs_digest,
        // Without what cannot be read the digest does not fit, which whoever replays the blocks finds.
        logs: parsed<JournaledLog[]>(row.logs) ?? [],
      }
    );
  }

  #setScanned({ height, hash }: ScannedBlock): void {
    this.#database.run(
      'INSERT OR REPLACE INTO scanned (only, height, hash) VALUES (0, ?, ?)',
      height,
      hash,
    );
  }
}

function outOfOrder(height: bigint, previous: bigint): StoreError {
  return new StoreError(
    StoreErrorCode.BLOCK_OUT_OF_ORDER,
    'A journaled block must lie above the one before.',
    { metadata: { height, previous } },
  );
}
