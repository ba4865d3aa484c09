import { bn254 } from '@noble/curves/bn254.js';
import { createHash } from 'node:crypto';
import {
  concatHex,
  encodeAbiParameters,
  getAbiItem,
  hexToBigInt,
  keccak256,
  toHex,
  zeroHash,
  type AbiParameter,
  type AbiParameterToPrimitiveType,
  type ContractFunctionArgs,
  type Hex,
} from 'viem';

import { crsManagerAbi, type slashingManagerAbi } from '../../../workers/chain/abi.ts';

/** Order of the base field, and of the groups. */
export const fieldOrder = bn254.fields.Fp.ORDER;
export const groupOrder = bn254.fields.Fr.ORDER;

export const [, , , stateParameter] = getAbiItem({ abi: crsManagerAbi, name: 'contribute' }).inputs;

/** As the contracts take it. */
export type PowersState = AbiParameterToPrimitiveType<typeof stateParameter>;
export type G1Point = PowersState['tauG1'];
export type G2Point = PowersState['tauG2'];
type FraudArguments = ContractFunctionArgs<
  typeof slashingManagerAbi,
  'nonpayable',
  'proveWrongContribution'
>;
export type Flaw = FraudArguments[4];
export type Leaf = Flaw['leaves'][number];

/** Numbers of the contract's FlawKind. */
export const FlawKind = { points: 0, malformed: 1, start: 2, neighbours: 3 } as const;

/** What a state's points are multiples by, or what one contributor multiplies by. */
export interface Factors {
  readonly tau: bigint;
  readonly alpha: bigint;
  readonly beta: bigint;
}

export const ones: Factors = { tau: 1n, alpha: 1n, beta: 1n };

/** scalar · G1; (0, 0) is infinity. */
export function g1(scalar: bigint): G1Point {
  const reduced = scalar % groupOrder;
  if (reduced === 0n) return { x: 0n, y: 0n };
  return bn254.G1.Point.BASE.multiply(reduced).toAffine();
}

/** scalar · G2, imaginary parts first; zeros are infinity. */
export function g2(scalar: bigint): G2Point {
  const reduced = scalar % groupOrder;
  if (reduced === 0n) return { x: [0n, 0n], y: [0n, 0n] };
  const { x, y } = bn254.G2.Point.BASE.multiply(reduced).toAffine();
  return { x: [x.c1, x.c0], y: [y.c1, y.c0] };
}

/** A point of the twist that is not in G2. There are many: the first one by the real part of x. */
export function outsideG2(): G2Point {
  const { Fp2 } = bn254.fields;
  const b = Fp2.div(Fp2.create({ c0: 3n, c1: 0n }), Fp2.create({ c0: 9n, c1: 1n }));
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.create({ c0, c1: 0n });
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), b);
    let y;
    try {
      y = Fp2.sqrt(square);
    } catch {
      continue;
    }
    const point = bn254.G2.Point.fromAffine({ x, y });
    if (!point.isTorsionFree()) return { x: [x.c1, x.c0], y: [y.c1, y.c0] };
  }
}

const word = (value: bigint) => toHex(value, { size: 32 });

export const g1Bytes = ({ x, y }: G1Point): Hex => concatHex([word(x), word(y)]);
export const g2Bytes = ({ x, y }: G2Point): Hex => concatHex([...x, ...y].map(word));

/** Hash of a state; zero before the first contribution. */
export function stateHash(state: PowersState): Hex {
  if (state.digest === zeroHash) return zeroHash;
  return keccak256(encodeAbiParameters([stateParameter], [state]));
}

/** The state whose points are these multiples; digest and roots are of no file unless given. */
export function stateOf(
  factors: Factors,
  file: { power?: number; digest?: Hex; g1Root?: Hex; g2Root?: Hex } = {},
): PowersState {
  const { tau, alpha, beta } = factors;
  const invented = (name: string) => keccak256(toHex(`${name} ${tau} ${alpha} ${beta}`));
  const { power = 8, digest = invented('file') } = file;
  const { g1Root = invented('G1'), g2Root = invented('G2') } = file;
  return {
    ...{ power, digest, g1Root, g2Root },
    ...{ tauG1: g1(tau), alphaG1: g1(alpha), betaG1: g1(beta), tauG2: g2(tau), betaG2: g2(beta) },
  };
}

/** Before the first contribution. */
export const initialState = (power = 8): PowersState =>
  stateOf(ones, { power, digest: zeroHash, g1Root: zeroHash, g2Root: zeroHash });

/**
 * The proof that whoever made `next` out of `previous` knows the factors.
 *
 * @param nonces hashes of the next state if absent
 */
