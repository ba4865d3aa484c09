import type { Hex } from 'viem';
import type { OpeningPreimage } from '../sharing/ids.ts';
import type { Database } from './database.ts';
import { StoreError, StoreErrorCode } from './errors.ts';
import { canonicalHex32 } from './hex.ts';
import { parsed } from './json.ts';

/** An opening that this operator has committed to a share of. */
export interface CommittedOpening {
  readonly openingId: Hex;
  readonly epochId: Hex;
  /** What the id is the hash of: evidence about any share of the opening needs it. */
  readonly preimage: OpeningPreimage;
}

interface OpeningRow {
  id: Hex;
  epoch: Hex | null;
  preimage: string | null;
}

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
   * Records an opening and the root durably; returns as well if exactly that is recorded already.
   *
   * @throws StoreError OPENING_CONFLICT if another root is recorded: do not sign, stop
   */
  commit({ openingId, epochId, preimage }: CommittedOpening, root: Hex): void {
    const id = canonicalHex32(openingId, 'openingId');
    const wanted = canonicalHex32(root, 'root');
    this.#database.run(
      `INSERT INTO openings (id, root, epoch, preimage, compared) VALUES (?, ?, ?, ?, 0)
       ON CONFLICT DO NOTHING`,
      id,
      wanted,
      canonicalHex32(epochId, 'epochId'),
      JSON.stringify(preimage),
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

  /** An opening that was committed to; undefined for others. */
  get(openingId: Hex): CommittedOpening | undefined {
    const row = this.#database.get<OpeningRow>(
      'SELECT id, epoch, preimage FROM openings WHERE id = ?',
      canonicalHex32(openingId, 'openingId'),
    );
    return row && committed(row);
  }

  /**
   * Committed openings as they are kept, at most `limit`, in the order of their ids and behind `after`. The
   * preimage is undefined where it cannot be read.
   */
  page(
    limit: number,
    after?: Hex,
  ): (Omit<CommittedOpening, 'preimage'> & { preimage: OpeningPreimage | undefined })[] {
    const rows = this.#database.all<{ id: Hex; epoch: Hex; preimage: string }>(
      `SELECT id, epoch, preimage FROM openings
       WHERE id > ? AND epoch IS NOT NULL AND preimage IS NOT NULL ORDER BY id LIMIT ?`,
      after ?? '',
      limit,
    );
    return rows.map(({ id, epoch, preimage }) => ({
      openingId: id,
      epochId: epoch,
      preimage: parsed<OpeningPreimage>(preimage),
    }));
  }

  /**
   * Openings whose roots have not been compared with the peers', at most `limit` of them, in the order of
   * their ids and behind the id `after`.
   */
  toCompare(limit: number, after?: Hex): CommittedOpening[] {
    const rows = this.#database.all<OpeningRow>(
      'SELECT id, epoch, preimage FROM openings WHERE compared = 0 AND id > ? ORDER BY id LIMIT ?',
      after === undefined ? '' : canonicalHex32(after, 'after'),
      limit,
    );
    return rows.flatMap((row) => committed(row) ?? []);
  }

  /** Takes that back of an opening. */
  setUncompared(openingId: Hex): void {
    this.#database.run(
      'UPDATE openings SET compared = 0 WHERE id = ? AND compared = 1 AND epoch IS NOT NULL',
      canonicalHex32(openingId, 'openingId'),
    );
  }

  /** Notes durably that the roots of these openings have been compared. */
  setCompared(openingIds: readonly Hex[]): void {
    this.#database.transact(() => {
      for (const openingId of openingIds)
        this.#database.run(
          'UPDATE openings SET compared = 1 WHERE id = ?',
          canonicalHex32(openingId, 'openingId'),
        );
    });
  }
}

/** Undefined for what an earlier version recorded. */
function committed({ id, epoch, preimage }: OpeningRow): CommittedOpening | undefined {
  if (epoch === null || preimage === null) return undefined;
  return { openingId: id, epochId: epoch, preimage: JSON.parse(preimage) as OpeningPreimage };
}
