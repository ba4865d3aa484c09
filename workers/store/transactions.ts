import type { Hex } from 'viem';
import type { Database } from './database.ts';
import { StoreError, StoreErrorCode } from './errors.ts';

/** One signed form of a transaction; a later one replaces it at a higher fee. */
export interface JournaledAttempt {
  readonly hash: Hex;
  readonly raw: Hex;
}

/** A nonce of the sending account and everything that was signed for it. */
export interface JournaledTransaction {
  readonly nonce: number;
  /** What it is sent for, chosen by the caller of the sender. */
  readonly key: string;
  /** In order of signing; at least one. */
  readonly attempts: readonly JournaledAttempt[];
}

/** Journal of the transaction sender: what may be in a mempool under this account's signature. */
export class Transactions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Records a signed attempt durably; called before it is broadcast. */
  record(nonce: number, key: string, attempt: JournaledAttempt): void {
    this.#database.transact(() => {
      const rows = this.#database.all<{ key: string }>(
        'SELECT key FROM transactions WHERE nonce = ?',
        nonce,
      );
      if (rows.some((row) => row.key !== key)) {
        throw new StoreError(
          StoreErrorCode.NONCE_CONFLICT,
          'The nonce is journaled for something else.',
          { metadata: { nonce, key } },
        );
      }
      this.#database.run(
        'INSERT INTO transactions (nonce, attempt, key, hash, raw) VALUES (?, ?, ?, ?, ?)',
        nonce,
        rows.length,
        key,
        attempt.hash,
        attempt.raw,
      );
    });
  }

  /** Every nonce that is not settled, ascending. */
  pending(): JournaledTransaction[] {
    const rows = this.#database.all<{ nonce: bigint; key: string; hash: Hex; raw: Hex }>(
      'SELECT nonce, key, hash, raw FROM transactions ORDER BY nonce, attempt',
    );
    const byNonce = new Map<bigint, { key: string; attempts: JournaledAttempt[] }>();
    for (const { nonce, key, hash, raw } of rows) {
      const entry = byNonce.get(nonce) ?? { key, attempts: [] };
      entry.attempts.push({ hash, raw });
      byNonce.set(nonce, entry);
    }
    return [...byNonce].map(([nonce, entry]) => ({ nonce: Number(nonce), ...entry }));
  }

  /** Forgets a nonce that the chain has consumed. */
  settle(nonce: number): void {
    this.#database.run('DELETE FROM transactions WHERE nonce = ?', nonce);
  }
}
