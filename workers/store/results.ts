import type { Hex } from 'viem';
import type { Database } from './database.ts';
import { StoreError, StoreErrorCode } from './errors.ts';
import { canonicalHex32 } from './hex.ts';

/**
 * What this operator has signed as results, by request.
 *
 * A result is written here, durably, before its signature leaves the process, and a different one is
 * refused for ever: it would be evidence against this operator. And only what is here is attested to.
 */
export class Results {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Records the Keccak-256 of a request's result durably; returns as well if exactly that is recorded.
   *
   * @throws StoreError RESULT_CONFLICT if another result is recorded: do not sign, stop
   */
  commit(requestId: Hex, resultHash: Hex): void {
    const id = canonicalHex32(requestId, 'requestId');
    const wanted = canonicalHex32(resultHash, 'resultHash');
    this.#database.run(
      'INSERT INTO results (request, hash) VALUES (?, ?) ON CONFLICT DO NOTHING',
      id,
      wanted,
    );
    const recorded = this.hash(id);
    if (recorded !== wanted) {
      throw new StoreError(
        StoreErrorCode.RESULT_CONFLICT,
        'Another result is recorded for this request.',
        { metadata: { requestId: id, recorded, refused: wanted } },
      );
    }
  }

  /** Requests with the Keccak-256 of their results, at most `limit`, in the order of ids and behind `after`. */
  page(limit: number, after?: Hex): { requestId: Hex; hash: Hex }[] {
    return this.#database
      .all<{
        request: Hex;
        hash: Hex;
      }>(
        'SELECT request, hash FROM results WHERE request > ? ORDER BY request LIMIT ?',
        after ?? '',
        limit,
      )
      .map(({ request, hash }) => ({ requestId: request, hash }));
  }

  /** Keccak-256 of the result that was recorded for a request, or undefined. */
  hash(requestId: Hex): Hex | undefined {
    const id = canonicalHex32(requestId, 'requestId');
    return this.#database.get<{ hash: Hex }>('SELECT hash FROM results WHERE request = ?', id)
      ?.hash;
  }
}
