/**
 * Slow and plain versions of what workers/ceremony computes, written from docs/ceremony.md alone:
 * bigints, @noble/curves, ABI words put together by hand. Nothing here calls the code under test.
 */
import { createHash } from 'node:crypto';
import { bn254 } from '@noble/curves/bn254.js';
import { keccak256, toHex, type Hex } from 'viem';

export const { Fp, Fp2, Fr } = bn254.fields;
export const G1 = bn254.G1.Point;
export const G2 = bn254.G2.Point;
export type G1 = InstanceType<typeof G1>;
export type G2 = InstanceType<typeof G2>;

export interface Secrets {
  readonly tau: bigint;
  readonly alpha: bigint;
  readonly beta: bigint;
}

/** The points of a ceremony, by section of the file. */
export interface Points {
  power: number;
  tauG1: G1[];
  tauG2: G2[];
  alphaTauG1: G1[];
  betaTauG1: G1[];
  betaG2: G2;
}

/** Sections of the tree over G1, in its order. */
export const g1Sections = ['tauG1', 'alphaTauG1', 'betaTauG1'] as const;

/** A scalar from text: SHA-256, taken modulo the group order. */
export const scalar = (text: string): bigint =>
  BigInt(`0x${createHash('sha256').update(text).digest('hex')}`) % Fr.ORDER;

export const secretsOf = (text: string): Secrets => ({
  tau: scalar(`${text}: tau`),
  alpha: scalar(`${text}: alpha`),
  beta: scalar(`${text}: beta`),
});

/** The points of a ceremony whose secrets, of all contributors together, are these. */
export function powersOf(power: number, { tau, alpha, beta }: Secrets): Points {
  const size = 2 ** power;
  const powers: bigint[] = [];
  for (let k = 0, x = 1n; k < 2 * size - 1; k++, x = Fr.mul(x, tau)) powers.push(x);
  const lower = powers.slice(0, size);
  return {
    power,
    tauG1: powers.map((x) => G1.BASE.multiply(x)),
    tauG2: lower.map((x) => G2.BASE.multiply(x)),
    alphaTauG1: lower.map((x) => G1.BASE.multiply(Fr.mul(alpha, x))),
    betaTauG1: lower.map((x) => G1.BASE.multiply(Fr.mul(beta, x))),
    betaG2: G2.BASE.multiply(beta),
  };
}

export const product = (a: Secrets, b: Secrets): Secrets => ({
  tau: Fr.mul(a.tau, b.tau),
  alpha: Fr.mul(a.alpha, b.alpha),
  beta: Fr.mul(a.beta, b.beta),
});

/** 32 bytes, big-endian. */
export const word = (value: bigint): Buffer =>
  Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const words = (...values: bigint[]): Buffer => Buffer.concat(values.map(word));
export const wordsOf = (bytes: Uint8Array): bigint[] =>
  Array.from({ length: bytes.length / 32 }, (_, at) =>
    BigInt(`0x${Buffer.from(bytes.subarray(32 * at, 32 * at + 32)).toString('hex')}`),
  );

/** Leaves: points as the precompiles take them; the point at infinity is all zero. */
export function g1Leaf(point: G1): Buffer {
  if (point.is0()) return words(0n, 0n);
  const { x, y } = point.toAffine();
  return words(x, y);
}

export function g2Leaf(point: G2): Buffer {
  if (point.is0()) return words(0n, 0n, 0n, 0n);
  const { x, y } = point.toAffine();
  return words(x.c1, x.c0, y.c1, y.c0);
}

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hasher = createHash('sha256');
  parts.forEach((part) => hasher.update(part));
  return hasher.digest();
};

/** All digests of a tree, the leaves' first. */
function tree(leaves: readonly Uint8Array[]): Buffer[][] {
  let level = leaves.map((leaf) => sha256(Buffer.of(0), leaf));
  const padding = sha256(Buffer.of(0), Buffer.alloc(leaves[0].length));
  while ((level.length & (level.length - 1)) !== 0) level.push(padding);
  const levels = [level];
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, at) =>
      sha256(Buffer.of(1), below[2 * at], below[2 * at + 1]),
    );
    levels.push(level);
  }
  return levels;
}

export const root = (leaves: readonly Uint8Array[]): Hex => toHex(tree(leaves).at(-1)[0]);

