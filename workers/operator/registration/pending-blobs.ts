import { createHash } from 'node:crypto';
import type { Hex } from 'viem';

import type { PendingRegistration } from '../../store/pending.ts';
import type { Store } from '../../store/store.ts';
import type { Verdict } from '../../store/verdicts.ts';
import type { ChainState } from '../chain-view/chain-state.ts';

/** How much room what the chain has not named yet may take, and for how long, in seconds. */
export interface PendingLimits {
  readonly bytes: number;
  readonly seconds: bigint;
}

export const defaultPendingLimits: PendingLimits = { bytes: 2 ** 30, seconds: 3_600n };

/** A ciphertext that was found to be as it is said, by a registration. */
export interface FoundRegistration {
  readonly registrationId: Hex;
  readonly handle: Hex;
  readonly verdict: Verdict;
  readonly ciphertext: Uint8Array;
  readonly proof: Uint8Array;
}

export const sha256 = (bytes: Uint8Array): Hex =>
  `0x${createHash('sha256').update(bytes).digest('hex')}`;

/**
 * Ciphertexts and proofs that were signed for and are not on chain. Whoever posts them pays nothing, so they
 * have little room and time: the oldest go first. That harms nobody, since the same bytes may be uploaded
 * again once they are registered.
 *
 * What the chain names is for good. A blob that was here for another reason is left alone, and so is one
 * that another registration needs.
 */
export class PendingBlobs {
  readonly #store: Store;
  readonly #chain: ChainState;
  readonly #limits: PendingLimits;
  /** Changes follow one another: none may see a half of another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, chain: ChainState, limits: PendingLimits = defaultPendingLimits) {
    this.#store = store;
    this.#chain = chain;
    this.#limits = limits;
  }

  /** Keeps what was found, durably. @param now timestamp in seconds */
  keep(found: FoundRegistration, now: bigint): Promise<void> {
    return this.#inTurn(async () => {
      const store = this.#store;
      const { registrationId, handle, verdict, ciphertext, proof } = found;
      const bytes = ciphertext.length + proof.length;
      await this.#makeRoom(now, bytes);
      const own = async (blob: Uint8Array): Promise<Hex | undefined> => {
        const digest = sha256(blob);
        const isOurs = store.pending.count(digest) > 0 || !(await store.blobs.has(digest));
        return isOurs ? digest : undefined;
      };
      const entry: PendingRegistration = {
        ...{ registrationId, handle, bytes, keptAt: now },
        ciphertext: await own(ciphertext),
        proof: await own(proof),
      };
      // Noted first: whatever is kept is also swept.
      store.pending.keep(entry);
      if (!verdict.vouched) store.verdicts.keep(handle, verdict);
      await store.blobs.put(ciphertext);
      await store.blobs.put(proof);
    });
  }

  /** Drops what has had its time. @param now timestamp in seconds */
  sweep(now: bigint): Promise<void> {
    return this.#inTurn(() => this.#makeRoom(now, 0));
  }

  async #makeRoom(now: bigint, bytes: number): Promise<void> {
    const { pending } = this.#store;
    for (let next = pending.oldest(); next !== undefined; next = pending.oldest()) {
      const isOver = next.keptAt + this.#limits.seconds < now;
      if (!isOver && pending.totalBytes() + bytes <= this.#limits.bytes) return;
      await this.#drop(next);
    }
  }

  async #drop({ registrationId, handle, ciphertext, proof }: PendingRegistration): Promise<void> {
    const { pending, verdicts, blobs } = this.#store;
    if (!this.#chain.now.ciphertexts.has(handle)) verdicts.remove(handle);
    for (const digest of [ciphertext, proof]) {
      if (digest === undefined || this.#chain.publicDigests.has(digest)) continue;
      // Itself is one that names it.
      if (pending.count(digest) === 1) await blobs.remove(digest);
    }
    // Last: after a crash it is dropped again.
    pending.remove(registrationId);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
