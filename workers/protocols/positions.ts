import { linearCombination } from '../ring/arithmetic.ts';
import type { RnsVector } from '../ring/basis.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';

/**
 * A position list in its one allowed form.
 *
 * Strictly ascending, so that one set of coefficients has one opening id.
 *
 * @param positions as requested by anybody
 * @throws ProtocolError POSITIONS_INVALID if it is empty, not strictly ascending, or has something
 * else than coefficients 0..degree-1
 */
export function requirePositions(positions: readonly number[], degree: number): Uint32Array {
  const valid =
    positions.length > 0 &&
    positions.every(
      (position, at) =>
        Number.isInteger(position) &&
        position > (at === 0 ? -1 : positions[at - 1]) &&
        position < degree,
    );
  if (!valid) {
    throw new ProtocolError(
      ProtocolErrorCode.POSITIONS_INVALID,
      'positions are coefficients of the ring, strictly ascending, at least one',
      { metadata: { positions: positions.length, degree } },
    );
  }
  return Uint32Array.from(positions);
}

/** The residues of a ring element at the positions: width `positions.length`. */
export function atPositions(x: RnsVector, degree: number, positions: Uint32Array): RnsVector {
  const width = positions.length;
  const out: RnsVector = new BigUint64Array((x.length / degree) * width);
  for (let limb = 0; limb * degree < x.length; limb++) {
    positions.forEach((position, at) => {
      out[limb * width + at] = x[limb * degree + position]!;
    });
  }
  return out;
}

/** a + b for vectors of any common width. */
export function plus(primes: readonly bigint[], a: RnsVector, b: RnsVector): RnsVector {
  return linearCombination(
    primes,
    [a, b],
    primes.map(() => [1n, 1n]),
  );
}
