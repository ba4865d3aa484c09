import { groupOrder, type Vector, type Vectors } from '../../curve/vectors.ts';
import { modPow } from '../../kernels/numbers.ts';
import { firstQuotient, type KzgParameters } from './parameters.ts';
import type { IntegerPolynomial, KzgEquation } from './statement.ts';

/**
 * All equations as one inner product: the sum over all segments s and positions i of K_s[i] times cell
 * i of s is `target`, where K_s[i] = scales[s]·γ^i, and for the first segment `u`[i] more.
 */
export interface InnerProduct {
  readonly scales: readonly bigint[];
  /** N scalars. */
  readonly u: Vector;
  readonly target: bigint;
}

/**
 * Combines the equations with powers of γ: coefficient j of equation e by γ^(e·N + j), then those that
 * say that both segments of u, and both of e1, hold the same.
 */
export function innerProductOf(
  vectors: Vectors,
  parameters: KzgParameters,
  equations: readonly KzgEquation[],
  gamma: bigint,
): InnerProduct {
  const { set, segments, tableBits, limbs } = parameters;
  const { degree } = set;
  const step = modPow(gamma, BigInt(degree), groupOrder);
  const weights = Array.from({ length: equations.length + 2 }, (_, e) =>
    modPow(step, BigInt(e), groupOrder),
  );
  const [sameU, sameE1] = weights.slice(-2);

  const scales = segments.map(() => 0n);
  scales[0] = -sameU;
  scales[1] = sameU;
  scales[2] = -sameE1;
  scales[3] = sameE1;
  equations.forEach(({ error, group }, e) => {
    if (error === 'e1') scales[2] += weights[e];
    else {
      for (let l = 0; l < limbs; l++) scales[4 + l] += weights[e] << BigInt(l * tableBits);
    }
    scales[firstQuotient(parameters) + e] = -group.modulus * weights[e];
  });

  const factors = weighted(
    vectors,
    degree,
    equations.map(({ factor }) => factor),
    weights,
  );
  const rights = weighted(
    vectors,
    degree,
    equations.map(({ right }) => right),
    weights,
  );
  // u[i] = (X^i·h)(γ) for the factors' combination h, and X·h is γ·h(γ) - (γ^N + 1)·h[N-1] at γ.
  const start = vectors.recur(vectors.copy(factors), 0n, gamma);
  const u = vectors.zeros(degree);
  vectors.addScaled(u, factors, -(step + 1n));
  vectors.recur(u, start, gamma);

  // What the shifts of the cells add.
  const ones = vectors.sum(vectors.powers(degree, 1n, gamma));
  const shifts = segments.reduce((sum, { shift }, s) => sum + shift * scales[s], 0n) * ones;
  const shiftsOfU = segments[0].shift * vectors.sum(vectors.copy(u));
  const target = vectors.recur(rights, 0n, gamma) + shifts + shiftsOfU;
  return { scales: scales.map(reduced), u, target: reduced(target) };
}

/** Σ weights[e]·polynomial e, from the highest coefficient to the lowest. */
function weighted(
  vectors: Vectors,
  degree: number,
  polynomials: readonly IntegerPolynomial[],
  weights: readonly bigint[],
): Vector {
  const sum = vectors.zeros(degree);
  polynomials.forEach(({ terms }, e) => {
    for (const { weight, values } of terms) {
      vectors.addScaledIntegers(sum, values, weight * weights[e]);
    }
  });
  return sum;
}

/** x modulo r, in [0, r). */
export function reduced(x: bigint): bigint {
  return ((x % groupOrder) + groupOrder) % groupOrder;
}
