import { linearCombination } from '../ring/arithmetic.ts';
import { isCanonical } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import { assertIndex, subsets } from './committee.ts';
import type { Committee } from './committee.ts';
import { SharingError, SharingErrorCode } from './errors.ts';
import { lagrangeCoefficients } from './shamir.ts';

/** What a share of an opening looks like: the one thing a receiver knows before it receives. */
export interface OpeningShape {
  /** Modulus of each limb. */
  readonly primes: readonly bigint[];
  /** Residues per limb: the ring's degree, or the number of positions. */
  readonly width: number;
  /** Polynomials opened together; a share has them one after the other, each limb-major. */
  readonly polynomials: number;
}

/** A value that at least 2t+1 shares support. */
export interface OpenedValue {
  /** The shared value, in the layout of a share. */
  readonly value: RnsVector;
  /** Operators whose whole share lies on the polynomial, ascending; at least 2t+1. */
  readonly agreeing: number[];
  /** Operators that gave a share that does not, or that is malformed, ascending. */
  readonly faulty: number[];
}

/**
 * Residues of a share.
 *
 * @throws SharingError SHAPE_INVALID for a shape without residues or with a fractional size
 */
export function shareLength(shape: OpeningShape): number {
  const { primes, width, polynomials } = shape;
  if (![primes.length, width, polynomials].every((size) => Number.isInteger(size) && size > 0)) {
    throw new SharingError(SharingErrorCode.SHAPE_INVALID, 'an opening has at least one residue', {
      metadata: { limbs: primes.length, width, polynomials },
    });
  }
  return primes.length * width * polynomials;
}

/**
 * Opens a sharing although up to t of the shares may be anything.
 *
 * At every residue the honest shares lie on a polynomial of degree t. Any 2t+1 shares that do hold
 * at least t+1 honest ones, so there is one such polynomial at most: what is returned does not
 * depend on which shares came first, and never is a value that 2t+1 operators do not stand behind.
 * This is decoding of a Reed-Solomon code; n is at most 13, so where shares disagree the search is
 * exhaustive at a single residue and everything else is done on whole vectors.
 *
 * Source: R. McEliece, D. Sarwate, On sharing secrets and Reed-Solomon codes (1981).
 *
 * @param shares by operator index, as received; not mutated. Residues in coefficient or NTT form
 * @throws SharingError TOO_FEW_AGREEING if no 2t+1 of them agree; that accuses nobody, more shares
 * may come. INDEX_OUT_OF_RANGE, SHAPE_INVALID
 */
export function openRobustly(
  committee: Committee,
  shape: OpeningShape,
  shares: ReadonlyMap<number, RnsVector>,
): OpenedValue {
  for (const index of shares.keys()) assertIndex(committee, index);
  const received = [...shares.keys()].sort((a, b) => a - b);
  const share = (index: number): RnsVector => shares.get(index)!;

  let candidates = received.filter((index) => isWellFormed(shape, share(index)));
  /** Candidates known to lie on one polynomial of degree t. */
  let verified: number[] = [];
  while (candidates.length >= committee.quorum) {
    verified = verified.filter((index) => candidates.includes(index));
    if (verified.length <= committee.t) verified = candidates.slice(0, committee.t + 1);
    const basis = verified.slice(0, committee.t + 1);

    let disputed: number | undefined;
    for (const index of candidates) {
      if (verified.includes(index)) continue;
      const predicted = evaluate(committee, shape, basis, shares, index);
      disputed = firstDifference(predicted, share(index));
      if (disputed !== undefined) break;
      verified.push(index);
    }
    if (disputed === undefined) {
      const value = evaluate(committee, shape, basis, shares, 0);
      const faulty = received.filter((index) => !candidates.includes(index));
      return { value, agreeing: candidates, faulty };
    }

    // Whoever is not on the only polynomial that 2t+1 support at the disputed residue cannot be
    // among 2t+1 that agree everywhere. At least one candidate is not, so this ends; and nobody who
    // lies on the polynomial that is opened in the end is ever dropped.
    const place = disputed;
    const residues = new Map(candidates.map((index) => [index, share(index)[place]]));
    candidates = agreeingAt(committee, primeOf(shape, place), residues);
  }
  throw new SharingError(
    SharingErrorCode.TOO_FEW_AGREEING,
    'fewer than 2t+1 of the shares lie on one polynomial',
    { metadata: { received: received.length, quorum: committee.quorum } },
  );
}

