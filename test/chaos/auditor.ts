import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isAddressEqual, type Hex } from 'viem';

import type { OperatorProcess } from '../../devnet/operator-process.ts';
import { fetchListing } from '../../tasks/support/evidence/collect.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import type { Member } from '../../tasks/support/operators.ts';
import { listConvictions } from '../../tasks/support/slashing.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { SignedResults } from './signed-results.ts';
import { SignedShares } from './signed-shares.ts';
import { StatementBook, type Conflict, type Statement } from './statements.ts';

/** For a database that its operator is writing to. */
const BUSY_TIMEOUT_MS = 10_000;

/** What an operator has against another one. */
export interface Accusation {
  /** Committee indices. */
  readonly accused: number;
  /** `chain` where it was convicted. */
  readonly by: number | 'chain';
  readonly kind: string;
}

/**
 * Collects what operators have signed, wherever it is found, and compares it: over HTTP what each holds of the
 * others' shares, on chain what they signed of results and registrations, and on their disks what they noted
 * before they signed. The disks also say what to ask for: nothing lists openings.
 */
export class Auditor {
  readonly book = new StatementBook();
  readonly #gateway: Gateway;
  readonly #members: readonly Member[];
  readonly #results: SignedResults;
  readonly #shares: SignedShares;
  /** Openings that were asked for before. */
  readonly #seen = new Set<Hex>();

  constructor(gateway: Gateway, epochId: Hex, members: readonly Member[]) {
    this.#gateway = gateway;
    this.#members = members;
    this.#results = new SignedResults(gateway, epochId, members);
    this.#shares = new SignedShares(gateway, epochId, members);
  }

  /** Looks at what is new, or at everything again. Operators that are away are left out. */
  async collect(operators: readonly OperatorProcess[], everything = false): Promise<void> {
    const openings = operators.flatMap((operator) => this.#readJournals(operator));
    const wanted = [...new Set(openings)].filter((id) => everything || !this.#seen.has(id));
    this.#note(await this.#shares.collect(wanted));
    for (const id of wanted) this.#seen.add(id);
    this.#note(await this.#results.collect());
  }

  /** Has registrations signed once more, which must give what was signed before. */
  async registerAgain(most: number): Promise<void> {
    this.#note(await this.#results.collectAgain(most));
  }

  /** Conflicting statements of all but these. */
  conflicts(except: readonly number[]): Conflict[] {
    return this.book.conflicts().filter(({ signer }) => !except.includes(signer));
  }

  /** All evidence that operators list, and all convictions. */
  async accusations(): Promise<Accusation[]> {
    const listed = await Promise.all(
      this.#members.map(async ({ index, endpoint }) => {
        const evidence = await listingAt(endpoint);
        return evidence.map((one) => ({ accused: one.index, by: index, kind: one.kind }));
      }),
    );
    const convictions = await listConvictions(this.#gateway);
    const convicted = convictions.map(({ operator, kind }) => ({
      accused: this.#members.find((one) => isAddressEqual(one.operator, operator))!.index,
      by: 'chain' as const,
      kind: String(kind),
    }));
    return [...listed.flat(), ...convicted];
  }

  #note(statements: readonly Statement[]): void {
    for (const statement of statements) this.book.add(statement);
  }

  /** What an operator has noted to sign. @returns its openings */
  #readJournals({ index, folder }: OperatorProcess): Hex[] {
    const file = join(folder, 'data', 'state.db');
    // An interrupted run may have lost it and not restored it yet.
    if (!existsSync(file)) return [];
    const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      const source = `journal of operator ${index}`;
      const openings = database.prepare('SELECT id, root FROM openings').all();
      for (const { id, root } of openings as { id: Hex; root: Hex }[])
        this.book.add({ signer: index, subject: `opening ${id}`, content: root, source });
      const results = database.prepare('SELECT request, hash FROM results').all();
      for (const { request, hash } of results as { request: Hex; hash: Hex }[])
        this.book.add({ signer: index, subject: `result of ${request}`, content: hash, source });
      return openings.map(({ id }) => id as Hex);
    } finally {
      database.close();
    }
  }
}

/** What an operator lists; nothing if it is away: that is found elsewhere. */
async function listingAt(endpoint: string): ReturnType<typeof fetchListing> {
  try {
    return await fetchListing(endpoint);
  } catch (error) {
    if (!isKeyloomError(error)) throw error;
    return [];
  }
}
