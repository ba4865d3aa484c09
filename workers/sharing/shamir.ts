import { assertIndex } from './committee.ts';
import type { Committee } from './committee.ts';
import { SharingError, SharingErrorCode } from './errors.ts';

/** Largest committee, hence largest difference of two evaluation points. */
const largestPoint = 13;

/** Inverses of 1..13 per prime: every denominator below is a product of these. */
const inverses = new Map<bigint, readonly bigint[]>();

/**
 * Lagrange coefficients: Σ_k coefficients[k]·f(points[k]) = f(at) for every f of degree below
 * points.length.
 *
 * Source: A. Shamir, How to share a secret (1979).
 *
 * @param points distinct operator indices, 1..n: the shares at hand
 * @param at 0 for the shared value, or the index whose share is predicted
 * @param prime modulus, larger than n
 * @returns canonical residues, one per point
 * @throws SharingError INDEX_OUT_OF_RANGE, POINTS_INVALID
 */
export function lagrangeCoefficients(
  committee: Committee,
  points: readonly number[],
  at: number,
  prime: bigint,
): bigint[] {
  for (const point of points) assertIndex(committee, point);
  if (at !== 0) assertIndex(committee, at);
  if (points.length === 0 || new Set(points).size !== points.length) {
    throw new SharingError(
      SharingErrorCode.POINTS_INVALID,
      'interpolation needs distinct points, at least one',
      { metadata: { points: points.join(',') } },
    );
  }
  return points.map((point) =>
    points.reduce(
      (product, other) =>
        other === point
          ? product
          : mod(product * quotient(at - other, point - other, prime), prime),
      1n,
    ),
  );
}

/**
 * f_A(i) for set number A and operator i: the polynomial of degree t that is 1 at 0 and 0 at every
 * operator outside A.
 *
 * Source: R. Cramer, I. Damgård, Y. Ishai, Share conversion, pseudorandom secret-sharing and
 * applications to secure computation (TCC 2005): converting replicated shares to Shamir's.
 *
 * @returns a canonical residue; 0 exactly for i outside A
 * @throws SharingError INDEX_OUT_OF_RANGE
 */
export function setPolynomialAt(
  committee: Committee,
  setNumber: number,
  index: number,
  prime: bigint,
): bigint {
  assertIndex(committee, index);
  const members = committee.sets[setNumber];
  if (members === undefined) {
    throw new SharingError(SharingErrorCode.INDEX_OUT_OF_RANGE, 'no set has this number', {
      metadata: { setNumber },
    });
  }
  let value = 1n;
  for (let other = 1; other <= committee.n; other++) {
    if (!members.includes(other)) value = mod(value * quotient(other - index, other, prime), prime);
  }
  return value;
}

/** numerator / denominator modulo the prime, for differences of evaluation points. */
function quotient(numerator: number, denominator: number, prime: bigint): bigint {
  const sign = denominator < 0 ? -1n : 1n;
  return BigInt(numerator) * sign * inversesModulo(prime)[Math.abs(denominator)];
}

function inversesModulo(prime: bigint): readonly bigint[] {
  let table = inverses.get(prime);
  if (table === undefined) {
    // 1/k = -⌊p/k⌋ / (p mod k): the recurrence stays among smaller denominators.
    const entries = [0n, 1n];
    for (let k = 2n; k <= largestPoint; k++) {
      entries.push(mod(-(prime / k) * entries[Number(prime % k)], prime));
    }
    table = entries;
    inverses.set(prime, table);
  }
  return table;
}

function mod(value: bigint, prime: bigint): bigint {
  const residue = value % prime;
  return residue < 0n ? residue + prime : residue;
}
