import { createHash } from 'node:crypto';
import type { Hex } from 'viem';

import { keyShareOf } from '../../protocols/key-generation.ts';
import type { KeyShare } from '../../protocols/opening.ts';
import { ntt } from '../../ring/arithmetic.ts';
import { basisOf } from '../../ring/basis.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import type { Store } from '../../store/store.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { secretName, type Seat } from './seat.ts';

/** Generation of a key share that no resharing has changed. */
export const FIRST_GENERATION = 0;

/**
 * This operator's shares of keys: kept in the store, the latest few in memory as well. Secret.
 *
 * The NTT form is not kept on disk, it follows from the coefficients.
 *
 * What is in memory stays there for weeks, and a bit that falls over in it would make every share wrong
 * that is signed from then on. So it is compared with its digest before each use.
 */
export class KeyShares {
  readonly #store: Store;
  readonly #recent = new Map<Hex, { readonly keyShare: KeyShare; readonly digest: string }>();
  readonly #maxRecent = 16;

  constructor(store: Store) {
    this.#store = store;
  }

  keep(keyId: Hex, { generation, coefficients }: KeyShare): void {
    const { buffer, byteOffset, byteLength } = coefficients;
    this.#store.secrets.put(
      secretName.keyShare(keyId, generation),
      new Uint8Array(buffer, byteOffset, byteLength),
    );
  }

  /**
   * The share of a key of the seat's epoch. An operator that was away while the key was generated
   * derives it now: it is a function of the set keys, like everything in the epoch.
   *
   * @throws OperatorError KEY_SHARE_DAMAGED, once: the next call takes it from the disk
   */
  get(seat: Seat, keyId: Hex, set: ParameterSet): KeyShare {
    const recent = this.#recent.get(keyId);
    if (recent !== undefined) {
      if (digestOf(recent.keyShare) === recent.digest) return recent.keyShare;
      this.#recent.delete(keyId);
      throw new OperatorError(
        OperatorErrorCode.KEY_SHARE_DAMAGED,
        'a share of a key has changed in memory: check this machine',
        { metadata: { keyId } },
      );
    }
    const kept = this.#store.secrets.get(secretName.keyShare(keyId, FIRST_GENERATION));
    let keyShare: KeyShare;
    if (kept === undefined) {
      keyShare = keyShareOf(seat.session, { keyId, set }, seat.randomness);
      this.keep(keyId, keyShare);
    } else {
      const coefficients = new BigUint64Array(Uint8Array.from(kept).buffer);
      keyShare = {
        generation: FIRST_GENERATION,
        coefficients,
        ntt: ntt(basisOf(set), coefficients),
      };
    }
    this.#recent.set(keyId, { keyShare, digest: digestOf(keyShare) });
    const oldest = this.#recent.keys().next().value;
    if (this.#recent.size > this.#maxRecent && oldest !== undefined) this.#recent.delete(oldest);
    return keyShare;
  }

  /** Erases a key's share from memory and disk. */
  erase(keyId: Hex): void {
    this.#recent.delete(keyId);
    this.#store.secrets.deleteAll(secretName.key(keyId));
  }
}

/** Secret: it confirms a guess of the share. */
function digestOf({ ntt: transformed, coefficients }: KeyShare): string {
  return createHash('sha256').update(transformed).update(coefficients).digest('base64');
}
