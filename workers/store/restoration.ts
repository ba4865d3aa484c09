import type { Database } from './database.ts';

/** What is noted of a restored state. Absent in all others. */
interface Mark {
  /** When the backup was made. */
  readonly createdAt: string;
  /** Height of the chain's head when the operator first ran again; absent before that. */
  readonly until?: string;
}

/**
 * Whether this state comes from a backup, and what may be missing in it.
 *
 * What the operator signed between the backup and its restoring is in no journal here. It follows from
 * ids and set keys, so the same program on a sound machine signs the same again; but that is what the
 * journals are there not to rely on. So the operator does not work on what was requested up to the block
 * at which it runs again, unless its journal says what it has signed for it.
 */
export class Restoration {
  readonly #database: Database;
  #mark: Mark | undefined;

  constructor(database: Database) {
    this.#database = database;
    const kept = database.readMeta('restored');
    this.#mark = kept && (JSON.parse(Buffer.from(kept).toString()) as Mark);
  }

  /** Time of the backup that this state comes from, if it does. */
  get createdAt(): string | undefined {
    return this.#mark?.createdAt;
  }

  /** Height up to which requests may have been signed for that the journals do not have. */
  get until(): bigint | undefined {
    return this.#mark?.until === undefined ? undefined : BigInt(this.#mark.until);
  }

  /** True of a restored state that no operator has run on. */
  get isOpen(): boolean {
    return this.#mark !== undefined && this.#mark.until === undefined;
  }

  /** Notes durably that this state comes from a backup. */
  mark(createdAt: string): void {
    this.#keep({ createdAt });
  }

  /** Notes durably at which height of the chain the operator runs again; once. */
  close(head: bigint): void {
    if (this.#mark !== undefined && this.isOpen)
      this.#keep({ ...this.#mark, until: head.toString() });
  }

  #keep(mark: Mark): void {
    this.#database.run(
      "INSERT OR REPLACE INTO meta (name, value) VALUES ('restored', ?)",
      Buffer.from(JSON.stringify(mark)),
    );
    this.#mark = mark;
  }
}
