/**
 * Writes test/vectors/ring.json from the slow reference: `node test/vectors/ring.ts`.
 *
 * Streams are SHAKE128 of their name. Residues are 16 bytes of a stream each, modulo the prime; a
 * digest is SHA-256 of residues as u64, limb-major.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  distributions,
  littleEndian,
  mod,
  naiveCoefficient,
  naiveNtt,
  naiveSmallestRoot,
  seededBytes,
  seededResidues,
} from '../workers/kernels/reference.ts';
import { parameterSets } from '../../workers/ring/parameters.ts';

const width = 16;
const uniformBits = [0, 20, 31, 32, 99, 106, 128];

const texts = (values: readonly bigint[]) => values.map(String);
const digest = (values: readonly bigint[]) =>
  createHash('sha256').update(new Uint8Array(BigUint64Array.from(values).buffer)).digest('hex');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const each = (value: (j: number) => bigint) => Array.from({ length: width }, (_, j) => value(j));

function expander() {
  const read = (name: string, bytesEach: number, value: (x: Uint8Array, j: number) => bigint) => {
    const bytes = seededBytes(name, bytesEach * width);
    return { bytes: hex(bytes), values: texts(each((j) => value(bytes, j))) };
  };
  return {
    ternary: read('ternary', 8, distributions.ternary),
    binomial: read('binomial', 6, distributions.binomial),
    uniform: uniformBits.map((bits) => ({
      bits,
      ...read(`uniform/${bits}`, 4 * Math.ceil((bits + 1) / 32), (x, j) =>
        distributions.uniform(x, j, bits),
      ),
    })),
  };
}

function publicPolynomial(itemId: Uint8Array, primes: readonly bigint[], degree: number) {
  return primes.flatMap((prime, limb) => {
    const suffix = Buffer.alloc(4);
    suffix.writeUInt32LE(limb);
    const stream = createHash('shake128', { outputLength: 16 * degree })
      .update(Buffer.concat([Buffer.from('keyloom/a/1'), itemId, suffix]))
      .digest();
    return Array.from({ length: degree }, (_, j) => littleEndian(stream, 16 * j, 16) % prime);
  });
}

const sets = parameterSets.map(({ name, degree, primes }) => {
  const itemId = seededBytes(`item/${name}`, 32);
  const polynomial = publicPolynomial(itemId, primes, degree);
  return {
    name,
    roots: texts(primes.map((prime) => naiveSmallestRoot(2 * degree, prime))),
    itemId: hex(itemId),
    publicPolynomial: { first: texts(polynomial.slice(0, 4)), digest: digest(polynomial) },
  };
});

/** A ring of degree 16 over the primes of the first set: small enough to print. */
function small() {
  const { primes } = parameterSets[0];
  const at = (name: string, limb: number) => seededResidues(`${name}/${limb}`, width, primes[limb]);
  const limbs = (name: string) => primes.map((_, limb) => at(name, limb));
  const [a, s, c] = [limbs('a'), limbs('s'), limbs('c')];
  return {
    primes: texts(primes),
    ntt: primes.map((prime, limb) => texts(naiveNtt(a[limb], prime))),
    multiplyAdd: primes.map((prime, limb) =>
      texts(each((j) => mod(naiveCoefficient(a[limb], s[limb], j, prime) + c[limb][j], prime))),
    ),
  };
}

const vectors = { expander: expander(), sets, small: small() };
writeFileSync(
  new URL('ring.json', import.meta.url),
  `${JSON.stringify(vectors, undefined, 2)}\n`,
);
