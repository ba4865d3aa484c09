import { SCALAR_BYTES } from '../../curve/scalars.ts';
import { groupOrder, withVectors } from '../../curve/vectors.ts';
import { modPow } from '../../kernels/numbers.ts';
import { reversed } from './polynomials.ts';

// Values of polynomials, and quotients that show them: lists of scalars, the lowest coefficient first.

/** The value of a polynomial. */
export function valueAt(coefficients: Uint8Array, point: bigint): bigint {
  return withVectors((vectors) =>
    vectors.recur(vectors.scalars(reversed(coefficients)), 0n, point),
  );
}

/** Σ factor^i·polynomials[i] */
export function combination(polynomials: readonly Uint8Array[], factor: bigint): Uint8Array {
  return withVectors((vectors) => {
    const sum = vectors.zeros(polynomials[0].length / SCALAR_BYTES);
    polynomials.forEach((polynomial, i) => {
      vectors.scope(() => {
        const weight = modPow(factor, BigInt(i), groupOrder);
        vectors.addScaled(sum, vectors.scalars(polynomial), weight);
      });
    });
    return vectors.bytes(sum);
  });
}

/** (p(X) - p(point))/(X - point) for a polynomial p (Kate, Zaverucha, Goldberg, 2010). */
export function openingAt(coefficients: Uint8Array, point: bigint): Uint8Array {
  return withVectors((vectors) => {
    // Synthetic division, from the highest coefficient on.
    const quotient = vectors.scalars(reversed(coefficients));
    vectors.recur(quotient, 0n, point);
    return reversed(vectors.bytes(quotient));
  });
}
