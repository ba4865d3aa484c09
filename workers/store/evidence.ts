import type { Hex } from 'viem';
import { offenceId, type Evidence } from '../protocols/evidence.ts';
import type { Database } from './database.ts';
import { canonicalHex32 } from './hex.ts';

/**
 * `open`: to be submitted. `submitted`: this operator has sent it. `settled`: the offence is punished,
 * or turned out to be none. `hopeless`: the contract would refuse it.
 */
export type EvidenceState = 'open' | 'submitted' | 'settled' | 'hopeless';

/** Whom evidence accuses, in what, and what has become of it. */
export interface EvidenceStanding extends Pick<Evidence, 'kind' | 'epochId' | 'subject' | 'index'> {
  readonly offenceId: Hex;
  readonly state: EvidenceState;
  /** Why it is settled or hopeless, or waits. */
  readonly why: string | undefined;
}

export interface KeptEvidence extends EvidenceStanding {
  readonly evidence: Evidence;
}

type Accusation = Pick<Evidence, 'kind' | 'epochId' | 'index'>;

/**
 * Most evidence of one kind against one operator of an epoch. It makes its offences as it likes, and
 * one is enough for a conviction; evidence at n=13 has 20 kB.
 */
export const EVIDENCE_PER_ACCUSED = 16;

interface StandingRow {
  offence: Hex;
  kind: Evidence['kind'];
  epoch: Hex;
  subject: Hex;
  accused: bigint;
  state: EvidenceState;
  why: string | null;
}

const columns = 'offence, kind, epoch, subject, accused, state, why';
const allStates: readonly EvidenceState[] = ['open', 'submitted', 'settled', 'hopeless'];

/**
 * Evidence against other operators, from when it is seen until it is settled. There is one piece per
 * offence, the first that was found.
 */
export class EvidenceBook {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Keeps evidence durably; the offence being known already changes nothing.
   *
   * At the limit the oldest piece of the same kind and accused that is not open makes room. Where all
   * are open, the new one is left out; but results wait for what is recorded, so of these the oldest
   * goes: somebody may let requests expire to fill the room.
   *
   * @returns whether it was kept
   */
  keep(evidence: Evidence): boolean {
    const id = offenceId(evidence);
    return this.#database.transact(() => {
      if (this.get(id) !== undefined) return false;
      if (this.#held(evidence) >= EVIDENCE_PER_ACCUSED && !this.#makeRoom(evidence)) return false;
      const { kind, epochId, subject, index } = evidence;
      this.#database.run(
        `INSERT INTO evidence (offence, kind, epoch, subject, accused, evidence, state, number)
         SELECT ?, ?, ?, ?, ?, ?, 'open', coalesce(max(number), 0) + 1 FROM evidence`,
        id,
        kind,
        canonicalHex32(epochId, 'epochId'),
        canonicalHex32(subject, 'subject'),
        index,
        JSON.stringify(evidence),
      );
      return true;
    });
  }

  get(id: Hex): KeptEvidence | undefined {
    const row = this.#database.get<StandingRow & { evidence: string }>(
      `SELECT ${columns}, evidence FROM evidence WHERE offence = ?`,
      canonicalHex32(id, 'offenceId'),
    );
    return row && { ...standing(row), evidence: JSON.parse(row.evidence) as Evidence };
  }

  /** The standing of evidence, newest first; of some states only, if they are given. */
  list(limit: number, states = allStates): EvidenceStanding[] {
    const rows = this.#database.all<StandingRow>(
      `SELECT ${columns} FROM evidence WHERE state IN (SELECT value FROM json_each(?))
       ORDER BY number DESC LIMIT ?`,
      JSON.stringify(states),
      limit,
    );
    return rows.map(standing);
  }

  /** How many pieces there are in a state. */
  count(state: EvidenceState): number {
    const row = this.#database.get<{ pieces: bigint }>(
      'SELECT count(*) AS pieces FROM evidence WHERE state = ?',
      state,
    );
    return Number(row?.pieces ?? 0n);
  }

  /** Whether no more evidence of this kind against the accused would be kept. */
  isFull(accusation: Accusation): boolean {
    return (
      this.#held(accusation) >= EVIDENCE_PER_ACCUSED && this.#replaceable(accusation) === undefined
    );
  }

  /** Notes durably what has become of evidence. */
  advance(id: Hex, state: EvidenceState, why?: string): void {
    this.#database.run(
      'UPDATE evidence SET state = ?, why = ? WHERE offence = ?',
      state,
      why ?? null,
      canonicalHex32(id, 'offenceId'),
    );
  }

  #held({ kind, epochId, index }: Accusation): number {
    const row = this.#database.get<{ pieces: bigint }>(
      'SELECT count(*) AS pieces FROM evidence WHERE epoch = ? AND accused = ? AND kind = ?',
      canonicalHex32(epochId, 'epochId'),
      index,
      kind,
    );
    return Number(row?.pieces ?? 0n);
  }

  #makeRoom(evidence: Evidence): boolean {
    const oldest = this.#replaceable(evidence);
    if (oldest === undefined) return false;
    this.#database.run('DELETE FROM evidence WHERE offence = ?', oldest);
    return true;
  }

  #replaceable({ kind, epochId, index }: Accusation): Hex | undefined {
    const closed = "state IN ('settled', 'hopeless')";
    return this.#database.get<{ offence: Hex }>(
      `SELECT offence FROM evidence
       WHERE epoch = ? AND accused = ? AND kind = ? AND (${closed} OR (kind = 'wrong-result' AND state = 'open'))
       ORDER BY ${closed} DESC, number LIMIT 1`,
      canonicalHex32(epochId, 'epochId'),
      index,
      kind,
    )?.offence;
  }
}

const standing = (row: StandingRow): EvidenceStanding => ({
  offenceId: row.offence,
  kind: row.kind,
  epochId: row.epoch,
  subject: row.subject,
  index: Number(row.accused),
  state: row.state,
  why: row.why ?? undefined,
});
