import { groupOrder, rootOfUnity, type Vector, type Vectors } from '../../curve/vectors.ts';
import { modInverse, modPow } from '../../kernels/numbers.ts';
import type { Cells } from './cells.ts';
import { innerProductOf, reduced } from './equations.ts';
import type { KzgParameters } from './parameters.ts';
import { interpolate, interpolateIntegers, valuesOnCoset } from './polynomials.ts';
import type { PreparedKzg } from './statement.ts';
import type { FirstChallenges } from './transcript.ts';

/** Public polynomials of the argument, n coefficients each, and its target. */
export interface PublicPolynomials {
  /** K of the first segment beside its multiple of γ^i. */
  readonly u: Uint8Array;
  /** γ^i on the first half of the cells, on the second half. */
  readonly halves: readonly Uint8Array[];
  readonly table: Uint8Array;
  readonly scales: readonly bigint[];
  readonly target: bigint;
}

/** The public polynomials, and the running sums' values at the roots of unity. */
export function sumsOf(
  vectors: Vectors,
  { parameters, equations }: PreparedKzg,
  { columns, multiplicities }: Cells,
  { alpha, beta, gamma }: FirstChallenges,
): { known: PublicPolynomials; sums: Uint8Array } {
  const { cells, set } = parameters;
  const inner = innerProductOf(vectors, parameters, equations, gamma);
  const { scales, target } = inner;
  const powers = vectors.bytes(vectors.powers(set.degree, 1n, gamma));
  const half = new Uint8Array(powers.length);
  const u = joined(vectors.bytes(inner.u), half);
  const halves = [joined(powers, half), joined(half, powers)];
  const entries = Float64Array.from({ length: cells }, (_, i) => i);

  const loaded = columns.map((column) => vectors.integers(column));
  const weights = [u, ...halves].map((values) => vectors.scalars(values));
  // α·(Σ_c K_c·f_c - target/n) + Σ_c 1/(β + f_c) - m/(β + T)
  const steps = innerProducts(vectors, loaded, weights, scales);
  const scaled = vectors.powers(cells, -alpha * share(parameters, target), 1n);
  vectors.addScaled(scaled, steps, alpha);
  const constant = vectors.powers(cells, beta, 1n);
  for (const column of loaded) {
    vectors.add(column, constant);
    vectors.invert(column);
    vectors.add(scaled, column);
  }
  const fractions = vectors.integers(entries);
  vectors.add(fractions, constant);
  vectors.invert(fractions);
  vectors.multiply(fractions, vectors.integers(multiplicities));
  vectors.addScaled(scaled, fractions, -1n);
  vectors.recur(scaled, 0n, 1n);
  const known = {
    u: interpolate(vectors, u),
    halves: halves.map((values) => interpolate(vectors, values)),
    table: interpolateIntegers(vectors, entries),
    ...{ scales, target },
  };
  return { known, sums: vectors.bytes(scaled) };
}

/** The committed polynomials, blinded. */
export interface Committed {
  readonly columns: readonly Uint8Array[];
  readonly multiplicities: Uint8Array;
  readonly sums: Uint8Array;
}

/** Cosets that determine the quotient: it has a few coefficients more than `chunks`·n. */
export function cosetCount({ chunks }: KzgParameters): number {
  return chunks + 1;
}

/** The shift of coset k: none of their n-th powers, nor 1, are equal. */
export function cosetShift(coset: number): bigint {
  return modPow(5n, BigInt(coset + 1), groupOrder);
}