/**
 * True if a share that came after the opening lies on the opened polynomial at every residue.
 *
 * @param agreeing at least t+1 shares that agreed in the opening
 * @param index operator that gave `share`
 * @throws SharingError POINTS_INVALID with fewer than t+1 shares; INDEX_OUT_OF_RANGE, SHAPE_INVALID
 */
export function checkLateShare(
  committee: Committee,
  shape: OpeningShape,
  agreeing: ReadonlyMap<number, RnsVector>,
  index: number,
  share: RnsVector,
): boolean {
  if (share.length !== shareLength(shape)) {
    assertIndex(committee, index);
    return false;
  }
  return firstWrongResidue(committee, shape, agreeing, index, share) === undefined;
}

/**
 * The first place at which a share is not what the opened polynomial has there. A residue above its
 * prime is wrong, whatever it is equal to modulo it.
 *
 * @param agreeing at least t+1 shares that agreed in the opening
 * @param index operator that gave `share`, which has the shape's length
 * @returns undefined if the share is right everywhere
 * @throws SharingError POINTS_INVALID with fewer than t+1 shares; INDEX_OUT_OF_RANGE, SHAPE_INVALID
 */
export function firstWrongResidue(
  committee: Committee,
  shape: OpeningShape,
  agreeing: ReadonlyMap<number, RnsVector>,
  index: number,
  share: RnsVector,
): number | undefined {
  const basis = [...agreeing.keys()].slice(0, committee.t + 1);
  if (basis.length <= committee.t) {
    throw new SharingError(
      SharingErrorCode.POINTS_INVALID,
      't+1 agreeing shares fix the polynomial, fewer do not',
      { metadata: { shares: basis.length } },
    );
  }
  assertIndex(committee, index);
  return firstDifference(evaluate(committee, shape, basis, agreeing, index), share);
}

/** The polynomial through the basis's shares, at every residue, evaluated at operator `at` or 0. */
function evaluate(
  committee: Committee,
  shape: OpeningShape,
  basis: readonly number[],
  shares: ReadonlyMap<number, RnsVector>,
  at: number,
): RnsVector {
  const perPrime = shape.primes.map((prime) => lagrangeCoefficients(committee, basis, at, prime));
  return linearCombination(
    limbPrimes(shape),
    basis.map((index) => shares.get(index)!),
    Array.from({ length: shape.polynomials }, () => perPrime).flat(),
  );
}

/**
 * The operators on the one polynomial of degree t that at least 2t+1 of the residues support;
 * empty if there is none.
 */
function agreeingAt(
  committee: Committee,
  prime: bigint,
  residues: ReadonlyMap<number, bigint>,
): number[] {
  const indices = [...residues.keys()];
  for (const quorum of subsets(indices, committee.quorum)) {
    const basis = quorum.slice(0, committee.t + 1);
    const liesOn = (index: number): boolean => {
      const coefficients = lagrangeCoefficients(committee, basis, index, prime);
      const predicted = basis.reduce(
        (sum, point, at) => sum + coefficients[at] * residues.get(point)!,
        0n,
      );
      return predicted % prime === residues.get(index);
    };
    if (quorum.slice(basis.length).every(liesOn)) return indices.filter(liesOn);
  }
  return [];
}

/**
 * True if a share has the shape's length and only residues below their primes. Every share has one
 * byte form then, so comparing bytes compares shares.
 */
function isWellFormed(shape: OpeningShape, share: BigUint64Array): boolean {
  return share.length === shareLength(shape) && isCanonical(limbPrimes(shape), shape.width, share);
}

/** The modulus of every limb of a share, polynomial after polynomial. */
function limbPrimes(shape: OpeningShape): bigint[] {
  return Array.from({ length: shape.polynomials }, () => shape.primes).flat();
}

/** Modulus of the residue at a place of a share. */
function primeOf(shape: OpeningShape, place: number): bigint {
  return shape.primes[Math.floor(place / shape.width) % shape.primes.length];
}

/** First place where two vectors of equal length differ. */
function firstDifference(left: RnsVector, right: RnsVector): number | undefined {
  if (Buffer.compare(bytesOf(left), bytesOf(right)) === 0) return undefined;
  return left.findIndex((residue, place) => residue !== right[place]);
}

function bytesOf(vector: RnsVector): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
