/** For how long transactions have waited for a block, and which of them are to be replaced. Not durable. */
export class Patience {
  readonly #bumpAfterMs: number;
  readonly #waits = new Map<
    number,
    { readonly seenAt: number; since: number; height: bigint; isOver: boolean }
  >();

  /** @param bumpAfterMs after which a transaction is replaced that blocks have passed over */
  constructor(bumpAfterMs: number) {
    this.#bumpAfterMs = bumpAfterMs;
  }

  /** Begins to wait, or begins again: it was signed for just now, or is seen the first time. */
  begin(nonce: number, height: bigint): void {
    const now = performance.now();
    const seenAt = this.#waits.get(nonce)?.seenAt ?? now;
    this.#waits.set(nonce, { seenAt, since: now, height, isOver: false });
  }

  /** Has a nonce replaced at the next look: nobody wants what it does, or no mempool takes it. */
  end(nonce: number): void {
    if (!this.#waits.has(nonce)) this.begin(nonce, 0n);
    this.#waits.get(nonce)!.isOver = true;
  }

  /** Whether it has waited long enough. Where no block is made, a higher fee makes none either. */
  isOver(nonce: number, height: bigint): boolean {
    const wait = this.#waits.get(nonce);
    if (wait === undefined) this.begin(nonce, height);
    else if (wait.isOver) return true;
    else return performance.now() - wait.since >= this.#bumpAfterMs && height > wait.height;
    return false;
  }

  forget(nonce: number): void {
    this.#waits.delete(nonce);
  }

  /** Age of the nonce that has waited longest, replacements included; 0 if there is none. */
  get longestMs(): number {
    const seen = [...this.#waits.values()].map(({ seenAt }) => seenAt);
    return seen.length === 0 ? 0 : performance.now() - Math.min(...seen);
  }
}