export const path = (leaves: readonly Uint8Array[], index: number): Hex[] =>
  tree(leaves)
    .slice(0, -1)
    .map((level, height) => toHex(level[(index >> height) ^ 1]));

/** The root that a leaf and its siblings lead to. */
export function rootFrom(leaf: Uint8Array, index: number, siblings: readonly Hex[]): Hex {
  let digest = sha256(Buffer.of(0), leaf);
  siblings.forEach((sibling, height) => {
    const other = Buffer.from(sibling.slice(2), 'hex');
    digest =
      (index >> height) & 1
        ? sha256(Buffer.of(1), other, digest)
        : sha256(Buffer.of(1), digest, other);
  });
  return toHex(digest);
}

/** Leaves of both trees. A test may replace one before it makes a state of them. */
export interface Leaves {
  readonly g1: Uint8Array[];
  readonly g2: Uint8Array[];
}

export const leavesOf = (points: Points): Leaves => ({
  g1: g1Sections.flatMap((section) => points[section].map(g1Leaf)),
  g2: points.tauG2.map(g2Leaf),
});

/** The eighteen words of a state. */
export interface State {
  power: number;
  digest: Hex;
  g1Root: Hex;
  g2Root: Hex;
  tauG1: Uint8Array;
  alphaG1: Uint8Array;
  betaG1: Uint8Array;
  tauG2: Uint8Array;
  betaG2: Uint8Array;
}

export const stateOf = (points: Points, digest: Hex, leaves = leavesOf(points)): State => ({
  power: points.power,
  digest,
  g1Root: root(leaves.g1),
  g2Root: root(leaves.g2),
  tauG1: g1Leaf(points.tauG1[1]),
  alphaG1: g1Leaf(points.alphaTauG1[0]),
  betaG1: g1Leaf(points.betaTauG1[0]),
  tauG2: g2Leaf(points.tauG2[1]),
  betaG2: g2Leaf(points.betaG2),
});

const hexBytes = (hex: Hex): Buffer => Buffer.from(hex.slice(2), 'hex');

export const encodeState = (state: State): Buffer =>
  Buffer.concat([
    word(BigInt(state.power)),
    ...[state.digest, state.g1Root, state.g2Root].map(hexBytes),
    ...[state.tauG1, state.alphaG1, state.betaG1, state.tauG2, state.betaG2],
  ]);

export const stateHash = (state: State): Hex => keccak256(encodeState(state));

export interface ProofContext {
  readonly chainId: bigint;
  readonly crsManager: Hex;
  readonly ceremonyId: Hex;
  readonly index: number;
  readonly previousHash: Hex;
  readonly nextHash: Hex;
}

const tag = (text: string): bigint => BigInt(keccak256(Buffer.from(text)));

/** Challenge of the proof of knowledge. */
export function proofChallenge(context: ProofContext, commitments: readonly G1[]): bigint {
  const preimage = Buffer.concat([
    words(tag('Keyloom powers of tau: proof of knowledge v1')),
    words(context.chainId, BigInt(context.crsManager), BigInt(context.ceremonyId)),
    words(BigInt(context.index), BigInt(context.previousHash), BigInt(context.nextHash)),
    ...commitments.map(g1Leaf),
  ]);
  return BigInt(keccak256(preimage)) % Fr.ORDER;
}

/** Proof of knowledge: challenge, then the answers for tau, alpha and beta. */
export function prove(
  context: ProofContext,
  previous: readonly G1[],
  secrets: Secrets,
  nonces: Secrets,
): bigint[] {
  const names = ['tau', 'alpha', 'beta'] as const;
  const commitments = names.map((name, at) => previous[at].multiply(nonces[name]));
  const challenge = proofChallenge(context, commitments);
  return [
    challenge,
    ...names.map((name) => Fr.add(nonces[name], Fr.mul(challenge, secrets[name]))),
  ];
}

export const pairingsEqual = (a: [G1, G2], b: [G1, G2]): boolean =>
  bn254.fields.Fp12.eql(bn254.pairing(...a), bn254.pairing(...b));

/** A point on the twist that is outside the subgroup: the first x = (k, 0) from 1 that has one. */
export function outsideSubgroup(): Buffer {
  const b = Fp2.div(Fp2.create({ c0: 3n, c1: 0n }), Fp2.create({ c0: 9n, c1: 1n }));
  for (let k = 1n; ; k++) {
    const x = { c0: k, c1: 0n };
    const square = Fp2.add(Fp2.pow(x, 3n), b);
    try {
      const point = G2.fromAffine({ x, y: Fp2.sqrt(square) });
      if (!isTorsionFree(point)) return g2Leaf(point);
    } catch {
      // This x has no y.
    }
  }
}