export function proveUpdate(
  step: { chainId: bigint; crsManager: Hex; ceremonyId: Hex; index: number },
  previous: PowersState,
  next: PowersState,
  factors: Factors,
  nonces?: Factors,
) {
  const names = ['tau', 'alpha', 'beta'] as const;
  const hashes = [previous, next].map(stateHash);
  const hashed = (text: string) => hexToBigInt(keccak256(toHex(text))) % groupOrder;
  const nonceOf = (name: keyof Factors) => nonces?.[name] ?? hashed(`${name} ${hashes[1]}`);
  const commitments = names.map((name) =>
    bn254.G1.Point.fromAffine(previous[`${name}G1`]).multiply(nonceOf(name)).toAffine(),
  );
  const point = { type: 'tuple', components: stateParameter.components[4].components } as const;
  const types = ['bytes32', 'uint256', 'address', 'bytes32', 'uint8', 'bytes32', 'bytes32'];
  const parameters: AbiParameter[] = [...types.map((type) => ({ type })), point, point, point];
  const encoded = encodeAbiParameters(parameters, [
    keccak256(toHex('Keyloom powers of tau: proof of knowledge v1')),
    ...[step.chainId, step.crsManager, step.ceremonyId, step.index, ...hashes],
    ...commitments,
  ]);
  const challenge = hexToBigInt(keccak256(encoded)) % groupOrder;
  const responseOf = (name: keyof Factors) =>
    (nonceOf(name) + challenge * factors[name]) % groupOrder;
  const [tau, alpha, beta] = [responseOf('tau'), responseOf('alpha'), responseOf('beta')];
  return { challenge, tau, alpha, beta };
}

const sha256 = (data: Hex): Hex =>
  toHex(createHash('sha256').update(data.slice(2), 'hex').digest());

/**
 * A tree of which only some leaves are known; every other subtree's root is a hash of its place.
 *
 * @param leaves values by position
 */
export function sparseTree(height: number, leaves: ReadonlyMap<number, Hex>) {
  const node = (level: number, index: number): Hex => {
    const known = [...leaves.keys()].some((position) => position >> level === index);
    if (!known)
      return sha256(concatHex(['0xff', toHex(level, { size: 1 }), toHex(index, { size: 4 })]));
    if (level === 0) return sha256(concatHex(['0x00', leaves.get(index)!]));
    const children = [2 * index, 2 * index + 1].map((child) => node(level - 1, child));
    return sha256(concatHex(['0x01', ...children]));
  };
  return {
    root: node(height, 0),
    /** Siblings from the leaf up. */
    path: (position: number): Hex[] =>
      Array.from({ length: height }, (_, level) => node(level, (position >> level) ^ 1)),
  };
}

/** Place of a section in the tree of its group, and how many points it has. */
export function sectionOf(section: number, power: number) {
  const n = 2 ** power;
  const [offset, length] = { 2: [0, 2 * n - 1], 3: [0, n], 4: [2 * n - 1, n], 5: [3 * n - 1, n] }[
    section
  ]!;
  return { offset, length, height: section === 3 ? power : power + 2 };
}

/** The right point at a place of a file, in the form of the trees. */
export function rightPoint({ tau, alpha, beta }: Factors, section: number, place: number): Hex {
  let power = 1n;
  for (let k = 0; k < place; k++) power = (power * tau) % groupOrder;
  if (section === 3) return g2Bytes(g2(power));
  return g1Bytes(g1({ 2: power, 4: alpha * power, 5: beta * power }[section]!));
}

/**
 * A state whose file has these points, as far as it is known, and a leaf of it as evidence.
 *
 * @param points by section and place: `2/0`
 */
export function stateWith(
  factors: Factors,
  points: Readonly<Record<string, Hex>>,
  power = 8,
): { state: PowersState; leaf: (section: number, place: number) => Leaf } {
  const known = { g1: new Map<number, Hex>(), g2: new Map<number, Hex>() };
  for (const [where, point] of Object.entries(points)) {
    const [section, place] = where.split('/').map(Number) as [number, number];
    const { offset } = sectionOf(section, power);
    known[section === 3 ? 'g2' : 'g1'].set(offset + place, point);
  }
  const trees = { g1: sparseTree(power + 2, known.g1), g2: sparseTree(power, known.g2) };
  const state = stateOf(factors, { power, g1Root: trees.g1.root, g2Root: trees.g2.root });
  return {
    state,
    leaf: (section, place) => {
      const group = section === 3 ? 'g2' : 'g1';
      const position = sectionOf(section, power).offset + place;
      return { point: known[group].get(position)!, path: trees[group].path(position) };
    },
  };
}
