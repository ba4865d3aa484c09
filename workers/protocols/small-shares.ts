import type { Hex } from 'viem';
import type { Basis, RnsVector } from '../ring/basis.ts';
import type { SharedRandomness } from '../sharing/prss.ts';

/**
 * An operator's share of a small secret polynomial, in coefficient form.
 *
 * @param kind ternary per set for secrets, so that |value| ≤ C(n,t); binomial for errors, ≤ 21·C(n,t)
 * @param positions coefficients wanted; absent for all
 * @returns secret
 */
export function smallShare(
  basis: Basis,
  randomness: SharedRandomness,
  itemId: Hex,
  kind: 'ternary' | 'binomial',
  positions?: Uint32Array,
): RnsVector {
  const { primes, degree } = basis;
  const distribution = { kind };
  return randomness.share({
    primes,
    degree,
    itemId,
    distribution,
    ...(positions && { positions }),
  });
}
