import type { Hex } from 'viem';
import type { Database } from './database.ts';

/** A deviation of an operator that this one has seen. */
export interface Fault {
  /** The request or key that was served. */
  readonly subject: Hex;
  readonly openingId: Hex;
  /** Committee index of the operator at fault. */
  readonly operator: number;
  /** Error code that says what was wrong. */
  readonly reason: string;
}

/** A fault with the local time of its first sight, in milliseconds since 1970. */
export interface RecordedFault extends Fault {
  readonly recordedAtMs: number;
}

interface FaultRow {
  subject: Hex;
  opening: Hex;
  operator: bigint;
  reason: string;
  recorded_at: bigint;
}

/** Record of faults, for status output and for evidence later. */
export class Faults {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Records a fault; the same one again changes nothing, so an operator cannot fill the disk. */
  record({ subject, openingId, operator, reason }: Fault, nowMs: number = Date.now()): void {
    this.#database.run(
      `INSERT INTO faults (subject, opening, operator, reason, recorded_at)
       VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      subject,
      openingId,
      operator,
      reason,
      nowMs,
    );
  }

  /** The latest faults, newest first. */
  list(limit = 100): RecordedFault[] {
    const rows = this.#database.all<FaultRow>(
      `SELECT subject, opening, operator, reason, recorded_at FROM faults
       ORDER BY recorded_at DESC, subject, opening, operator, reason LIMIT ?`,
      limit,
    );
    return rows.map((row) => ({
      subject: row.subject,
      openingId: row.opening,
      operator: Number(row.operator),
      reason: row.reason,
      recordedAtMs: Number(row.recorded_at),
    }));
  }
}
