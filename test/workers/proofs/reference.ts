import { createHash } from 'node:crypto';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import {
  distributions,
  littleEndian,
  mod,
  naiveSmallestRoot,
  power,
  reversed,
} from '../kernels/reference.ts';

// The lattice proof as docs/input-proofs.md has it, with integers modulo q of arbitrary size, products in
// N² steps and nothing of workers/. For rings of a few hundred coefficients.

const sum = (values: readonly bigint[]): bigint => values.reduce((total, x) => total + x, 0n);
const absolute = (x: bigint): bigint => (x < 0n ? -x : x);
const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const log2AtLeast = (x: bigint): bigint => BigInt((x - 1n).toString(2).length);

/** Where a SEAL ciphertext or public key begins to have residues. */
const residuesAt = 113;

export interface ReferenceContext {
  readonly chainId: bigint;
  readonly contract: string;
  readonly user: string;
}

/** Of one equation: the prime the intervals lie in, their bits, the largest honest error. */
interface Cut {
  readonly limb: number;
  readonly bits: bigint;
  readonly bound: bigint;
}

export function referenceParameters({ degree, primes, plainModulus: t }: ParameterSet) {
  const n = BigInt(degree);
  const data = primes.slice(0, -1);
  const challengeBits = log2AtLeast(2n * n);
  const repetitions = (128n + challengeBits - 1n) / challengeBits;
  const all = n * repetitions;
  const maskBits = log2AtLeast(3n * all);
  const largest = data.reduce((most, prime) => (prime > most ? prime : most));
  const bound = 21n * t + (t - 1n) / 2n;
  const cuts: [Cut, Cut] = [
    { limb: 0, bits: log2AtLeast(4n * 42n * all), bound: 21n },
    { limb: data.indexOf(largest), bits: log2AtLeast(4n * bound * all), bound },
  ];
  const normBound = (11n * n * 4n ** maskBits) / 30n;
  const q = data.reduce((product, prime) => product * prime, 1n);
  return { n, degree, t, data, q, challengeBits, repetitions, maskBits, normBound, cuts };
}

type Parameters = ReturnType<typeof referenceParameters>;

/** Integers in [0, q) from residues modulo each prime. */
function combined({ data, q, degree }: Parameters, residues: readonly bigint[][]): bigint[] {
  const weights = data.map((prime) => {
    const rest = q / prime;
    return rest * power(rest % prime, prime - 2n, prime);
  });
  return Array.from(
    { length: degree },
    (_, i) => sum(weights.map((weight, l) => weight * residues[l][i])) % q,
  );
}

/** The polynomials of a SEAL object of two polynomials of `limbs` primes, each modulo the first ones. */
function polynomials(parameters: Parameters, limbs: number, bytes: Uint8Array): bigint[][][] {
  const { degree, data } = parameters;
  return [0, 1].map((polynomial) =>
    data.map((_, l) =>
      Array.from({ length: degree }, (__, i) =>
        littleEndian(bytes, residuesAt + 8 * ((polynomial * limbs + l) * degree + i), 8),
      ),
    ),
  );
}

/** The inverse of `naiveNtt`. */
function naiveInverse(x: readonly bigint[], prime: bigint): bigint[] {
  const n = x.length;
  const psi = power(naiveSmallestRoot(2 * n, prime), prime - 2n, prime);
  const powers = x.map((_, i) => power(psi, BigInt(2 * reversed(i, Math.log2(n)) + 1), prime));
  const scale = power(BigInt(n), prime - 2n, prime);
  let current = x.map((value) => (value * scale) % prime);
  return x.map(() => {
    const value = sum(current) % prime;
    current = current.map((y, i) => (y * powers[i]) % prime);
    return value;
  });
}

/** a·b modulo q and X^N + 1. */
function times({ q, degree }: Parameters, a: readonly bigint[], b: readonly bigint[]): bigint[] {
  const product = new Array<bigint>(2 * degree).fill(0n);
  a.forEach((x, i) => b.forEach((y, j) => (product[i + j] += x * y)));
  return Array.from({ length: degree }, (_, i) => mod(product[i] - product[i + degree], q));
}

/** X^exponent·a. */
function rotated(a: readonly bigint[], exponent: number): bigint[] {
  const n = a.length;
  const out = new Array<bigint>(n);
  a.forEach((x, i) => {
    const target = (i + exponent) % (2 * n);
    out[target % n] = target < n ? x : -x;
  });
  return out;
}

