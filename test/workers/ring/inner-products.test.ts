import { describe, expect, it } from 'vitest';
import { KernelErrorCode } from '../../../workers/kernels/errors.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { innerProducts } from '../../../workers/ring/inner-products.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { seededVector } from './support.ts';

const { primes } = parameterSet('bfv-8192-b20');
/** A prime for each path of the kernels. */
const mixed = [primes[0], 1152921504606830593n];

describe('inner products', () => {
  it.each([1, 2, 3, 64, 1001])('are sums modulo each prime, over %i residues', (width) => {
    const x = seededVector(`x${width}`, mixed, width);
    const y = seededVector(`y${width}`, mixed, width);
    const expected = mixed.map((prime, limb) => {
      let sum = 0n;
      for (let i = limb * width; i < (limb + 1) * width; i++) sum += x[i] * y[i];
      return sum % prime;
    });
    expect([...innerProducts(mixed, width, x, y)]).toEqual(expected);
  });

  it('are right where every residue is the largest', () => {
    const width = 8192;
    const x = new BigUint64Array(2 * width);
    mixed.forEach((prime, limb) => x.fill(prime - 1n, limb * width, (limb + 1) * width));
    expect([...innerProducts(mixed, width, x, x)]).toEqual([8192n, 8192n]);
  });

  it('leave their arguments alone', () => {
    const x = seededVector('x', mixed, 4);
    const y = seededVector('y', mixed, 4);
    const before = [x.slice(), y.slice()];
    innerProducts(mixed, 4, x, y);
    expect([x, y]).toEqual(before);
  });

  it('refuse vectors of another shape, and residues above their prime', () => {
    const x = seededVector('x', mixed, 4);
    expect(() => innerProducts(mixed, 4, x, x.slice(1))).toThrow(
      expect.objectContaining({ code: RingErrorCode.LENGTH_MISMATCH }),
    );
    expect(() => innerProducts(mixed, 4, x, x.with(0, mixed[0]))).toThrow(
      expect.objectContaining({ code: KernelErrorCode.RESIDUE_OUT_OF_RANGE }),
    );
  });
});
