import { createHash } from 'node:crypto';
import type { Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { keyShareOf } from '../../protocols/key-generation.ts';
import type { KeyShare } from '../../protocols/opening.ts';
import { ntt } from '../../ring/arithmetic.ts';
import { basisOf } from '../../ring/basis.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import { StoreErrorCode } from '../../store/errors.ts';
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
  /** Keys whose shares on the disk have been compared with what the set keys say. */
  readonly #checked = new Set<Hex>();

  constructor(store: Store) {
    this.#store = store;
  }

  keep(keyId: Hex, keyShare: KeyShare): void {
    const name = secretName.keyShare(keyId, keyShare.generation);
    this.#store.secrets.put(name, bytesOf(keyShare));
  }

  /**
   * The share of a key of the seat's epoch. An operator that was away while the key was generated
   * derives it now: it is a function of the set keys, like everything in the epoch. What comes from the
   * disk is compared with that, the first time in a process.
   *
   * @throws OperatorError KEY_SHARE_DAMAGED: of what is in memory, once, the next call takes it from the
   *   disk; of what is on the disk, always
   */
  get(seat: Seat, keyId: Hex, set: ParameterSet): KeyShare {
    const recent = this.#recent.get(keyId);
    if (recent !== undefined) {
      if (digestOf(recent.keyShare) === recent.digest) return recent.keyShare;
      this.#recent.delete(keyId);
      throw damaged(keyId, 'has changed in memory: check this machine');
    }
    const kept = this.#kept(keyId);
    let keyShare: KeyShare;
    if (kept !== undefined && this.#checked.has(keyId)) {
      const coefficients = new BigUint64Array(Uint8Array.from(kept).buffer);
      const transformed = ntt(basisOf(set), coefficients);
      keyShare = { generation: FIRST_GENERATION, coefficients, ntt: transformed };
    } else {
      keyShare = keyShareOf(seat.session, { keyId, set }, seat.randomness);
      if (kept === undefined) this.keep(keyId, keyShare);
      else if (!bytesOf(keyShare).equals(kept)) throw damaged(keyId, differs);
    }
    this.#checked.add(keyId);
    this.#recent.set(keyId, { keyShare, digest: digestOf(keyShare) });
    const oldest = this.#recent.keys().next().value;
    if (this.#recent.size > this.#maxRecent && oldest !== undefined) this.#recent.delete(oldest);
    return keyShare;
  }

  /** True if a share of the key is on the disk. */
  isKept(keyId: Hex): boolean {
    return this.#store.secrets.has(secretName.keyShare(keyId, FIRST_GENERATION));
  }

  #kept(keyId: Hex): Uint8Array | undefined {
    try {
      return this.#store.secrets.get(secretName.keyShare(keyId, FIRST_GENERATION));
    } catch (error) {
      if (isKeyloomError(error, StoreErrorCode.SECRET_CORRUPT))
        throw damaged(keyId, differs, error);
      throw error;
    }
  }

  /** Erases a key's share from memory and disk. */
  erase(keyId: Hex): void {
    this.#recent.delete(keyId);
    this.#checked.delete(keyId);
    this.#store.secrets.deleteAll(secretName.key(keyId));
  }
}

const differs = 'is not the one that follows from the set keys: restore the data directory';

const damaged = (keyId: Hex, why: string, cause?: unknown): OperatorError =>
  new OperatorError(OperatorErrorCode.KEY_SHARE_DAMAGED, `a share of a key ${why}`, {
    metadata: { keyId },
    cause,
  });

/** As it is kept. Secret. */
function bytesOf({ coefficients }: KeyShare): Buffer {
  const { buffer, byteOffset, byteLength } = coefficients;
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Secret: it confirms a guess of the share. */
function digestOf({ ntt: transformed, coefficients }: KeyShare): string {
  return createHash('sha256').update(transformed).update(coefficients).digest('base64');
}
