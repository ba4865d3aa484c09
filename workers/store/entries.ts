import type { Hex } from 'viem';
import type { Database } from './database.ts';
import { canonicalHex32 } from './hex.ts';

/**
 * How far requests have come: digests of the entries of evaluation keys, or of the answers to users,
 * that are finished.
 *
 * After a crash an operator goes on behind them. They are no more than that: the same entry made
 * again would have the same bytes.
 */
export class Entries {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes durably that the entry at a position of a request is a blob with this digest. */
  record(requestId: Hex, position: number, digest: Hex): void {
    this.#database.run(
      'INSERT OR REPLACE INTO entries (request, position, digest) VALUES (?, ?, ?)',
      canonicalHex32(requestId, 'requestId'),
      position,
      canonicalHex32(digest, 'digest'),
    );
  }

  /** Digests of the entries of a request from the first on, up to the first that is missing. */
  list(requestId: Hex): Hex[] {
    const rows = this.#database.all<{ position: bigint; digest: Hex }>(
      'SELECT position, digest FROM entries WHERE request = ? ORDER BY position',
      canonicalHex32(requestId, 'requestId'),
    );
    const gap = rows.findIndex(({ position }, at) => position !== BigInt(at));
    return rows.slice(0, gap < 0 ? rows.length : gap).map(({ digest }) => digest);
  }
}
