import { createHash } from 'node:crypto';
import { bn254 } from '@noble/curves/bn254.js';
import type { ParameterSet } from '../../../../workers/ring/parameters.ts';
import { littleEndian, mod, naiveSmallestRoot, power, reversed } from '../../kernels/reference.ts';
import type { ReferenceContext } from '../reference.ts';

// The verifier of the kzg proof as docs/input-proofs.md has it, with integers of any size, sums in N² steps,
// noble's curve and nothing of workers/. For rings of a few hundred coefficients.

const r = bn254.fields.Fr.ORDER;
const p = bn254.fields.Fp.ORDER;
const { G1, G2 } = bn254;
type Point = typeof G1.Point.BASE;

const sum = (values: readonly bigint[]): bigint => values.reduce((total, x) => total + x, 0n);
const product = (values: readonly bigint[]): bigint => values.reduce((all, x) => all * x, 1n);
const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const inverse = (x: bigint): bigint => power(mod(x, r), r - 2n, r);
const bigEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

/** Where a SEAL ciphertext or public key begins to have residues. */
const residuesAt = 113;

export interface ReferenceCrs {
  readonly digest: string;
  /** x and y, of each the imaginary part first: what the contract knows. */
  readonly tauG2: readonly [readonly [bigint, bigint], readonly [bigint, bigint]];
}

export function referenceKzgParameters({ degree, primes, plainModulus: t }: ParameterSet) {
  const n = 2 * degree;
  const bits = n.toString(2).length - 1;
  const honest = 21n * t + t / 2n;
  let limbs = 1;
  while (honest > (1n << BigInt(limbs * bits - 1)) - 1n) limbs++;
  const wBound = 1n << BigInt(limbs * bits - 1);
  const groups: bigint[][] = [[]];
  for (const prime of primes.slice(0, -1)) {
    const last = groups.at(-1);
    const terms = 3n * BigInt(degree) + 2n;
    if (last.length > 0 && (product([...last, prime]) * terms) / 2n + wBound >= r) {
      groups.push([prime]);
    } else last.push(prime);
  }
  const columns = Math.ceil((4 + limbs + 2 * groups.length) / 2);
  return { degree, t, n, bits, limbs, wBound, groups, columns };
}

/** Two polynomials of a SEAL object modulo P, centred; the last prime of a public key is not looked at. */
function polynomials(
  set: ParameterSet,
  group: readonly bigint[],
  limbs: number,
  bytes: Uint8Array,
  change: (limb: bigint[], prime: bigint) => bigint[],
): bigint[][] {
  const { degree, primes } = set;
  const modulus = product(group);
  return [0, 1].map((polynomial) => {
    const residues = group.map((prime) => {
      const at = (polynomial * limbs + primes.indexOf(prime)) * degree;
      const limb = Array.from({ length: degree }, (_, i) =>
        littleEndian(bytes, residuesAt + 8 * (at + i), 8),
      );
      return change(limb, prime);
    });
    return centredModulo(
      modulus,
      Array.from({ length: degree }, (_, i) =>
        sum(
          group.map((prime, l) => {
            const rest = modulus / prime;
            return rest * power(rest % prime, prime - 2n, prime) * residues[l][i];
          }),
        ),
      ),
    );
  });
}