const isTorsionFree = (point: G2): boolean =>
  point
    .multiplyUnsafe(Fr.ORDER - 1n)
    .add(point)
    .is0();

/** What a vector, or the code under test, claims to be wrong with a state. */
export interface ClaimedFlaw {
  readonly kind: string;
  readonly section: number;
  readonly place: number;
  readonly leaves: readonly { readonly point: string; readonly path: readonly string[] }[];
}

const bytesOf = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex');

/** The point that a leaf stands for, or undefined if it stands for none. */
function g1From(leaf: Uint8Array): G1 | undefined {
  const [x, y] = wordsOf(leaf);
  return pointFrom(() => {
    const point = G1.fromAffine({ x, y });
    point.assertValidity();
    return point;
  }, [x, y]);
}

function g2From(leaf: Uint8Array): G2 | undefined {
  const [xi, xr, yi, yr] = wordsOf(leaf);
  return pointFrom(() => {
    const point = G2.fromAffine({ x: { c0: xr, c1: xi }, y: { c0: yr, c1: yi } });
    point.assertValidity();
    if (!isTorsionFree(point)) throw new Error('outside the subgroup');
    return point;
  }, [xi, xr, yi, yr]);
}

function pointFrom<T>(make: () => T, coordinates: readonly bigint[]): T | undefined {
  if (coordinates.some((x) => x >= Fp.ORDER) || coordinates.every((x) => x === 0n))
    return undefined;
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** True if the claim holds for the state of these 18 words, by what it shows alone. */
export function isFlaw(
  encoded: Uint8Array,
  { kind, section, place, leaves }: ClaimedFlaw,
): boolean {
  const at = (from: number, count: number): Buffer =>
    Buffer.from(encoded.subarray(32 * from, 32 * (from + count)));
  const size = 2 ** encoded[31];
  const [tauG1, alphaG1, betaG1] = [4, 6, 8].map((from) => at(from, 2));
  const [tauG2, betaG2] = [10, 14].map((from) => at(from, 4));
  if (kind === 'wrong-points') {
    const g1 = [tauG1, alphaG1, betaG1].map(g1From);
    const g2 = [tauG2, betaG2].map(g2From);
    if ([...g1, ...g2].some((point) => point === undefined)) return true;
    return (
      !pairingsEqual([g1[0]!, G2.BASE], [G1.BASE, g2[0]!]) ||
      !pairingsEqual([g1[2]!, G2.BASE], [G1.BASE, g2[1]!])
    );
  }
  const inG2 = section === 3;
  const length = section === 2 ? 2 * size - 1 : size;
  const start = { 2: 0, 3: 0, 4: 2 * size - 1, 5: 3 * size - 1 }[section]!;
  const height = Math.ceil(Math.log2(inG2 ? size : 4 * size - 1));
  const root = toHex(at(inG2 ? 3 : 2, 1));
  const shown = leaves.map(({ point, path }, number) => {
    const leaf = bytesOf(point);
    const position = place + number;
    const inTree = position < length && path.length === height;
    const reached = rootFrom(leaf, start + position, path as Hex[]);
    return inTree && reached === root ? leaf : undefined;
  });
  if (shown.length !== (kind === 'wrong-neighbours' ? 2 : 1)) return false;
  const [leaf, next] = shown;
  if (shown.includes(undefined) || leaf === undefined) return false;
  if (kind === 'malformed-leaf') return (inG2 ? g2From(leaf) : g1From(leaf)) === undefined;
  if (kind === 'wrong-start') {
    const first = { 2: g1Leaf(G1.BASE), 3: g2Leaf(G2.BASE), 4: alphaG1, 5: betaG1 }[section]!;
    const second = { 2: tauG1, 3: tauG2 }[section];
    return !leaf.equals(place === 0 ? first : place === 1 && second ? second : leaf);
  }
  return inG2
    ? !pairingsEqual([g1From(tauG1)!, g2From(leaf)!], [G1.BASE, g2From(next!)!])
    : !pairingsEqual([g1From(next!)!, G2.BASE], [g1From(leaf)!, g2From(tauG2)!]);
}
