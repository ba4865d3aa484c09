import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { commitmentsOf } from '../../../../workers/proofs/lattice/commitments.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { countNearEnds, writeIntervals } from '../../../../workers/proofs/lattice/rounding.ts';
import { firstLevel } from '../../../../workers/proofs/lattice/statement.ts';
import { mod, seededResidues } from '../../kernels/reference.ts';
import { tinySet } from '../support.ts';

const halvesOf = (values: readonly bigint[]): Uint32Array =>
  new Uint32Array(BigUint64Array.from(values).buffer);

describe('writeIntervals', () => {
  it.each([1, 24, 31, 32, 33, 43])('divides by 2^%i', (bits) => {
    // Interval numbers have 32 bits.
    const limit = 1n << BigInt(Math.min(50, bits + 32));
    const values = [0n, limit - 1n, (1n << 32n) % limit, ...seededResidues('intervals', 29, limit)];
    const target = new Uint32Array(values.length);
    writeIntervals(target, halvesOf(values), bits);
    expect([...target]).toEqual(values.map((v) => Number(v >> BigInt(bits))));
  });
});

describe('countNearEnds', () => {
  const prime = 1009;
  const rounding = { limb: 0, bits: 6, errorBound: 21 };
  /** Whether all x at most 21 away from v are in one interval of [0, 1009) with it. */
  const isNear = (v: number): boolean => {
    const number = Math.floor(v / 64);
    const end = Math.min((number + 1) * 64, prime);
    return v - 21 < number * 64 || v + 21 >= end;
  };

  it('counts every residue that an honest error may carry over, in the short last interval too', () => {
    const zero = new Float64Array(1);
    for (let v = 0; v < prime; v++) {
      const near = countNearEnds(halvesOf([BigInt(v)]), zero, 0, rounding, prime);
      expect(near > 0, String(v)).toBe(isNear(v));
    }
  });

  it('does so for v - X^e·error', () => {
    const degree = 16;
    const values = seededResidues('near', degree, BigInt(prime));
    const error = Float64Array.from(seededResidues('error', degree, 43n), (x) => Number(x) - 21);
    for (let exponent = 0; exponent < 2 * degree; exponent++) {
      const moved = values.slice();
      error.forEach((x, i) => {
        const target = (i + exponent) % (2 * degree);
        const sign = target < degree ? 1 : -1;
        moved[target % degree] = mod(moved[target % degree] - BigInt(sign * x), BigInt(prime));
      });
      const expected = moved.filter((v) => isNear(Number(v))).length;
      const counted = countNearEnds(halvesOf(values), error, exponent, rounding, prime);
      // An offset may be near both ends of the short last interval, and counts twice then.
      const twice = moved.filter(
        (v) => v >= 960n && v - 960n < 21n && v - 960n >= 49n - 21n,
      ).length;
      expect(counted).toBe(expected + twice);
    }
  });
});

describe('commitmentsOf', () => {
  it('writes the intervals of any value, at the ends of every prime', async () => {
    const parameters = { ...latticeParameters(tinySet), repetitions: 1 };
    const { primes, narrow, wide } = parameters;
    const basis = firstLevel(parameters);
    const [small, large] = primes;
    const q = small * large;
    // The last one needs the smaller prime subtracted twice: x modulo that is below (x mod large) - 2·small.
    const blocks = small / (large - 2n * small);
    const edges = [
      0n,
      1n,
      small - 1n,
      small,
      2n * small,
      2n * small + 1n,
      large - 1n,
      large,
      q - 1n,
      large - 1n + blocks * large,
    ];
    const values = [
      ...edges,
      ...edges.map((edge) => mod(edge + 5n * large, q)),
      ...seededResidues('commitments', tinySet.degree - 2 * edges.length, q),
    ];
    // Nothing masks, and the right side is subtracted.
    const right = BigUint64Array.from(primes.flatMap((p) => values.map((x) => mod(-x, p))));
    const factor = new BigUint64Array(right.length);
    const equations = [narrow, wide].map((rounding) => ({ rounding, factor, right }));
    const mask = new Int32Array(tinySet.degree);
    const [{ digest, values: kept }] = commitmentsOf(basis, parameters, equations, mask, [0]);
    const hash = createHash('sha256');
    for (const { limb, bits } of [narrow, wide]) {
      const inBlock = values.map((x) => x % primes[limb]);
      const other = primes[1 - limb];
      hash.update(Uint32Array.from(inBlock, (v) => Number(v >> BigInt(bits))));
      hash.update(BigUint64Array.from(values, (x, i) => mod(x - inBlock[i], other)));
    }
    expect(Buffer.from(await digest).toString('hex')).toBe(hash.digest('hex'));
    expect(kept[1]).toEqual(halvesOf(values.map((x) => x % large)));
  });
});