export function referenceKey(set: ParameterSet, publicKey: Uint8Array) {
  const parameters = referenceParameters(set);
  const [b, a] = polynomials(parameters, set.primes.length, publicKey).map((polynomial) =>
    combined(
      parameters,
      polynomial.map((limb, l) => naiveInverse(limb, parameters.data[l])),
    ),
  );
  return { parameters, a, b, digest: sha256(publicKey) };
}

export type ReferenceKey = ReturnType<typeof referenceKey>;

function prefix(
  { parameters, digest }: ReferenceKey,
  registered: Uint8Array,
  { chainId, contract, user }: ReferenceContext,
): Buffer {
  const { n, t, repetitions, maskBits, normBound, cuts, data } = parameters;
  const numbers = [
    ...[n, t, repetitions, maskBits, normBound],
    ...cuts.flatMap(({ limb, bits, bound }) => [BigInt(limb), bits, bound]),
    ...[BigInt(data.length), ...data],
  ];
  const bytes = Buffer.alloc(8 * numbers.length);
  numbers.forEach((number, i) => bytes.writeBigUInt64LE(number, 8 * i));
  return Buffer.concat([
    Buffer.from('keyloom/input-proof/lattice/1'),
    bytes,
    digest,
    sha256(registered),
    Buffer.from(chainId.toString(16).padStart(64, '0'), 'hex'),
    Buffer.from(contract.slice(2), 'hex'),
    Buffer.from(user.slice(2), 'hex'),
  ]);
}

/** Bytes of the intervals of integers in [0, q). */
function intervals({ data }: Parameters, { limb, bits }: Cut, values: readonly bigint[]): Buffer {
  const inBlock = values.map((x) => x % data[limb]);
  const numbers = Buffer.alloc(4 * values.length);
  inBlock.forEach((v, i) => numbers.writeUInt32LE(Number(v >> bits), 4 * i));
  const others = data
    .filter((_, l) => l !== limb)
    .map((prime) => {
      const rests = Buffer.alloc(8 * values.length);
      values.forEach((x, i) => rests.writeBigUInt64LE((x - inBlock[i]) % prime, 8 * i));
      return rests;
    });
  return Buffer.concat([numbers, ...others]);
}

/** c1 and t·c0 of the c whose double is registered. */
function halved({ parameters }: ReferenceKey, registered: Uint8Array): [bigint[], bigint[]] {
  const { data, q, t } = parameters;
  const half = (q + 1n) / 2n;
  const [c0, c1] = polynomials(parameters, data.length, registered).map((polynomial) =>
    combined(parameters, polynomial),
  );
  return [c1.map((x) => (x * half) % q), c0.map((x) => (x * half * t) % q)];
}

function exponents({ repetitions, challengeBits }: Parameters, digest: Uint8Array): number[] {
  const number = littleEndian(digest, 0, 32);
  return Array.from({ length: Number(repetitions) }, (_, k) =>
    Number((number >> (BigInt(k) * challengeBits)) % (1n << challengeBits)),
  );
}

/** a·x and t·b·x. */
function products({ parameters, a, b }: ReferenceKey, x: readonly bigint[]): [bigint[], bigint[]] {
  const { t, q } = parameters;
  return [
    times(parameters, a, x),
    times(
      parameters,
      b.map((y) => (t * y) % q),
      x,
    ),
  ];
}

/** True if the proof is one of the statement. */
export function referenceVerify(
  key: ReferenceKey,
  registered: Uint8Array,
  context: ReferenceContext,
  proof: Uint8Array,
): boolean {
  const { parameters } = key;
  const { degree, repetitions, maskBits, normBound, cuts, q } = parameters;
  const width = maskBits + 1n;
  const bytesEach = (degree * Number(width)) / 8;
  if (proof.length !== 32 + Number(repetitions) * bytesEach) return false;
  const bound = 1n << maskBits;
  const rights = halved(key, registered);
  const challenges = exponents(parameters, proof);
  const digests: Buffer[] = [];
  for (const [k, exponent] of challenges.entries()) {
    const packed = littleEndian(proof, 32 + k * bytesEach, bytesEach);
    const z = Array.from(
      { length: degree },
      (_, i) => ((packed >> (BigInt(i) * width)) & (2n * bound - 1n)) - bound,
    );
    if (z.some((x) => x < 1n - bound || x > bound - 2n)) return false;
    if (sum(z.map((x) => x * x)) > normBound) return false;
    const blocks = products(key, z).map((product, e) => {
      const shift = rotated(rights[e], exponent);
      return intervals(
        parameters,
        cuts[e],
        product.map((x, i) => mod(x - shift[i], q)),
      );
    });
    digests.push(sha256(...blocks));
  }
  const digest = sha256(prefix(key, registered, context), ...digests);
  return digest.equals(proof.subarray(0, 32));
}

