import { basisOf } from '../../ring/basis.ts';
import { intt, multiply, ntt } from '../../ring/arithmetic.ts';
import { lift } from '../../ring/lifting.ts';
import type { Witness } from '../encryption.ts';
import type { KzgParameters } from './parameters.ts';
import type { IntegerPolynomial, PreparedKzg } from './statement.ts';

/** What the columns hold: secret. */
export interface Cells {
  /** n integers each, every one an entry of the table for an honest witness. */
  readonly columns: readonly Float64Array[];
  /** How often each entry of the table occurs. */
  readonly multiplicities: Float64Array;
}

/**
 * The cells for a witness that satisfies the equations modulo the primes, short or not.
 *
 * Neither branches nor addresses depend on the witness, but for the count of the table's entries.
 */
export function cellsOf({ parameters, equations }: PreparedKzg, witness: Witness): Cells {
  const { set, cells, segments } = parameters;
  const { degree } = set;
  const values = [
    ...[witness.u, witness.u, witness.e1, witness.e1].map((x) => Float64Array.from(x)),
    ...limbsOf(parameters, witness.w),
    ...equations.map(({ group, error, factor, right }) => {
      const errors = error === 'e1' ? Float64Array.from(witness.e1) : witness.w;
      return quotients(parameters, factor, witness.u, errors, right, Number(group.modulus));
    }),
  ];
  // The shift of w is in its limbs.
  const shifted = values.map((value, s) => {
    const shift = s >= 4 && s < 4 + parameters.limbs ? 0 : Number(segments[s].shift);
    return value.map((x) => x + shift);
  });
  const columns = Array.from({ length: parameters.columns }, (_, c) => {
    const column = new Float64Array(cells);
    column.set(shifted[2 * c]);
    if (2 * c + 1 < shifted.length) column.set(shifted[2 * c + 1], degree);
    return column;
  });
  return { columns, multiplicities: multiplicitiesOf(parameters, columns) };
}

/** How often each entry of the table occurs; other values are not counted. */
export function multiplicitiesOf(
  { cells }: KzgParameters,
  columns: readonly Float64Array[],
): Float64Array {
  const counts = new Float64Array(cells);
  for (const column of columns) for (const cell of column) if (cell in counts) counts[cell]++;
  return counts;
}

/** The limbs of w + wBound, from the lowest; what is too large for them stays in the highest. */
function limbsOf({ limbs, tableBits, wBound }: KzgParameters, w: Float64Array): Float64Array[] {
  const base = 2 ** tableBits;
  let rest = w.map((x) => x + Number(wBound));
  return Array.from({ length: limbs }, (_, l) => {
    if (l === limbs - 1) return rest;
    const quotient = rest.map((x) => Math.floor(x / base));
    const limb = rest.map((x, i) => x - base * quotient[i]);
    rest = quotient;
    return limb;
  });
}

/**
 * (factor·u + error - right)/P, integers: from fractions of 2^-bits, which is more than exact enough to
 * round. Their product is computed modulo the first prime.
 */
function quotients(
  { set }: KzgParameters,
  factor: IntegerPolynomial,
  u: Int8Array,
  errors: Float64Array,
  right: IntegerPolynomial,
  modulus: number,
): Float64Array {
  const basis = basisOf(set, 1);
  const prime = Number(basis.primes[0]);
  // The largest coefficient, N·2^bits/2, is below half the prime.
  const unit = 2 ** Math.floor(Math.log2(prime / set.degree));
  const scaled = factor.fractions.map((x) => Math.round(x * unit));
  const product = intt(
    basis,
    multiply(basis, ntt(basis, lift(basis.primes, scaled)), ntt(basis, lift(basis.primes, u))),
  );
  return Float64Array.from(product, (residue, i) => {
    const value = Number(residue);
    const centred = value - prime * Number(2 * value > prime);
    return Math.round(centred / unit + errors[i] / modulus - right.fractions[i]);
  });
}
