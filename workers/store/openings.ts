import type { Hex } from 'viem';
import type { Database } from './database.ts';
import { StoreError, StoreErrorCode } from './errors.ts';
import { canonicalHex32 } from './hex.ts';

/**
 * What this operator has committed to, by opening.
 *
 * Two signed roots for one opening are equivocation. So the root is written here, durably, before
 * its signature or its share leaves the process, and a different one is refused for ever.
 */
export class Openings {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Records (openingId, root) durably; returns as well if exactly that is recorded already.
   *
   * @throws StoreError OPENING_CONFLICT if another root is recorded: do not sign, stop
   */
  commit(openingId: Hex, root: Hex): void {
    const id = canonicalHex32(openingId, 'openingId');
    const wanted = canonicalHex32(root, 'root');
    this.#database.run(
      'INSERT INTO openings (id, root) VALUES (?, ?) ON CONFLICT DO NOTHING',
      id,
      wanted,
    );
    const recorded = this.root(id);
    if (recorded !== wanted) {
      throw new StoreError(
        StoreErrorCode.OPENING_CONFLICT,
        'Another root is recorded for this opening.',
        { metadata: { openingId: id, recorded, refused: wanted } },
      );
    }
  }

  /** The recorded root of an opening, or undefined. */
  root(openingId: Hex): Hex | undefined {
    const id = canonicalHex32(openingId, 'openingId');
    return this.#database.get<{ root: Hex }>('SELECT root FROM openings WHERE id = ?', id)?.root;
  }
}
