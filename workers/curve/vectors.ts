import { type CurveKernel, defaultCurveKernel } from '../kernels/curve.ts';
import { modInverse, modPow } from '../kernels/numbers.ts';
import { CurveError, CurveErrorCode } from './errors.ts';
import { SCALAR_BYTES } from './scalars.ts';

/** r, the order of the groups. */
export const groupOrder =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n;
/** r - 1 is divisible by 2^28; 5 generates the units. */
const GENERATOR = 5n;
const MOST_ROOTS = 2 ** 28;

/** The root of unity of an order that is a power of two up to 2^28: 5^((r-1)/order). */
export function rootOfUnity(order: number): bigint {
  return modPow(GENERATOR, (groupOrder - 1n) / BigInt(order), groupOrder);
}

/** x mod r as 32 bytes, little-endian. */
export function scalarBytes(x: bigint): Uint8Array {
  const bytes = new Uint8Array(SCALAR_BYTES);
  writeScalar(bytes, 0, x);
  return bytes;
}

/** Writes x mod r as scalar number `place` of a list. */
export function writeScalar(list: Uint8Array, place: number, x: bigint): void {
  const view = new DataView(list.buffer, list.byteOffset + SCALAR_BYTES * place, SCALAR_BYTES);
  let rest = ((x % groupOrder) + groupOrder) % groupOrder;
  for (let at = 0; at < SCALAR_BYTES; at += 8) {
    view.setBigUint64(at, rest & 0xffff_ffff_ffff_ffffn, true);
    rest >>= 64n;
  }
}

/** Scalar number `place` of a list. */
export function scalarAt(list: Uint8Array, place: number): bigint {
  const view = new DataView(list.buffer, list.byteOffset + SCALAR_BYTES * place, SCALAR_BYTES);
  let value = 0n;
  for (let at = SCALAR_BYTES - 8; at >= 0; at -= 8) {
    value = (value << 64n) | view.getBigUint64(at, true);
  }
  return value;
}

/** A vector of scalars in the kernel's memory. */
export interface Vector {
  readonly address: number;
  readonly length: number;
}

const PAIR_BYTES = 80;

/**
 * Vectors of scalars, of even length, for the time of one `withVectors`. Operations change their first
 * argument; all vectors of one operation have one length.
 */
export class Vectors {
  readonly #kernel: CurveKernel;
  readonly #tables = new Map<string, number>();

  constructor(kernel: CurveKernel) {
    this.#kernel = kernel;
  }