/** The quotient modulo X^n - shift^n, n coefficients: one coset's part of it. */
export function quotientOnCoset(
  vectors: Vectors,
  { cells }: KzgParameters,
  known: PublicPolynomials,
  committed: Committed,
  { alpha, beta }: FirstChallenges,
  shift: bigint,
): Uint8Array {
  const shiftN = modPow(shift, BigInt(cells), groupOrder);
  const shifted = vectors.powers(cells, 1n, shift);
  const on = (coefficients: Uint8Array, factors = shifted, power = shiftN): Vector =>
    valuesOnCoset(vectors, coefficients, factors, power);

  const columns = committed.columns.map((column) => on(column));
  const weights = [known.u, ...known.halves].map((polynomial) => on(polynomial));
  const share = known.target * modInverse(BigInt(cells), groupOrder);
  // The running sums' difference, less what it is to be beside the fractions.
  const difference = on(
    committed.sums,
    vectors.powers(cells, 1n, reduced(shift * rootOfUnity(cells))),
  );
  vectors.addScaled(difference, on(committed.sums), -1n);
  vectors.addScaled(difference, innerProducts(vectors, columns, weights, known.scales), -alpha);
  vectors.add(difference, vectors.powers(cells, alpha * share, 1n));

  const constant = vectors.powers(cells, beta, 1n);
  const product = vectors.powers(cells, 1n, 1n);
  const others = vectors.zeros(cells);
  for (const column of columns) {
    vectors.add(column, constant);
    vectors.multiply(others, column);
    vectors.add(others, product);
    vectors.multiply(product, column);
  }
  const table = on(known.table);
  vectors.add(table, constant);
  vectors.multiply(difference, product);
  vectors.addScaled(difference, others, -1n);
  vectors.multiply(difference, table);
  vectors.multiply(product, on(committed.multiplicities));
  vectors.add(difference, product);

  vectors.inverse(difference);
  const back = modInverse(shift, groupOrder);
  const vanishing = modInverse(shiftN - 1n, groupOrder);
  vectors.multiply(difference, vectors.powers(cells, vanishing, back));
  return vectors.bytes(difference);
}

/**
 * The quotient's coefficients, n at a time, from its remainders modulo X^n - shift^n: those are the sums
 * of the parts times powers of shift^n.
 */
export function quotientParts(
  vectors: Vectors,
  { cells }: KzgParameters,
  remainders: readonly Uint8Array[],
): Uint8Array[] {
  const count = remainders.length;
  const nodes = remainders.map((_, k) => modPow(cosetShift(k), BigInt(cells), groupOrder));
  const loaded = remainders.map((remainder) => vectors.scalars(remainder));
  const basis = nodes.map((_, k) => lagrangeBasis(nodes, k));
  return Array.from({ length: count }, (_, part) =>
    vectors.scope(() => {
      const sum = vectors.zeros(cells);
      loaded.forEach((remainder, k) => vectors.addScaled(sum, remainder, basis[k][part]));
      return vectors.bytes(sum);
    }),
  );
}

/** Coefficients of the polynomial that is 1 at node k and 0 at the others. */
function lagrangeBasis(nodes: readonly bigint[], k: number): bigint[] {
  let coefficients = [1n];
  let denominator = 1n;
  nodes.forEach((node, other) => {
    if (other === k) return;
    denominator = reduced(denominator * (nodes[k] - node));
    coefficients = [0n, ...coefficients].map((x, i) => reduced(x - node * (coefficients[i] ?? 0n)));
  });
  const factor = modInverse(denominator, groupOrder);
  return coefficients.map((x) => reduced(x * factor));
}

/** Σ_c K_c·f_c, pointwise. */
function innerProducts(
  vectors: Vectors,
  columns: readonly Vector[],
  [u, ...halves]: readonly Vector[],
  scales: readonly bigint[],
): Vector {
  const sum = vectors.copy(columns[0]);
  vectors.multiply(sum, u);
  halves.forEach((half, h) => {
    const combination = vectors.zeros(sum.length);
    columns.forEach((column, c) => {
      vectors.addScaled(combination, column, scales[2 * c + h] ?? 0n);
    });
    vectors.multiply(combination, half);
    vectors.add(sum, combination);
  });
  return sum;
}

function share({ cells }: KzgParameters, target: bigint): bigint {
  return reduced(target * modInverse(BigInt(cells), groupOrder));
}

function joined(low: Uint8Array, high: Uint8Array): Uint8Array {
  const both = new Uint8Array(low.length + high.length);
  both.set(low);
  both.set(high, low.length);
  return both;
}
