import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Hex } from 'viem';

import type { RnsVector } from '../../ring/basis.ts';
import { combining } from '../../sharing/combinations.ts';
import type { OperatorContext, PublishedShare } from '../context.ts';
import { residuesOf } from './own-shares.ts';

/** Combinations that are kept: of 4 residues per prime each. */
const MAX_KEPT = 1_024;
/** Openings of which the peers' questions are counted. */
const MAX_COUNTED = 1_024;

/** `combinationsOf`, with a turn for everything else that this process does at each step. */
export async function combineInTurns(...of: Parameters<typeof combining>): Promise<RnsVector[]> {
  const work = combining(...of);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await nextTurn();
  }
}

/**
 * Combinations of the own shares, for the peers that check a published value.
 *
 * Any digest may be asked about: what is answered is linear in a share that the asker could have as a
 * whole. But it costs time, so a peer may ask about as many values of an opening as there are
 * operators that could have published one; and however many ask about a value, it is computed once.
 */
export class OwnCombinations {
  readonly #kept = new Map<string, Promise<RnsVector>>();
  /** By opening, digests that each peer asked about. */
  readonly #asked = new Map<Hex, Map<number, Set<Hex>>>();

  /** Undefined for a peer that has asked about too many values. */
  async answer(
    context: OperatorContext,
    own: PublishedShare,
    digest: Hex,
    to: number,
  ): Promise<RnsVector | undefined> {
    const { id } = own.opening;
    const digests = this.#digestsOf(id, to);
    if (!digests.has(digest) && digests.size >= own.seat.session.committee.n) return undefined;
    digests.add(digest);
    const key = keyOf(id, digest);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const combinations = compute(context, own, digest);
    this.#put(key, combinations);
    combinations.catch(() => {
      // A share that is gone may be offered again.
      if (this.#kept.get(key) === combinations) this.#kept.delete(key);
    });
    return combinations;
  }

  keep(openingId: Hex, digest: Hex, combinations: RnsVector): void {
    this.#put(keyOf(openingId, digest), Promise.resolve(combinations));
  }

  #put(key: string, combinations: Promise<RnsVector>): void {
    this.#kept.set(key, combinations);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
  }

  #digestsOf(openingId: Hex, peer: number): Set<Hex> {
    let peers = this.#asked.get(openingId);
    if (peers === undefined) {
      this.#asked.set(openingId, (peers = new Map<number, Set<Hex>>()));
      if (this.#asked.size > MAX_COUNTED) this.#asked.delete(this.#asked.keys().next().value!);
    }
    let digests = peers.get(peer);
    if (digests === undefined) peers.set(peer, (digests = new Set<Hex>()));
    return digests;
  }
}

const keyOf = (openingId: Hex, digest: Hex): string => `${openingId}/${digest}`;

async function compute(
  context: OperatorContext,
  own: PublishedShare,
  digest: Hex,
): Promise<RnsVector> {
  const { id, shape } = own.opening;
  const [combinations] = await combineInTurns(id, digest, shape, [await residuesOf(context, own)]);
  return combinations;
}
