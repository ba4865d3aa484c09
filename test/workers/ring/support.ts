import { Basis, type RnsVector } from '../../../workers/ring/basis.ts';
import { paths, seededPrime, seededResidues } from '../kernels/reference.ts';

/** Bases of small degree over primes of the given sizes, on every path. */
export function basesOf(degree: number, bits: readonly number[]): [string, Basis][] {
  const primes = bits.map((size, i) => seededPrime(`basis/${i}`, size, degree));
  return Object.entries(paths).map(([name, kernels]) => [
    `${name} kernels, ${bits.join('-')} bits`,
    new Basis(degree, primes, kernels),
  ]);
}

/** A vector whose residue i of limb l is given by a function. */
export function vectorOf(
  primes: readonly bigint[],
  width: number,
  residue: (limb: number, i: number, prime: bigint) => bigint,
): RnsVector {
  const vector: RnsVector = new BigUint64Array(primes.length * width);
  primes.forEach((prime, limb) => {
    for (let i = 0; i < width; i++) vector[limb * width + i] = residue(limb, i, prime);
  });
  return vector;
}

/** Residues from a named stream. */
export function seededVector(seed: string, primes: readonly bigint[], width: number): RnsVector {
  const limbs = primes.map((prime, l) => seededResidues(`${seed}/${l}`, width, prime));
  return vectorOf(primes, width, (limb, i) => limbs[limb][i]);
}

/** Random residues and the extreme ones: all 0, all 1, all p - 1, alternating. */
export function sampleVectors(seed: string, primes: readonly bigint[], width: number): RnsVector[] {
  return [
    seededVector(seed, primes, width),
    vectorOf(primes, width, () => 0n),
    vectorOf(primes, width, () => 1n),
    vectorOf(primes, width, (_, __, prime) => prime - 1n),
    vectorOf(primes, width, (_, i, prime) => (i % 2 === 0 ? prime - 1n : 1n)),
  ];
}

/** Residues of limb `limb` as an array. */
export function limbOf(vector: RnsVector, limb: number, width: number): bigint[] {
  return [...vector.subarray(limb * width, (limb + 1) * width)];
}

/** The integer in [0, q) with the residues of coefficient i, by trying multiples (Garner). */
export function composed(primes: readonly bigint[], vector: RnsVector, i: number): bigint {
  const width = vector.length / primes.length;
  let value = 0n;
  let modulus = 1n;
  primes.forEach((prime, limb) => {
    const step = modulus % prime;
    let inverse = 1n;
    for (let e = prime - 2n, base = step; e > 0n; e >>= 1n, base = (base * base) % prime) {
      if (e & 1n) inverse = (inverse * base) % prime;
    }
    const missing = (vector[limb * width + i] - (value % prime) + prime) % prime;
    value += modulus * ((missing * inverse) % prime);
    modulus *= prime;
  });
  return value;
}
