import { fieldOf } from '../kernels/field.ts';
import { defaultKernels, type Kernels } from '../kernels/loader.ts';
import { Sum } from '../kernels/sum.ts';
import type { RnsVector } from './basis.ts';
import { requireScalar } from './combination.ts';
import { RingError, RingErrorCode } from './errors.ts';

const TERNARY_BYTES = 8;
const BINOMIAL_BYTES = 6;
/** Largest B of the uniform distribution: 12 words of 32 bits. */
const MAX_UNIFORM_BITS = 383;

/** Bytes per coefficient of the uniform distribution in [-2^B, 2^B). */
export function uniformBytes(bits: number): number {
  return 4 * Math.ceil((bits + 1) / 32);
}

/** Gives the kernel memory of accumulators back that were dropped without `value`. */
const abandoned = new FinalizationRegistry<() => void>((free) => free());

/**
 * Σ scalar·x over many pseudorandom vectors x, modulo several primes at once. The x are read from
 * byte streams as docs/formats.md ("Expander") defines; sums stay unreduced in kernel memory until
 * `value`. Streams and sums are secret; scalars, widths and distributions are public.
 */
export class Accumulator {
  readonly width: number;
  readonly #primes: readonly bigint[];
  readonly #kernels: Kernels;
  /** Undefined once `value` has been taken. */
  #sums: readonly Sum[] | undefined;
  readonly #free: () => void;

  /**
   * @param primes one limb each
   * @param width coefficients per limb, at least 1
   */
  constructor(primes: readonly bigint[], width: number, kernels: Kernels = defaultKernels()) {
    if (!Number.isInteger(width) || width < 1) {
      throw new RingError(RingErrorCode.LENGTH_MISMATCH, 'width must be positive', {
        metadata: { width },
      });
    }
    this.width = width;
    this.#primes = primes;
    this.#kernels = kernels;
    const { arena } = kernels;
    const fields = primes.map((prime) => fieldOf(prime, kernels));
    // Sums work on pairs of coefficients.
    const stride = 16 * Math.ceil(width / 2);
    const size = stride * primes.length;
    const address = arena.allocate(size);
    this.#sums = fields.map((field, limb) => new Sum(field, address + limb * stride, width));
    this.#free = () => arena.free(address, size);
    abandoned.register(this, this.#free, this);
  }

  /**
   * Adds the ternary vector of 8 bytes per coefficient, times one scalar per limb.
   *
   * @throws RingError LENGTH_MISMATCH, SCALAR_OUT_OF_RANGE, ACCUMULATOR_ENDED
   */
  addTernary(bytes: Uint8Array, scalars: readonly bigint[]): void {
    this.#addSmall('ternary', bytes, TERNARY_BYTES, scalars);
  }

  /** Adds the centred binomial vector (η = 21) of 6 bytes per coefficient. Errors as `addTernary`. */
  addBinomial(bytes: Uint8Array, scalars: readonly bigint[]): void {
    this.#addSmall('binomial', bytes, BINOMIAL_BYTES, scalars);
  }

  /**
   * Adds the vector uniform in [-2^B, 2^B) of `uniformBytes(B)` bytes per coefficient.
   *
   * @param bits B, from 0 to 383
   * @throws as `addTernary`
   */
  addUniform(bytes: Uint8Array, bits: number, scalars: readonly bigint[]): void {
    if (!Number.isInteger(bits) || bits < 0 || bits > MAX_UNIFORM_BITS) {
      throw new RingError(RingErrorCode.SCALAR_OUT_OF_RANGE, 'B outside [0, 383]', {
        metadata: { bits },
      });
    }
    this.#withBytes(bytes, uniformBytes(bits), scalars, (address, sums) => {
      sums.forEach((sum, limb) => {
        sum.addWords(address, bits + 1, 1n << BigInt(bits), scalars[limb]);
      });
    });
  }

  /** Adds 128-bit integers, 16 bytes per coefficient: the public uniform polynomials. */
  addWide(bytes: Uint8Array, scalars: readonly bigint[]): void {
    this.#withBytes(bytes, 16, scalars, (address, sums) => {
      sums.forEach((sum, limb) => sum.addWords(address, 128, 0n, scalars[limb]));
    });
  }

  /**
   * The sums as canonical residues. Ends the accumulator: its kernel memory is given back.
   *
   * @throws RingError ACCUMULATOR_ENDED
   */
  value(): RnsVector {
    const sums = this.#open();
    const out: RnsVector = new BigUint64Array(this.#primes.length * this.width);
    sums.forEach((sum, limb) => sum.copyOut(out, limb * this.width, this.width));
    this.#sums = undefined;
    abandoned.unregister(this);
    this.#free();
    return out;
  }

  #open(): readonly Sum[] {
    if (this.#sums === undefined) {
      throw new RingError(RingErrorCode.ACCUMULATOR_ENDED, 'the value has already been taken');
    }
    return this.#sums;
  }

  #addSmall(
    kind: 'ternary' | 'binomial',
    bytes: Uint8Array,
    bytesEach: number,
    scalars: readonly bigint[],
  ): void {
    this.#withBytes(bytes, bytesEach, scalars, (address, sums) => {
      const length = this.width + (this.width & 1);
      const small = this.#kernels.arena.scratch(8 * length);
      let expanded: unknown;
      sums.forEach((sum, limb) => {
        const { path } = sum.field;
        // Limbs of the other path need the other representation.
        if (path !== expanded) path[kind](small, address, length);
        expanded = path;
        sum.addSmall(small, scalars[limb]);
      });
    });
  }

  #withBytes(
    bytes: Uint8Array,
    bytesEach: number,
    scalars: readonly bigint[],
    step: (address: number, sums: readonly Sum[]) => void,
  ): void {
    const sums = this.#open();
    if (bytes.length !== bytesEach * this.width || scalars.length !== this.#primes.length) {
      throw new RingError(RingErrorCode.LENGTH_MISMATCH, 'bytes or scalars of another shape', {
        metadata: { expected: bytesEach * this.width, actual: bytes.length },
      });
    }
    this.#primes.forEach((prime, limb) => requireScalar(scalars[limb], prime));
    const { arena } = this.#kernels;
    const mark = arena.mark();
    try {
      // Room for the pair that an odd width is rounded up to.
      const address = arena.scratch(bytesEach * (this.width + 1));
      arena.bytes(address, bytes.length).set(bytes);
      step(address, sums);
    } finally {
      arena.release(mark);
    }
  }
}
