import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Accumulator } from '../../../workers/ring/accumulator.ts';
import { negacyclicMultiplyAdd, ntt } from '../../../workers/ring/arithmetic.ts';
import { Basis, basisOf, type RnsVector } from '../../../workers/ring/basis.ts';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { uniformPolynomial } from '../../../workers/ring/uniform.ts';
import vectors from '../../vectors/ring.json' with { type: 'json' };
import { mod, paths, seededPrime } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';
import { seededVector } from './support.ts';

const primes = [seededPrime('vectors', 44, 16), seededPrime('vectors', 60, 16)];
const ones = primes.map(() => 1n);

function digest(vector: RnsVector): string {
  return createHash('sha256').update(new Uint8Array(vector.buffer)).digest('hex');
}

/** Residues modulo `primes` of integers given as text. */
function residues(values: readonly string[]): RnsVector {
  return BigUint64Array.from(
    primes.flatMap((prime) => values.map((value) => mod(BigInt(value), prime))),
  );
}

describe.each(Object.entries(paths))('committed vectors on %s kernels', (_, kernels) => {
  const { ternary, binomial, uniform } = vectors.expander;

  it('expands ternary and binomial', () => {
    const small = new Accumulator(primes, ternary.values.length, kernels);
    small.addTernary(Buffer.from(ternary.bytes, 'hex'), ones);
    expect(small.value()).toEqual(residues(ternary.values));
    const errors = new Accumulator(primes, binomial.values.length, kernels);
    errors.addBinomial(Buffer.from(binomial.bytes, 'hex'), ones);
    expect(errors.value()).toEqual(residues(binomial.values));
  });

  it.each(uniform)('expands uniform of B = $bits', ({ bits, bytes, values }) => {
    const accumulator = new Accumulator(primes, values.length, kernels);
    accumulator.addUniform(Buffer.from(bytes, 'hex'), bits, ones);
    expect(accumulator.value()).toEqual(residues(values));
  });

  it('transforms and multiplies', () => {
    const basis = new Basis(16, vectors.small.primes.map(BigInt), kernels);
    const [a, s, c] = ['a', 's', 'c'].map((name) => seededVector(name, basis.primes, 16));
    const flat = (limbs: string[][]) => BigUint64Array.from(limbs.flat().map(BigInt));
    expect(ntt(basis, a)).toEqual(flat(vectors.small.ntt));
    expect(negacyclicMultiplyAdd(basis, a, ntt(basis, s), c)).toEqual(
      flat(vectors.small.multiplyAdd),
    );
  });
});

describe.each(vectors.sets)('committed vectors of $name', (expected) => {
  const basis = basisOf(parameterSet(expected.name));

  it('uses the smallest root of unity', () => {
    // The transform of X at index 0 is ψ itself.
    const x: RnsVector = new BigUint64Array(basis.limbs * basis.degree);
    for (let limb = 0; limb < basis.limbs; limb++) x[limb * basis.degree + 1] = 1n;
    const transformed = ntt(basis, x);
    const roots = basis.primes.map((_, limb) => String(transformed[limb * basis.degree]));
    expect(roots).toEqual(expected.roots);
  });

  it('derives the public polynomial', () => {
    const polynomial = uniformPolynomial(basis, Buffer.from(expected.itemId, 'hex'));
    expect([...polynomial.slice(0, 4)].map(String)).toEqual(expected.publicPolynomial.first);
    expect(digest(polynomial)).toBe(expected.publicPolynomial.digest);
  });

  it('refuses an item id of another length', () => {
    for (const length of [0, 31, 33]) {
      expect(() => uniformPolynomial(basis, new Uint8Array(length))).toThrow(
        withCode(RingErrorCode.LENGTH_MISMATCH),
      );
    }
  });
});
