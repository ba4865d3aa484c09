import { KernelError, KernelErrorCode } from './errors.ts';
import type { PrimeField } from './field.ts';

/** Largest magnitudes that a sum may reach before it is reduced (docs/arithmetic.md, "Sums"). */
const FAST_CAPACITY = 2 ** 53;
const INTEGER_CAPACITY = 2 ** 63;
const MAX_WORDS = 12;

/**
 * A vector of sums modulo one prime, held unreduced in kernel memory. Every addition states how far
 * it can move a sum; the vector is reduced when the next one might leave the exact range.
 */
export class Sum {
  readonly field: PrimeField;
  readonly #address: number;
  readonly #length: number;
  #bound = 0;

  /** @param address a zeroed block of `length` u64, which the caller owns */
  constructor(field: PrimeField, address: number, length: number) {
    this.field = field;
    this.#address = address;
    this.#length = length + (length & 1);
  }

  /** Adds x·scalar; x canonical. */
  addScaled(x: number, scalar: bigint): void {
    const { arena } = this.field.kernels;
    const mark = arena.mark();
    try {
      this.#reserve(this.#product());
      const c = this.field.constants([scalar]);
      this.field.path.addScaled(this.#address, x, this.#length, c, this.field.record);
    } finally {
      arena.release(mark);
    }
  }

  /** Adds x·scalar; x as `ternary` or `binomial` of this field's path left it. */
  addSmall(x: number, scalar: bigint): void {
    const { arena } = this.field.kernels;
    const mark = arena.mark();
    try {
      this.#reserve(this.#product());
      const c = this.field.constants([scalar]);
      this.field.path.addSmall(this.#address, x, this.#length, c, this.field.record);
    } finally {
      arena.release(mark);
    }
  }

  /**
   * Adds (x - offset)·scalar, where x is the integer of `bits` low bits of ⌈bits/32⌉ little-endian
   * 32-bit words per coefficient at `bytes`.
   */
  addWords(bytes: number, bits: number, offset: bigint, scalar: bigint): void {
    const { fast, prime, kernels, path, record } = this.field;
    const words = Math.ceil(bits / 32);
    if (words < 1 || words > MAX_WORDS) {
      throw new KernelError(KernelErrorCode.ARGUMENT_OUT_OF_RANGE, 'too many words', {
        metadata: { bits },
      });
    }
    const mark = kernels.arena.mark();
    try {
      // Words are so short that their products hardly exceed p/2.
      this.#reserve(fast ? 0.51 * (words + 1) * Number(prime) : this.#product());
      const weights = Array.from(
        { length: words },
        (_, k) => (((scalar << BigInt(32 * k)) % prime) + prime) % prime,
      );
      const shift = (((-offset * scalar) % prime) + prime) % prime;
      const mask = 0xffff_ffff >>> (32 * words - bits);
      const c = this.field.constants([...weights, shift]);
      path.addWords(this.#address, bytes, this.#length, words, mask, c, record);
    } finally {
      kernels.arena.release(mark);
    }
  }

  /** Writes the canonical sums to `target` from `offset` on. The sum stays valid. */
  copyOut(target: BigUint64Array, offset: number, length: number): void {
    const { path, record, kernels } = this.field;
    const mark = kernels.arena.mark();
    try {
      this.#reduce();
      const canonical = kernels.arena.scratch(8 * this.#length);
      path.toCanonical(canonical, this.#address, this.#length, record);
      this.field.copyOut(canonical, target, offset, length);
    } finally {
      kernels.arena.release(mark);
    }
  }

  #product(): number {
    return (this.field.fast ? 1 : 2) * Number(this.field.prime);
  }

  #reserve(growth: number): void {
    const capacity = this.field.fast ? FAST_CAPACITY : INTEGER_CAPACITY;
    if (this.#bound + growth > capacity) this.#reduce();
    this.#bound += growth;
  }

  #reduce(): void {
    this.field.path.reduce(this.#address, this.#length, this.field.record);
    this.#bound = Number(this.field.prime);
  }
}
