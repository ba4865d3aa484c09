import { KernelError, KernelErrorCode } from './errors.ts';
import { defaultKernels, type KernelPath, type Kernels } from './loader.ts';
import { modInverse } from './numbers.ts';

/** Primes from here on take the integer path, which ends at 2^61. */
export const FAST_LIMIT = 1n << 50n;
const INTEGER_LIMIT = 1n << 61n;
const TWO_64 = 1n << 64n;

/** Bytes of one encoded constant. */
export const CONSTANT_BYTES = 16;

/**
 * One prime modulus in kernel memory: which path serves it, its record, and how constants are
 * encoded for that path.
 */
export class PrimeField {
  readonly prime: bigint;
  readonly kernels: Kernels;
  readonly path: KernelPath;
  readonly fast: boolean;
  /** Address of the modulus record. */
  readonly record: number;
  readonly #inverses = new Map<bigint, bigint>();

  /**
   * @param prime an odd prime in (2^10, 2^61); primality is the caller's promise
   * @param fast whether the fast path may be taken, where kernels and prime allow it
   */
  constructor(prime: bigint, kernels: Kernels, fast: boolean) {
    if (prime < 1024n || prime >= INTEGER_LIMIT || (prime & 1n) === 0n) {
      throw new KernelError(KernelErrorCode.MODULUS_UNSUPPORTED, 'modulus outside (2^10, 2^61)', {
        metadata: { prime },
      });
    }
    this.prime = prime;
    this.kernels = kernels;
    this.path = (fast && prime < FAST_LIMIT ? kernels.fast : undefined) ?? kernels.integer;
    this.fast = this.path !== kernels.integer;
    this.record = kernels.arena.allocate(32);
    if (this.fast) {
      const record = [Number(prime), 1 / Number(prime), 1.5 * 2 ** 52, 2 ** 52];
      kernels.arena.f64(this.record, 4).set(record);
    } else {
      const negatedInverse = TWO_64 - inverseModulo64(prime);
      const record = [prime, negatedInverse, (TWO_64 * TWO_64) % prime, TWO_64 / prime];
      kernels.arena.u64(this.record, 4).set(record);
    }
  }

  /**
   * Writes constants in [0, p) to `address`, the two numbers of constant i at
   * `address + i·stride` and `stride2` bytes after that.
   *
   * Integer path: w and floor(w·2^64/p) (Shoup). Fast path: the representative w of least absolute
   * value and the double nearest to w/p.
   */
  encode(address: number, values: readonly bigint[], stride = CONSTANT_BYTES, stride2 = 8): void {
    const { arena } = this.kernels;
    const view = new DataView(arena.memory.buffer);
    values.forEach((value, i) => {
      const first = address + i * stride;
      if (this.fast) {
        const centred = Number(2n * value > this.prime ? value - this.prime : value);
        view.setFloat64(first, centred, true);
        view.setFloat64(first + stride2, centred / Number(this.prime), true);
      } else {
        view.setBigUint64(first, value, true);
        view.setBigUint64(first + stride2, (value * TWO_64) / this.prime, true);
      }
    });
  }

  /** Constants in scratch memory, one after the other. */
  constants(values: readonly bigint[]): number {
    const address = this.kernels.arena.scratch(values.length * CONSTANT_BYTES);
    this.encode(address, values);
    return address;
  }

  /** Encoded inverse of another prime, in scratch memory. */
  inverseOf(other: bigint): number {
    let inverse = this.#inverses.get(other);
    if (inverse === undefined) {
      inverse = modInverse(other, this.prime);
      this.#inverses.set(other, inverse);
    }
    return this.constants([inverse]);
  }

  /**
   * Copies `length` residues of `source` from `offset` on into scratch memory, in canonical form.
   *
   * @throws KernelError RESIDUE_OUT_OF_RANGE unless every residue is below the prime
   */
  copyIn(source: BigUint64Array, offset: number, length: number): number {
    const { arena, integer } = this.kernels;
    const address = arena.scratch(length * 8);
    const block = arena.u64(address, length + 1);
    block.set(source.subarray(offset, offset + length));
    block[length] = 0n;
    if (integer.isCanonical(address, length, this.prime) === 0) {
      throw new KernelError(KernelErrorCode.RESIDUE_OUT_OF_RANGE, 'residue not below its prime', {
        metadata: { prime: this.prime },
      });
    }
    return address;
  }

  /** `copyIn`, then into resident form in place. */
  copyInResident(source: BigUint64Array, offset: number, length: number): number {
    const address = this.copyIn(source, offset, length);
    this.path.toResident(address, address, length, this.record);
    return address;
  }

  /** Copies canonical residues from `address` to `target` from `offset` on. */
  copyOut(address: number, target: BigUint64Array, offset: number, length: number): void {
    target.set(this.kernels.arena.u64(address, length), offset);
  }
}

/** value^-1 mod 2^64 of an odd value, by Newton's iteration: each step doubles the correct bits. */
function inverseModulo64(value: bigint): bigint {
  let inverse = value;
  for (let bits = 3; bits < 64; bits *= 2) {
    inverse = BigInt.asUintN(64, inverse * (2n - value * inverse));
  }
  return inverse;
}

const fields = new WeakMap<Kernels, Map<string, PrimeField>>();

/** The field of a prime, made once per kernels and path. Parameters as PrimeField's. */
export function fieldOf(
  prime: bigint,
  kernels: Kernels = defaultKernels(),
  fast = true,
): PrimeField {
  let known = fields.get(kernels);
  if (known === undefined) fields.set(kernels, (known = new Map<string, PrimeField>()));
  const key = `${prime}/${fast}`;
  let field = known.get(key);
  if (field === undefined) known.set(key, (field = new PrimeField(prime, kernels, fast)));
  return field;
}