  /** From 32 bytes each, little-endian. */
  scalars(bytes: Uint8Array): Vector {
    const vector = this.#allocate(bytes.length / SCALAR_BYTES);
    this.#temporary((module) => {
      module.loadScalars(vector.address, this.#kernel.copyIn(bytes), vector.length);
    });
    return vector;
  }

  /** From integers of up to 2^51 in absolute value. */
  integers(values: Float64Array): Vector {
    const vector = this.#allocate(values.length);
    this.#temporary((module) => {
      module.loadIntegers(vector.address, this.#kernel.copyIn(bytesOf(values)), vector.length);
    });
    return vector;
  }

  zeros(length: number): Vector {
    return this.#allocate(length);
  }

  /** first·ratio^i */
  powers(length: number, first: bigint, ratio: bigint): Vector {
    const vector = this.#allocate(length);
    this.recur(vector, first, ratio);
    return vector;
  }

  copy(x: Vector): Vector {
    const vector = this.#allocate(x.length);
    this.add(vector, x);
    return vector;
  }

  /** 32 bytes each, canonical. */
  bytes({ address, length }: Vector): Uint8Array {
    return this.#temporary((module) => {
      const target = module.allocate(SCALAR_BYTES * length);
      module.storeScalars(target, address, length);
      return this.#kernel.copyOut(target, SCALAR_BYTES * length);
    });
  }

  /** x = x + y */
  add(x: Vector, y: Vector): void {
    this.#kernel.module.addVectors(x.address, y.address, same(x, y));
  }

  /** x = x + factor·y */
  addScaled(x: Vector, y: Vector, factor: bigint): void {
    this.#temporary((module) => {
      module.addScaledVector(x.address, y.address, this.#constant(factor), same(x, y));
    });
  }

  /** x = x + factor·y for integers of up to 2^51 in absolute value. */
  addScaledIntegers(x: Vector, y: Float64Array, factor: bigint): void {
    this.#temporary((module) => {
      const source = this.#kernel.copyIn(bytesOf(y));
      module.addScaledIntegers(x.address, source, this.#constant(factor), same(x, y));
    });
  }

  /** x[i] = x[i]·y[i] */
  multiply(x: Vector, y: Vector): void {
    this.#kernel.module.multiplyVectors(x.address, y.address, same(x, y));
  }

  /** x[i] = 1/x[i]; none may be zero. */
  invert(x: Vector): void {
    this.#kernel.module.invertVector(x.address, x.length);
  }

  /**
   * x[0] = start, x[i+1] = ratio·x[i] + g[i], written over g: powers, sums, values of polynomials and
   * quotients by linear ones.
   *
   * @returns x[n]
   */
  recur(g: Vector, start: bigint, ratio: bigint): bigint {
    return this.#temporary((module) => {
      const state = this.#constant(start);
      module.recur(g.address, state, this.#constant(ratio), g.length);
      const target = module.allocate(2 * SCALAR_BYTES);
      module.storeScalars(target, state, 2);
      return scalarAt(this.#kernel.copyOut(target, 2 * SCALAR_BYTES), 1);
    });
  }

  /** Σ x[i]; x becomes its sums. */
  sum(x: Vector): bigint {
    return this.recur(x, 0n, 1n);
  }

  /** Coefficients to values at the powers of the root of unity, in bit-reversed order. */
  forward(x: Vector): void {
    const table = this.#powersOf(rootOfUnity(x.length), x.length / 2);
    this.#kernel.module.forwardScalars(x.address, table, x.length);
  }

  /** The inverse of `forward`. */
  inverse(x: Vector): void {
    const table = this.#powersOf(modInverse(rootOfUnity(x.length), groupOrder), x.length / 2);
    this.#temporary((module) => {
      const scale = this.#constant(modInverse(BigInt(x.length), groupOrder));
      module.inverseScalars(x.address, table, scale, x.length);
    });
  }

  /** Gives back what `work` allocates. */
  scope<T>(work: () => T): T {
    const known = new Set(this.#tables.keys());
    return this.#temporary(() => {
      try {
        return work();
      } finally {
        for (const key of this.#tables.keys()) if (!known.has(key)) this.#tables.delete(key);
      }
    });
  }

  #powersOf(root: bigint, count: number): number {
    const key = `${root}/${count}`;
    let table = this.#tables.get(key);
    if (table === undefined) {
      const { module } = this.#kernel;
      table = module.allocate(PAIR_BYTES * count);
      this.#tables.set(key, table);
      const address = table;
      this.#temporary(() => module.rootPowers(address, this.#constant(root), count));
    }
    return table;
  }

  #constant(x: bigint): number {
    const { module } = this.#kernel;
    const address = module.allocate(PAIR_BYTES);
    module.loadConstant(address, this.#kernel.copyIn(scalarBytes(x)));
    return address;
  }

  #allocate(length: number): Vector {
    if (!Number.isInteger(length) || length < 2 || length % 2 !== 0 || length > MOST_ROOTS) {
      throw new CurveError(CurveErrorCode.LENGTH, 'a vector has an even number of scalars', {
        metadata: { length },
      });
    }
    return { address: this.#kernel.module.allocate((PAIR_BYTES * length) / 2), length };
  }

  #temporary<T>(work: (module: CurveKernel['module']) => T): T {
    return this.#kernel.run(work);
  }
}

/**
 * Computes with vectors of scalars on the calling thread; all memory is wiped afterwards. Some 30 ns per
 * product.
 */
export function withVectors<T>(work: (vectors: Vectors) => T): T {
  const kernel = defaultCurveKernel();
  return kernel.run(() => work(new Vectors(kernel)));
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function same(x: Vector, y: { readonly length: number }): number {
  if (x.length !== y.length) {
    throw new CurveError(CurveErrorCode.LENGTH, 'vectors of different lengths', {
      metadata: { x: x.length, y: y.length },
    });
  }
  return x.length;
}
