import { combine } from '../../curve/combination.ts';
import { pairingProductIsOne } from '../../curve/pairing.ts';
import { g1Generator, g2Generator } from '../../curve/points.ts';
import { groupOrder, rootOfUnity, withVectors } from '../../curve/vectors.ts';
import { modInverse, modPow } from '../../kernels/numbers.ts';
import { concatenated } from '../context.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import { requirePower, type CrsKey } from './crs.ts';
import { innerProductOf, reduced } from './equations.ts';
import { parseProof, type KzgProof } from './format.ts';
import { prepareKzg, type KzgStatement, type PreparedKzg } from './statement.ts';
import { challengesOf, type Challenges } from './transcript.ts';

/**
 * Checks a proof that anybody may have made: resolves if it proves the statement, and only then.
 *
 * What is known afterwards is that somebody knew u of -1 to 1, e1 of -21 to 21 and w within `wBound` with
 * c1 = a·u + e1 and t·c0 = t·b·u + w: count with `kzgNoise`. On the calling thread, without others.
 *
 * @param crsKey of powers of tau that nobody knows tau of: `crsKeyOf`
 * @param proof any bytes
 * @throws ProofError LENGTH_INVALID, POINT_INVALID, VALUE_OUT_OF_RANGE, CRS_MISMATCH, CRS_TOO_SMALL,
 * OPENING_MISMATCH; the codes of `prepareKzg`
 */
export async function verifyKzg(
  statement: KzgStatement,
  crsKey: CrsKey,
  proof: Uint8Array,
): Promise<void> {
  return checkKzgProof(await prepareKzg(statement), crsKey, proof);
}

/** `verifyKzg` for a prepared statement. */
export async function checkKzgProof(
  prepared: PreparedKzg,
  crsKey: CrsKey,
  bytes: Uint8Array,
): Promise<void> {
  const { parameters, prefix } = prepared;
  requirePower(parameters, crsKey);
  const proof = parseProof(parameters, bytes);
  if (proof.crsDigest !== crsKey.digest) {
    throw new ProofError(ProofErrorCode.CRS_MISMATCH, 'a proof by other powers of tau', {
      metadata: { expected: crsKey.digest, digest: proof.crsDigest },
    });
  }
  const challenges = await challengesOf(prefix, proof.parts);
  if (!isOpened(prepared, crsKey, proof, challenges)) {
    throw new ProofError(ProofErrorCode.OPENING_MISMATCH, 'not a proof of this statement');
  }
}

/** Values of the public polynomials at ζ. */
interface PublicValues {
  /** Z(ζ) = ζ^n - 1. */
  readonly vanishing: bigint;
  /** T(ζ), the table. */
  readonly table: bigint;
  /** K_c(ζ) for each column. */
  readonly weights: readonly bigint[];
  /** What the inner product is to be. */
  readonly target: bigint;
}

/**
 * Values at ζ of the polynomials that interpolate the table and the weights of the cells, in O(n). With
 * L_i(ζ) = (ζ^n - 1)/n·ω^i/(ζ - ω^i), and ω^N = -1 for the second half of the cells.
 */
function publicValues({ parameters, equations }: PreparedKzg, challenges: Challenges) {
  const { gamma, zeta } = challenges;
  const { cells, columns, set } = parameters;
  const { degree } = set;
  const vanishing = reduced(modPow(zeta, BigInt(cells), groupOrder) - 1n);
  return withVectors((vectors): PublicValues => {
    const { scales, u, target } = innerProductOf(vectors, parameters, equations, gamma);
    const factor = vanishing * modInverse(BigInt(cells), groupOrder);
    const powers = vectors.powers(degree, 1n, gamma);
    const halves = [1n, -1n].map((sign) => {
      const roots = vectors.powers(degree, sign, rootOfUnity(cells));
      const lagrange = vectors.powers(degree, zeta, 1n);
      vectors.addScaled(lagrange, roots, -1n);
      vectors.invert(lagrange);
      vectors.multiply(lagrange, roots);
      const dot = (weights: typeof u): bigint => {
        const product = vectors.copy(lagrange);
        vectors.multiply(product, weights);
        return reduced(factor * vectors.sum(product));
      };
      const start = sign === 1n ? 0 : degree;
      const entries = vectors.integers(Float64Array.from({ length: degree }, (_, i) => start + i));
      return { powers: dot(powers), u: dot(u), table: dot(entries) };
    });
    const [low, high] = halves;
    const weights = Array.from({ length: columns }, (_, c) => {
      const extra = c === 0 ? low.u : 0n;
      return reduced(extra + scales[2 * c] * low.powers + (scales[2 * c + 1] ?? 0n) * high.powers);
    });
    return { vanishing, table: reduced(low.table + high.table), weights, target };
  });
}

/** The value at ζ of the quotient that all other values ask for. */
function quotientValue(
  { cells }: PreparedKzg['parameters'],
  { beta, alpha }: Challenges,
  { vanishing, table, weights, target }: PublicValues,
  values: readonly bigint[],
): bigint {
  const [multiplicity, sum, nextSum] = values.slice(-3);
  const columns = values.slice(0, -3);
  const inner = columns.reduce((total, value, c) => total + weights[c] * value, 0n);
  const share = target * modInverse(BigInt(cells), groupOrder);
  const difference = nextSum - sum - alpha * (inner - share);
  // The product of all β + f_c, and the sum of the products of all but one.
  let product = 1n;
  let others = 0n;
  for (const value of columns) {
    others = reduced(others * (beta + value) + product);
    product = reduced(product * (beta + value));
  }
  const numerator = (beta + table) * (difference * product - others) + multiplicity * product;
  return reduced(reduced(numerator) * modInverse(vanishing, groupOrder));
}

/**
 * Checks both openings together: e(W + u·W', τ·G2) = e(ζ·W + u·ω·ζ·W' + F - y·G1, G2).
 *
 * Source: Gabizon, Williamson, Ciobotaru, PLONK (2019/953), section 3.1.
 */
function isOpened(
  prepared: PreparedKzg,
  crsKey: CrsKey,
  { commitments, values, openings }: KzgProof,
  challenges: Challenges,
): boolean {
  const { parameters } = prepared;
  const { cells, columns, chunks } = parameters;
  const { zeta, v, u } = challenges;
  const known = publicValues(prepared, challenges);
  // At ζ the columns, the multiplicities, the sums and the quotient are opened; at ω·ζ the sums.
  const opened = [
    ...values.slice(0, columns + 2),
    quotientValue(parameters, challenges, known, values),
  ];
  const weights = opened.map((_, i) => modPow(v, BigInt(i), groupOrder));
  const value = opened.reduce((sum, y, i) => sum + weights[i] * y, u * values[columns + 2]);
  const zetaN = known.vanishing + 1n;
  const next = zeta * rootOfUnity(cells);
  const scalars = [
    ...weights.slice(0, columns + 1),
    weights[columns + 1] + u,
    ...Array.from(
      { length: chunks },
      (_, k) => weights[columns + 2] * modPow(reduced(zetaN), BigInt(k), groupOrder),
    ),
    ...[zeta, u * next, -value],
  ];
  const left = combine('g1', openings, [-1n, -u]);
  const right = combine('g1', concatenated([commitments, openings, g1Generator]), scalars);
  return pairingProductIsOne([
    { g1: left, g2: crsKey.tauG2 },
    { g1: right, g2: g2Generator },
  ]);
}
