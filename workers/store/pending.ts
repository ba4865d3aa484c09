import type { Hex } from 'viem';
import type { Database } from './database.ts';
import { canonicalHex32 } from './hex.ts';

/** A registration that this operator has signed and the chain may not have. */
export interface PendingRegistration {
  /** Of what was posted. */
  readonly registrationId: Hex;
  readonly handle: Hex;
  /** Digest of the ciphertext if it is held for this reason only, and likewise of the proof. */
  readonly ciphertext: Hex | undefined;
  readonly proof: Hex | undefined;
  /** Bytes of both. */
  readonly bytes: number;
  /** Timestamp in seconds. */
  readonly keptAt: bigint;
}

interface Row {
  id: Hex;
  handle: Hex;
  ciphertext: Hex | null;
  proof: Hex | null;
  bytes: bigint;
  kept_at: bigint;
}

const columns = 'id, handle, ciphertext, proof, bytes, kept_at';

/** Registrations that wait for the chain, in the order in which they were kept. */
export class Pending {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keeps a registration durably, as the latest one. */
  keep({ registrationId, handle, ciphertext, proof, bytes, keptAt }: PendingRegistration): void {
    this.#database.run(
      `INSERT OR REPLACE INTO pending (${columns}, number)
       VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM pending))`,
      canonicalHex32(registrationId, 'registrationId'),
      canonicalHex32(handle, 'handle'),
      ciphertext === undefined ? null : canonicalHex32(ciphertext, 'ciphertext'),
      proof === undefined ? null : canonicalHex32(proof, 'proof'),
      bytes,
      keptAt,
    );
  }

  get(registrationId: Hex): PendingRegistration | undefined {
    const id = canonicalHex32(registrationId, 'registrationId');
    const row = this.#database.get<Row>(`SELECT ${columns} FROM pending WHERE id = ?`, id);
    return row && registrationOf(row);
  }

  /** The one that was kept first. */
  oldest(): PendingRegistration | undefined {
    const row = this.#database.get<Row>(`SELECT ${columns} FROM pending ORDER BY number LIMIT 1`);
    return row && registrationOf(row);
  }

  /** Bytes of all. */
  totalBytes(): number {
    const row = this.#database.get<{ total: bigint }>(
      'SELECT coalesce(sum(bytes), 0) AS total FROM pending',
    );
    return Number(row!.total);
  }

  /** For how many of them a blob is held. */
  count(digest: Hex): number {
    const name = canonicalHex32(digest, 'digest');
    const row = this.#database.get<{ count: bigint }>(
      'SELECT count(*) AS count FROM pending WHERE ciphertext = ? OR proof = ?',
      ...[name, name],
    );
    return Number(row!.count);
  }

  /** Forgets a registration; nothing happens if it is not there. */
  remove(registrationId: Hex): void {
    const id = canonicalHex32(registrationId, 'registrationId');
    this.#database.run('DELETE FROM pending WHERE id = ?', id);
  }
}

function registrationOf(row: Row): PendingRegistration {
  return {
    registrationId: row.id,
    handle: row.handle,
    ciphertext: row.ciphertext ?? undefined,
    proof: row.proof ?? undefined,
    bytes: Number(row.bytes),
    keptAt: row.kept_at,
  };
}
