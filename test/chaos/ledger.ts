import type { Hex } from 'viem';

export const requestKinds = ['key', 'public', 'user'] as const;
export const registrationKinds = ['registration', 'computation'] as const;
export type RequestKind = (typeof requestKinds)[number];
export type Kind = RequestKind | (typeof registrationKinds)[number];

/**
 * What has become of something: requests end `answered`, `wrong` or `expired`, registrations `answered` or
 * `refused`. `unread`: it is answered on chain, and nobody serves yet what the answer is the digest of.
 */
export type State =
  | 'sending'
  | 'open'
  | 'unread'
  | 'answered'
  | 'wrong'
  | 'expired'
  | 'refused'
  /** The chain did not take it: no operator had to do with it. */
  | 'unsent';

/** Something that the load asks for, from the moment it begins to ask. */
export interface Item {
  readonly number: number;
  readonly kind: Kind;
  /** Ciphertexts that it is about. */
  readonly handles: readonly Hex[];
  /** Of a request, once it is known. */
  id: Hex | undefined;
  state: State;
  /** What went wrong, for people. */
  why: string | undefined;
  /** Operators that were afflicted at some time while it was open. */
  readonly afflicted: Set<number>;
  /** Those among them that lied. */
  readonly liars: Set<number>;
  /** The chain's clock was moved past its deadline. */
  isOverdue: boolean;
  /** Reads the answer. @returns whether it is right */
  check: () => Promise<boolean>;
  readonly begunMs: number;
  /** From the begin to the answer on chain. */
  tookMs: number | undefined;
}

export const isPending = ({ state }: Item): boolean => state === 'sending' || state === 'open';
export const isRequest = ({ kind }: Item): boolean =>
  (requestKinds as readonly string[]).includes(kind);

/** Whether the committee must answer it: no more than t have been in its way, and there was time. */
export const isOwed = ({ afflicted, isOverdue }: Item, t: number): boolean =>
  !isOverdue && afflicted.size <= t;

/** Whether it must be answered once everybody is back: only lies of more than t spoil an opening. */
export const isOwedOnceHealed = ({ liars, isOverdue }: Item, t: number): boolean =>
  !isOverdue && liars.size <= t;

/** Everything that was ever asked for, and which operators were afflicted meanwhile. */
export class Ledger {
  readonly #items: Item[] = [];
  readonly #afflicted = new Set<number>();
  readonly #liars = new Set<number>();
  /** Ciphertexts of requests that were open while somebody lied. */
  readonly #touched = new Set<Hex>();

  get items(): readonly Item[] {
    return this.#items;
  }

  open(kind: Kind, handles: readonly Hex[]): Item {
    const item: Item = {
      ...{ number: this.#items.length, kind, handles, id: undefined, state: 'sending' },
      ...{ why: undefined, isOverdue: false, tookMs: undefined, begunMs: performance.now() },
      ...{ afflicted: new Set(this.#afflicted), liars: new Set(this.#liars) },
      check: async () => false,
    };
    this.#items.push(item);
    this.#touch(item);
    return item;
  }

  pending(): Item[] {
    return this.#items.filter(isPending);
  }

  /** From now on an operator is afflicted, and perhaps lies. */
  afflict(operator: number, lies: boolean): void {
    this.#afflicted.add(operator);
    if (lies) this.#liars.add(operator);
    for (const item of this.pending()) {
      item.afflicted.add(operator);
      if (lies) item.liars.add(operator);
      this.#touch(item);
    }
  }

  /** No operator is afflicted any more. */
  relieve(): void {
    this.#afflicted.clear();
    this.#liars.clear();
  }

  /**
   * Whether a ciphertext may be asked for. A share is one of an opening, whatever request it is for: who has lied
   * about it once counts as corrupted for it for ever, so it is asked for no more.
   */
  isUntouched(handle: Hex): boolean {
    return !this.#touched.has(handle);
  }

  /** The clock goes past all deadlines. */
  passDeadlines(): void {
    for (const item of this.pending()) if (isRequest(item)) item.isOverdue = true;
  }

  #touch({ handles, liars, kind }: Item): void {
    if (liars.size > 0 && kind !== 'registration' && kind !== 'computation')
      for (const handle of handles) this.#touched.add(handle);
  }
}
