import { KernelError, KernelErrorCode } from './errors.ts';
import type { PrimeField } from './field.ts';
import { modInverse, reverseBits, smallestPrimitiveRoot } from './numbers.ts';

/**
 * Tables of the negacyclic number-theoretic transform of length N modulo one prime.
 *
 * With ψ the smallest primitive 2N-th root of unity and rev the reversal of log2(N) bits:
 * forward table [i] = ψ^rev(i); inverse table [i] = ψ^-rev(i), except that [0] = 1/N and
 * [1] = ψ^-rev(1) / N, so that the last layer of the inverse scales as it goes.
 */
export class Transform {
  readonly field: PrimeField;
  readonly degree: number;
  readonly #forward: number;
  readonly #inverse: number;
  readonly #forwardLazy: number;
  readonly #inverseLazy: number;

  /** @throws KernelError DEGREE_UNSUPPORTED */
  constructor(field: PrimeField, degree: number) {
    const { prime, kernels } = field;
    const logarithm = Math.log2(degree);
    const valid = Number.isInteger(logarithm) && degree >= 16 && degree <= 32_768;
    const root = valid ? smallestPrimitiveRoot(2 * degree, prime) : undefined;
    if (root === undefined) {
      throw new KernelError(KernelErrorCode.DEGREE_UNSUPPORTED, 'no transform of this length', {
        metadata: { degree, prime },
      });
    }
    this.field = field;
    this.degree = degree;
    const powers = bitReversedPowers(root, degree, prime);
    const inverses = bitReversedPowers(modInverse(root, prime), degree, prime);
    const scale = modInverse(BigInt(degree), prime);
    inverses[0] = scale;
    inverses[1] = (inverses[1] * scale) % prime;
    this.#forward = kernels.arena.allocate(16 * degree);
    this.#inverse = kernels.arena.allocate(16 * degree);
    field.encode(this.#forward, powers, 8, 8 * degree);
    field.encode(this.#inverse, inverses, 8, 8 * degree);
    this.#forwardLazy = forwardLayers(prime);
    this.#inverseLazy = inverseLayers(prime);
  }

  /** In place: resident coefficients at `address` to resident NTT form. */
  forward(address: number): void {
    const { path, record } = this.field;
    path.forward(address, this.degree, this.#forward, record, this.#forwardLazy);
  }

  /** In place: resident NTT form at `address` to resident coefficients. */
  inverse(address: number): void {
    const { path, record } = this.field;
    path.inverse(address, this.degree, this.#inverse, record, this.#inverseLazy);
  }
}

/** [i] = root^rev(i). */
function bitReversedPowers(root: bigint, degree: number, prime: bigint): bigint[] {
  const powers = new Array<bigint>(degree);
  const bits = Math.log2(degree);
  let power = 1n;
  for (let i = 0; i < degree; i++) {
    powers[reverseBits(i, bits)] = power;
    power = (power * root) % prime;
  }
  return powers;
}

/** Magnitudes must stay within 2^52 for the fast path's products to be exact (docs/arithmetic.md). */
const MAGNITUDE = 1n << 52n;

/** Layers of the fast forward transform that may follow each other without reduction. */
export function forwardLayers(prime: bigint): number {
  let bound = prime;
  let layers = -1;
  while (bound <= MAGNITUDE && layers < 16) {
    // A layer adds a product: at most p/2, and the error of its rounded quotient.
    bound += prime / 2n + ((prime * bound) >> 53n) + 2n;
    layers++;
  }
  return layers;
}

/** The same for the inverse transform, whose layers double the bound. */
export function inverseLayers(prime: bigint): number {
  let layers = 0;
  while (prime << BigInt(layers + 1) <= MAGNITUDE) layers++;
  return layers;
}

const transforms = new WeakMap<PrimeField, Map<number, Transform>>();

/** The transform of a field and length, made once. */
export function transformOf(field: PrimeField, degree: number): Transform {
  let known = transforms.get(field);
  if (known === undefined) transforms.set(field, (known = new Map<number, Transform>()));
  let transform = known.get(degree);
  if (transform === undefined) known.set(degree, (transform = new Transform(field, degree)));
  return transform;
}