export interface ReferenceWitness {
  readonly u: readonly bigint[];
  readonly e1: readonly bigint[];
  readonly w: readonly bigint[];
}

/** The witness of an encryption that draws u, e0 and e1 from a stream, in this order. */
export function referenceWitness(
  { parameters }: ReferenceKey,
  plaintext: readonly bigint[],
  draw: (length: number) => Uint8Array,
): ReferenceWitness {
  const { degree, q, t } = parameters;
  const each = (bytesEach: number, value: (bytes: Uint8Array, i: number) => bigint): bigint[] => {
    const bytes = draw(bytesEach * degree);
    return Array.from({ length: degree }, (_, i) => value(bytes, i));
  };
  const u = each(8, distributions.ternary);
  const e0 = each(6, distributions.binomial);
  const e1 = each(6, distributions.binomial);
  // round(q·m/t)·t - q·m, halves up
  const w = plaintext.map((m, i) => t * e0[i] + ((2n * q * m + t) / (2n * t)) * t - q * m);
  return { u, e1, w };
}

/** (c0, c1), each coefficient in [0, q). */
export function referenceCiphertext(
  key: ReferenceKey,
  { u, e1, w }: ReferenceWitness,
): [bigint[], bigint[]] {
  const { q, t } = key.parameters;
  const [au, tbu] = products(key, u);
  const inverse = inverseModulo(t, q);
  return [tbu.map((x, i) => mod((x + w[i]) * inverse, q)), au.map((x, i) => mod(x + e1[i], q))];
}

function inverseModulo(value: bigint, modulus: bigint): bigint {
  let [r0, r1, s0, s1] = [modulus, value % modulus, 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [s0, s1] = [s1, s0 - quotient * s1];
  }
  return mod(s0, modulus);
}

/** What a prover makes of a stream from which each try draws its masks. */
export function referenceProve(
  key: ReferenceKey,
  registered: Uint8Array,
  context: ReferenceContext,
  { u, e1, w }: ReferenceWitness,
  draw: (length: number) => Uint8Array,
): Uint8Array {
  const { parameters } = key;
  const { degree, repetitions, maskBits, normBound, cuts, data, q } = parameters;
  const bound = 1n << maskBits;
  const width = maskBits + 1n;
  for (;;) {
    const bytes = draw(4 * degree * Number(repetitions));
    const masks = Array.from({ length: Number(repetitions) }, (_, k) =>
      Array.from(
        { length: degree },
        (__, i) => (littleEndian(bytes, 4 * (k * degree + i), 4) & (2n * bound - 1n)) - bound,
      ),
    );
    const committed = masks.map((mask) => products(key, mask));
    const blocks = committed.map((values) =>
      sha256(...values.map((value, e) => intervals(parameters, cuts[e], value))),
    );
    const digest = sha256(prefix(key, registered, context), ...blocks);
    const challenges = exponents(parameters, digest);
    const responses = masks.map((mask, k) => {
      const shift = rotated(u, challenges[k]);
      return mask.map((y, i) => y + shift[i]);
    });
    const inRange = responses.every(
      (z) =>
        z.every((x) => x >= 1n - bound && x <= bound - 2n) && sum(z.map((x) => x * x)) <= normBound,
    );
    const farFromEnds = committed.every((values, k) =>
      values.every((value, e) => {
        const { limb, bits, bound: errorBound } = cuts[e];
        const shift = rotated(e === 0 ? e1 : w, challenges[k]);
        return value.every((x, i) => {
          const v = mod(x - shift[i], q) % data[limb];
          const offset = v % (1n << bits);
          const end = v - offset + (1n << bits);
          const length = (end < data[limb] ? end : data[limb]) - (v - offset);
          return offset >= errorBound && offset < length - errorBound;
        });
      }),
    );
    if (!inRange || !farFromEnds) continue;
    const packed = responses.map((z) => {
      const number = sum(z.map((x, i) => (x + bound) << (BigInt(i) * width)));
      const hex = number.toString(16).padStart((degree * Number(width)) / 4, '0');
      return Buffer.from(hex, 'hex').reverse();
    });
    return Buffer.concat([digest, ...packed]);
  }
}

/** The largest absolute value. */
export function referenceNorm(values: readonly bigint[]): bigint {
  return values.map(absolute).reduce((most, x) => (x > most ? x : most));
}
