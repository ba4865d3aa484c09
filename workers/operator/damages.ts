import type { Log } from './log.ts';

/** What was found not to be what the chain, or its own digest, says. */
export const DamageCode = {
  /** Seeds or set keys of an epoch are not those behind the roots on chain: it is not served. */
  SET_KEYS_DAMAGED: 'SET_KEYS_DAMAGED',
  /** A share of a key is not the one that follows from the set keys: that key is not served. */
  KEY_SHARE_DAMAGED: 'KEY_SHARE_DAMAGED',
  /** A result was recorded that is not the one this operator signed, if its journal is as it was written. */
  RESULT_DIFFERS: 'RESULT_DIFFERS',
  /** The journal of shares is not as it was written: nothing is signed. */
  JOURNAL_DAMAGED: 'JOURNAL_DAMAGED',
} as const;

export type DamageCode = (typeof DamageCode)[keyof typeof DamageCode];

/** One of them, and where it is: a name in the data directory, for people. */
export interface Damage {
  readonly code: DamageCode;
  readonly what: string;
}

const remedies: Readonly<Record<DamageCode, string>> = {
  SET_KEYS_DAMAGED: 'this epoch is not served: restore the data directory from a backup',
  KEY_SHARE_DAMAGED: 'this key is not served: restore the data directory from a backup',
  RESULT_DIFFERS: 'check this machine, and restore the data directory from a backup',
  JOURNAL_DAMAGED: 'nothing is signed any more: restore the data directory from a backup',
};

/** Most that are kept: of a disk that fails there may be any number. */
const MOST = 64;

/** What is damaged in the data directory; each is logged once, and told in health reports. */
export class Damages {
  readonly #log: Log;
  readonly #found = new Map<string, Damage>();

  constructor(log: Log) {
    this.#log = log;
  }

  report(code: DamageCode, what: string, cause?: unknown): void {
    const key = `${code}/${what}`;
    if (this.#found.has(key) || this.#found.size >= MOST) return;
    this.#found.set(key, { code, what });
    this.#log.error({ code, what, ...(cause !== undefined && { err: cause }) }, remedies[code]);
  }

  list(): Damage[] {
    return [...this.#found.values()];
  }

  /** True if it is not known any more what was signed: another signature might be the second one. */
  get isSigningUnsafe(): boolean {
    return this.list().some(({ code }) => code === DamageCode.JOURNAL_DAMAGED);
  }
}