function centredModulo(modulus: bigint, values: readonly bigint[]): bigint[] {
  return values.map((value) => {
    const rest = mod(value, modulus);
    return 2n * rest > modulus ? rest - modulus : rest;
  });
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

/** The weights of all cells by segment, and the value of their inner product with the cells. */
function innerProduct(
  set: ParameterSet,
  publicKey: Uint8Array,
  registered: Uint8Array,
  gamma: bigint,
): { weights: bigint[][]; target: bigint } {
  const { degree, t, n, bits, limbs, wBound, groups, columns } = referenceKzgParameters(set);
  const powers = [1n];
  while (powers.length < (2 * groups.length + 2) * degree) {
    powers.push((powers.at(-1) * gamma) % r);
  }
  const weights = Array.from({ length: 2 * columns }, () => new Array<bigint>(degree).fill(0n));
  let target = 0n;
  groups.forEach((group, g) => {
    const modulus = product(group);
    const [b, a] = polynomials(set, group, set.primes.length, publicKey, naiveInverse);
    const [c0, c1] = polynomials(set, group, set.primes.length - 1, registered, (limb) => limb);
    const times = (x: bigint[]) =>
      centredModulo(
        modulus,
        x.map((y) => t * y),
      );
    const equations = [
      { factor: a, right: c1 },
      { factor: times(b), right: times(c0) },
    ];
    equations.forEach(({ factor, right }, kind) => {
      const e = 2 * g + kind;
      for (let j = 0; j < degree; j++) {
        const weight = powers[e * degree + j];
        for (let i = 0; i < degree; i++) {
          const signed = j >= i ? factor[j - i] : -factor[degree + j - i];
          weights[0][i] = mod(weights[0][i] + weight * signed, r);
        }
        if (kind === 0) weights[2][j] += weight;
        else for (let l = 0; l < limbs; l++) weights[4 + l][j] += weight << BigInt(l * bits);
        weights[4 + limbs + e][j] -= modulus * weight;
        target += right[j] * weight;
      }
    });
  });
  for (let j = 0; j < degree; j++) {
    for (const at of [0, 1]) {
      const weight = powers[(2 * groups.length + at) * degree + j];
      weights[2 * at + 1][j] += weight;
      weights[2 * at][j] -= weight;
    }
  }
  const shifts = [
    ...[1n, BigInt(n) - 2n, 21n, BigInt(n) - 22n, wBound],
    ...new Array<bigint>(limbs - 1).fill(0n),
    ...new Array<bigint>(2 * groups.length).fill(BigInt(degree)),
  ];
  shifts.forEach((shift, s) => (target += shift * sum(weights[s])));
  return { weights, target: mod(target, r) };
}

/** True if the proof is one of the statement. */
export function referenceVerifyKzg(
  set: ParameterSet,
  publicKey: Uint8Array,
  registered: Uint8Array,
  context: ReferenceContext,
  crs: ReferenceCrs,
  proof: Uint8Array,
): boolean {
  const { degree, t, n, limbs, groups, columns } = referenceKzgParameters(set);
  const numbers = [
    ...[degree, t, n, limbs, columns, groups.length],
    ...groups.flatMap((group) => [group.length, ...group]),
  ];
  const parameters = Buffer.alloc(8 * numbers.length);
  numbers.forEach((number, i) => parameters.writeBigUInt64LE(BigInt(number), 8 * i));
  const prefix = Buffer.concat([
    Buffer.from('keyloom/input-proof/kzg/1'),
    ...[parameters, sha256(publicKey), sha256(registered)],
    Buffer.from(context.chainId.toString(16).padStart(64, '0'), 'hex'),
    Buffer.from(context.contract.slice(2), 'hex'),
    Buffer.from(context.user.slice(2), 'hex'),
  ]);

  const counts = [columns + 1, columns + 3];
  const length = 32 + 64 * (counts[0] + counts[1] + 2) + 32 * (columns + 3);
  if (proof.length !== length) return false;
  let at = 0;
  const take = (bytes: number): Uint8Array => proof.subarray(at, (at += bytes));
  const crsDigest = take(32);
  if (`0x${Buffer.from(crsDigest).toString('hex')}` !== crs.digest) return false;
  const [first, second] = counts.map((count) => take(64 * count));
  const valueBytes = take(32 * (columns + 3));
  const openings = take(128);
  const points = [first, second, openings].map((bytes) => pointsOf(bytes));
  if (points.includes(undefined)) return false;
  const [columnPoints, sumPoints, [w, wNext]] = points as Point[][];
  const values = Array.from({ length: columns + 3 }, (_, i) =>
    littleEndian(valueBytes, 32 * i, 32),
  );
  if (values.some((value) => value >= r)) return false;

  const start = sha256(prefix, crsDigest);
  const afterColumns = sha256(start, first);
  const afterSums = sha256(afterColumns, second);
  const afterValues = sha256(afterSums, valueBytes);
  const afterOpenings = sha256(afterValues, openings);
  const challenge = (digest: Uint8Array, number: number): bigint => {
    const halves = [0, 1].map((part) => sha256(digest, Uint8Array.of(2 * number + part)));
    return littleEndian(Buffer.concat(halves), 0, 64) % r;
  };
  const [beta, gamma, alpha] = [0, 1, 2].map((number) => challenge(afterColumns, number));
  const zeta = challenge(afterSums, 0);
  const v = challenge(afterValues, 0);
  const u = challenge(afterOpenings, 0);

  const omega = power(5n, (r - 1n) / BigInt(n), r);
  const vanishing = mod(power(zeta, BigInt(n), r) - 1n, r);
  const lagrange: bigint[] = [];
  for (let i = 0, root = 1n; i < n; i++, root = (root * omega) % r) {
    lagrange.push((((root * vanishing) % r) * inverse((zeta - root) * BigInt(n))) % r);
  }
  const { weights, target } = innerProduct(set, publicKey, registered, gamma);
  const table = sum(lagrange.map((x, i) => x * BigInt(i)));
  const columnValues = values.slice(0, columns);
  const [multiplicity, running, nextRunning] = values.slice(columns);
  const inner = columnValues.map((value, c) => {
    const cells = [...weights[2 * c], ...weights[2 * c + 1]];
    return value * mod(sum(cells.map((weight, i) => weight * lagrange[i])), r);
  });
  const share = target * inverse(BigInt(n));
  // (φ(ωζ) - φ(ζ) - α·(Σ K·f - V/n) - Σ 1/(β + f) + m/(β + T))·Π(β + f)·(β + T)/Z
  const fractions =
    sum(columnValues.map((value) => inverse(beta + value))) - multiplicity * inverse(beta + table);
  const identity = nextRunning - running - alpha * (sum(inner) - share) - fractions;
  const quotient =
    mod(identity * mod(product(columnValues.map((value) => beta + value)), r), r) *
    mod((beta + table) * inverse(vanishing), r);

  const chunks = sumPoints.slice(1);
  const zetaN = power(zeta, BigInt(n), r);
  const combined = chunks
    .map((chunk, k) => times(chunk, power(zetaN, BigInt(k), r)))
    .reduce((left, right) => left.add(right));
  const opened: [Point, bigint][] = [
    ...columnPoints.map((point, i): [Point, bigint] => [point, values[i]]),
    [sumPoints[0], running],
    [combined, quotient],
  ];
  const shown = opened
    .map(([point, value], i) =>
      times(point.subtract(times(G1.Point.BASE, value)), power(v, BigInt(i), r)),
    )
    .reduce((left, right) => left.add(right));
  const next = times(sumPoints[0].subtract(times(G1.Point.BASE, nextRunning)), u);
  const left = w.add(times(wNext, u));
  const right = times(w, zeta)
    .add(times(wNext, u * zeta * omega))
    .add(shown)
    .add(next);
  const [x, y] = crs.tauG2.map(([im, re]) => bn254.fields.Fp2.fromBigTuple([re, im]));
  const tauG2 = G2.Point.fromAffine({ x, y });
  const { Fp12 } = bn254.fields;
  return Fp12.eql(bn254.pairing(left, tauG2), bn254.pairing(right, G2.Point.BASE));
}

const times = (point: Point, scalar: bigint): Point => point.multiplyUnsafe(mod(scalar, r));

/** Points of the curve, none infinity and all coordinates below p; or undefined. */
function pointsOf(bytes: Uint8Array): Point[] | undefined {
  const points = Array.from({ length: bytes.length / 64 }, (_, i) => {
    const x = bigEndian(bytes.subarray(64 * i, 64 * i + 32));
    const y = bigEndian(bytes.subarray(64 * i + 32, 64 * i + 64));
    const onCurve = x < p && y < p && (y * y - x * x * x - 3n) % p === 0n;
    return onCurve ? G1.Point.fromAffine({ x, y }) : undefined;
  });
  return points.includes(undefined) ? undefined : (points as Point[]);
}
