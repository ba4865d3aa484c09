import type { Hex } from 'viem';
import { Accumulator, uniformBytes } from '../ring/accumulator.ts';
import type { RnsVector } from '../ring/basis.ts';
import { bytes32 } from './bytes.ts';
import { setsContaining } from './committee.ts';
import type { Committee } from './committee.ts';
import { SharingError, SharingErrorCode } from './errors.ts';
import { SetKey, keyLength, selectPositions, streamAt, streamStart } from './expander.ts';
import { setPolynomialAt } from './shamir.ts';

/** How each set's summand of a shared value is distributed. Byte definitions: docs/formats.md. */
export type Distribution =
  | { readonly kind: 'ternary' }
  | { readonly kind: 'binomial' }
  /** Uniform in [-2^bits, 2^bits). */
  | { readonly kind: 'uniform'; readonly bits: number };

/** A polynomial that the operators share without talking, and how much of it is wanted. */
export interface SharedItem {
  readonly primes: readonly bigint[];
  /** Coefficients of the whole polynomial. */
  readonly degree: number;
  readonly itemId: Hex;
  readonly distribution: Distribution;
  /** Coefficients wanted, in the order wanted; absent for all. */
  readonly positions?: Uint32Array;
}

/**
 * One operator's pseudorandom secret sharing for one epoch.
 *
 * Source: R. Cramer, I. Damgård, Y. Ishai, Share conversion, pseudorandom secret-sharing and
 * applications to secure computation (TCC 2005). Why it is safe: docs/sharing.md.
 *
 * Secret: the set keys, hence everything in here. Private fields keep it out of logs.
 */
export class SharedRandomness {
  readonly #committee: Committee;
  readonly #index: number;
  readonly #sets: readonly { readonly number: number; readonly key: SetKey }[];
  /** f_A(index) of every set above, per prime. */
  readonly #scalars = new Map<bigint, readonly bigint[]>();
  #erased = false;

  /**
   * @param index this operator's
   * @param setKeys K_A of exactly the sets the operator is a member of, 32 bytes each; copied
   * @throws SharingError INDEX_OUT_OF_RANGE, SET_KEYS_INVALID
   */
  constructor(committee: Committee, index: number, setKeys: ReadonlyMap<number, Uint8Array>) {
    const numbers = setsContaining(committee, index);
    const complete = numbers.every((number) => setKeys.get(number)?.length === keyLength);
    if (!complete || setKeys.size !== numbers.length) {
      throw new SharingError(
        SharingErrorCode.SET_KEYS_INVALID,
        'an operator needs the 32-byte keys of its own sets, of all of them and no others',
        { metadata: { index, keys: setKeys.size, sets: numbers.length } },
      );
    }
    this.#committee = committee;
    this.#index = index;
    this.#sets = numbers.map((number) => ({ number, key: new SetKey(setKeys.get(number)!) }));
  }

  /**
   * This operator's share of an item's polynomial, in coefficient form: Σ_{A ∋ i} r_A·f_A(i).
   *
   * The shared value is Σ_A r_A, so |value| is at most C(n,t) times the distribution's bound. Asked
   * again for the same item the share is the same, and at `positions` it is what the whole share
   * has there: a subset of coefficients never gets fresh noise.
   *
   * Secret: the result. All work is the same for all keys: no branch or lookup depends on a stream.
   *
   * @throws SharingError LENGTH_INVALID for an item id, POSITIONS_INVALID, SET_KEYS_ERASED;
   * RingError for a distribution the ring does not have
   */
  share(item: SharedItem): RnsVector {
    if (this.#erased) {
      throw new SharingError(SharingErrorCode.SET_KEYS_ERASED, 'the set keys have been erased');
    }
    const { primes, degree, distribution, positions } = item;
    if (positions !== undefined) assertPositions(positions, degree);
    const id = bytes32(item.itemId);
    const width = bytesPerCoefficient(distribution);
    const selection = positions === undefined ? undefined : selectPositions(positions, width);
    const accumulator = new Accumulator(primes, positions?.length ?? degree);
    const scalars = primes.map((prime) => this.#scalarsModulo(prime));

    this.#sets.forEach(({ key }, place) => {
      const streamKey = key.streamKey(id);
      const bytes =
        selection === undefined
          ? streamStart(streamKey, degree * width)
          : streamAt(streamKey, selection);
      const factors = scalars.map((values) => values[place]);
      switch (distribution.kind) {
        case 'ternary':
          accumulator.addTernary(bytes, factors);
          break;
        case 'binomial':
          accumulator.addBinomial(bytes, factors);
          break;
        case 'uniform':
          accumulator.addUniform(bytes, distribution.bits, factors);
          break;
      }
    });
    return accumulator.value();
  }

  /** Overwrites the set keys; to be called when the epoch has ended. Nothing can be shared after. */
  erase(): void {
    for (const { key } of this.#sets) key.erase();
    this.#erased = true;
  }

  #scalarsModulo(prime: bigint): readonly bigint[] {
    let scalars = this.#scalars.get(prime);
    if (scalars === undefined) {
      scalars = this.#sets.map(({ number }) =>
        setPolynomialAt(this.#committee, number, this.#index, prime),
      );
      this.#scalars.set(prime, scalars);
    }
    return scalars;
  }
}

/** Bytes of a stream that one coefficient reads. */
function bytesPerCoefficient(distribution: Distribution): number {
  switch (distribution.kind) {
    case 'ternary':
      return 8;
    case 'binomial':
      return 6;
    case 'uniform':
      return uniformBytes(distribution.bits);
  }
}

function assertPositions(positions: Uint32Array, degree: number): void {
  if (positions.length === 0 || positions.some((position) => position >= degree)) {
    throw new SharingError(
      SharingErrorCode.POSITIONS_INVALID,
      'positions are coefficients of the ring, at least one',
      { metadata: { positions: positions.length, degree } },
    );
  }
}
