import type { Hex } from 'viem';
import type { Database } from './database.ts';
import { canonicalHex32 } from './hex.ts';

/** What an operator found out about a ciphertext that it has verified itself. */
export interface Verdict {
  /** SHA-256 of the ciphertext. */
  readonly digest: Hex;
  /** Number of primes. */
  readonly limbs: number;
  /** Bound at the ciphertext's own level. */
  readonly noise: bigint;
  /** Bits of the bound at the first level, as the chain is told. */
  readonly noiseBits: number;
  /** Handles of what it was computed from; empty for what was encrypted. */
  readonly inputs: readonly Hex[];
  /** What the chain has to go on saying for it to hold, of its inputs too. */
  readonly facts: readonly string[];
  /** Whether the bound rests on what a registrar said of it or of an input. */
  readonly vouched: boolean;
}

/**
 * Verdicts by handle. A handle is a hash of key, digest, owner, origin and proof; a verdict follows from these
 * and from its facts. Those on what is vouched for are not kept.
 */
export class Verdicts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keeps a verdict durably. */
  keep(handle: Hex, verdict: Verdict): void {
    this.#database.run(
      'INSERT OR REPLACE INTO verdicts (handle, verdict) VALUES (?, ?)',
      canonicalHex32(handle, 'handle'),
      JSON.stringify({ ...verdict, noise: verdict.noise.toString() }),
    );
  }

  get(handle: Hex): Verdict | undefined {
    const row = this.#database.get<{ verdict: string }>(
      'SELECT verdict FROM verdicts WHERE handle = ?',
      canonicalHex32(handle, 'handle'),
    );
    if (row === undefined) return undefined;
    const { noise, ...rest } = JSON.parse(row.verdict) as Omit<Verdict, 'noise'> & {
      noise: string;
    };
    return { ...rest, noise: BigInt(noise) };
  }

  /** Forgets a verdict; nothing happens if there is none. */
  remove(handle: Hex): void {
    this.#database.run('DELETE FROM verdicts WHERE handle = ?', canonicalHex32(handle, 'handle'));
  }
}
