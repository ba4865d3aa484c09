import { groupOrder } from '../../curve/vectors.ts';
import { firstLimbs } from '../../fhe/ciphertext.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import { binomialBound } from '../sampling.ts';

/** Residues enter the scalar field as doubles of one digit: see docs/curve.md. */
const PRIME_LIMIT = 1n << 51n;

/** Random coefficients of a column: it shows its values at ζ and, in the commitment, at τ. */
export const COLUMN_BLINDS = 2;
/** Of the running sums: these show ω·ζ besides, and, through the quotient's commitment, ω·τ. */
export const SUM_BLINDS = 4;

/** Primes whose equations are taken together, as equations over the integers. */
export interface PrimeGroup {
  /** The primes are those from here on. */
  readonly start: number;
  readonly primes: readonly bigint[];
  /** P, their product. */
  readonly modulus: bigint;
}

/** N cells of a column: an integer x each, as x + shift, which is in [0, 2N). */
export interface Segment {
  readonly shift: bigint;
}

/** The numbers of the kzg proof, all computed from a parameter set. See docs/input-proofs.md. */
export interface KzgParameters {
  readonly set: ParameterSet;
  readonly groups: readonly PrimeGroup[];
  /** n = 2N: cells of a column, two segments, and entries of the table. */
  readonly cells: number;
  /** log2 n */
  readonly tableBits: number;
  /** Cells that one coefficient of w takes. */
  readonly limbs: number;
  /** w is in [-wBound, wBound). */
  readonly wBound: bigint;
  /** u twice, e1 twice, the limbs of w from the lowest, per equation its quotient. */
  readonly segments: readonly Segment[];
  /** F */
  readonly columns: number;
  /** Parts of n coefficients that the quotient is committed to in. */
  readonly chunks: number;
  /** Points that commitments take: coefficients of every polynomial, zeros included; even. */
  readonly length: number;
  /** A ceremony of 2^power has that many points. */
  readonly power: number;
  readonly proofBytes: number;
}

const known = new WeakMap<ParameterSet, KzgParameters>();

/**
 * The kzg proof's parameters for a parameter set.
 *
 * @throws ProofError PRIME_TOO_LARGE
 */
export function kzgParameters(set: ParameterSet): KzgParameters {
  let parameters = known.get(set);
  if (parameters === undefined) known.set(set, (parameters = derive(set)));
  return parameters;
}

/** Where quotients begin among the segments: the first ones are u, u, e1, e1 and the limbs of w. */
export function firstQuotient({ limbs }: Pick<KzgParameters, 'limbs'>): number {
  return 4 + limbs;
}

function derive(set: ParameterSet): KzgParameters {
  const { degree, plainModulus } = set;
  const primes = set.primes.slice(0, firstLimbs(set));
  const large = primes.find((prime) => prime >= PRIME_LIMIT);
  if (large !== undefined) {
    throw new ProofError(ProofErrorCode.PRIME_TOO_LARGE, 'a prime of more than 51 bits', {
      metadata: { set: set.name, prime: large },
    });
  }
  const cells = 2 * degree;
  const tableBits = Math.log2(cells);
  const honest = BigInt(binomialBound) * plainModulus + plainModulus / 2n;
  // The least number of limbs with honest < 2^(limbs·tableBits - 1).
  const limbs = Math.ceil((honest.toString(2).length + 1) / tableBits);
  const wBound = 1n << BigInt(limbs * tableBits - 1);
  const groups = groupsOf(primes, degree, wBound);
  const tight = (bound: number): Segment[] => [
    { shift: BigInt(bound) },
    // The largest value is the table's last entry.
    { shift: BigInt(cells - 1 - bound) },
  ];
  const segments = [
    ...[...tight(1), ...tight(binomialBound), { shift: wBound }],
    ...new Array<Segment>(limbs - 1).fill({ shift: 0n }),
    ...new Array<Segment>(2 * groups.length).fill({ shift: BigInt(degree) }),
  ];
  const columns = Math.ceil(segments.length / 2);
  const chunks = columns + 2;
  // Blinding adds up to four coefficients, and the quotient has `columns` beyond its last chunk.
  const length = cells + 2 * Math.ceil(Math.max(SUM_BLINDS, columns) / 2);
  return Object.freeze({
    ...{ set, groups, cells, tableBits, limbs, wBound, segments, columns, chunks, length },
    power: tableBits,
    proofBytes: 32 + 64 * (columns + 2 + chunks + 2) + 32 * (columns + 3),
  });
}

/** As many primes at a time as leave all terms of an equation, added, below the group order. */
function groupsOf(primes: readonly bigint[], degree: number, wBound: bigint): PrimeGroup[] {
  // |a·u| ≤ N·P/2, |k·P| ≤ N·P, |c| ≤ P/2, and some room for rounding.
  const fits = (modulus: bigint): boolean =>
    (modulus * BigInt(3 * degree + 2)) / 2n + wBound < groupOrder;
  const groups: PrimeGroup[] = [];
  let start = 0;
  primes.forEach((_, last) => {
    const next = last + 1;
    const modulus = product(primes.slice(start, next));
    if (next < primes.length && fits(modulus * primes[next])) return;
    groups.push({ start, primes: primes.slice(start, next), modulus });
    start = next;
  });
  return groups;
}

function product(factors: readonly bigint[]): bigint {
  return factors.reduce((all, factor) => all * factor, 1n);
}
