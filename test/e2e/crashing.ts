import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Hex } from 'viem';

import type { OperatorProcess } from '../../devnet/operator-process.ts';
import { crashing, readRecord, type CrashPlan, type Moment } from '../faults/crash.ts';

/** A signed root of an operator, as a peer holds it or its own journal. */
export type Roots = ReadonlyMap<Hex, Hex>;

const EPOCH_BYTES = 32;
const ROOT_BYTES = 32;

/** What an operator has signed for its shares, as a peer has kept it. */
export function rootsHeldBy(peer: OperatorProcess, index: number): Roots {
  const folder = join(peer.folder, 'data/transcripts');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const own = files.filter((file) => new RegExp(`^\\d+/[0-9a-f]{64}/${index}$`).test(file));
  return new Map(
    own.map((file) => {
      const root = readFileSync(join(folder, file)).subarray(EPOCH_BYTES, EPOCH_BYTES + ROOT_BYTES);
      return [`0x${file.split('/')[1]}`, `0x${root.toString('hex')}`];
    }),
  );
}

/** What an operator that is not running has journaled as signed. */
export function journaledRoots(operator: OperatorProcess): Roots {
  const state = new DatabaseSync(join(operator.folder, 'data/state.db'), { readOnly: true });
  try {
    const rows = state.prepare('SELECT id, root FROM openings').all();
    return new Map(rows.map((row) => [row['id'] as Hex, row['root'] as Hex]));
  } finally {
    state.close();
  }
}

/** An operator that dies at one write after the other, and is started again at once. */
export class CrashingOperator {
  readonly operator: OperatorProcess;
  readonly #plan: CrashPlan;
  readonly #peers: readonly OperatorProcess[];
  #ended: Promise<void> | undefined;
  #isOver = false;
  /** What peers held of it that its journal did not have, at any of its deaths. */
  readonly unjournaled: string[] = [];
  /** Ends that were not the plan's. */
  readonly failures: string[] = [];

  constructor(operator: OperatorProcess, peers: readonly OperatorProcess[]) {
    this.operator = operator;
    this.#peers = peers;
    this.#plan = { root: operator.folder, record: `${operator.folder}.writes` };
  }

  start(): void {
    this.#ended = this.#live();
  }

  /** Names of all writes so far. */
  get names(): Set<string> {
    return new Set(readRecord(this.#plan.record).map(({ name }) => name));
  }

  get deaths(): { name: string; moment: Moment }[] {
    return readRecord(this.#plan.record).flatMap(({ name, event }) =>
      event === 'passed' ? [] : [{ name, moment: event }],
    );
  }

  /** Stops it as a service manager does, which it may not survive either. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.operator.stop();
    await this.#ended;
  }

  async #live(): Promise<void> {
    while (!this.#isOver) {
      this.operator.start({ env: crashing(this.#plan) });
      const exit = await this.operator.exited;
      this.#compare();
      if (exit?.signal !== 'SIGKILL' && !this.#isOver) {
        this.failures.push(`ended with ${exit?.code}`);
        return;
      }
    }
  }

  /** The journal comes before the signature: whatever a peer has of it is in its journal. */
  #compare(): void {
    const held = this.#peers.map((peer) => rootsHeldBy(peer, this.operator.index));
    const journaled = journaledRoots(this.operator);
    for (const roots of held)
      for (const [opening, root] of roots)
        if (journaled.get(opening) !== root) this.unjournaled.push(opening);
  }
}
