import { hash } from 'node:crypto';
import {
  bytesToHex,
  decodeAbiParameters,
  encodeAbiParameters,
  keccak256,
  zeroHash,
  type Hex,
} from 'viem';
import { fromEvm, g1Generator, g2Generator, pointBytes, toEvm } from '../curve/points.ts';
import { merkleRoot, type Leaves } from '../sharing/merkle.ts';
import type { PowersFile } from './file.ts';
import { powerCount } from './layout.ts';
import type { PlainPoints } from './points.ts';

/** A point of G1 as the precompiles take it. */
export interface G1Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** A point of G2 as the precompiles take it: of each coordinate the imaginary part first. */
export interface G2Point {
  readonly x: readonly [imaginary: bigint, real: bigint];
  readonly y: readonly [imaginary: bigint, real: bigint];
}

/** What the contract sees of a file. See docs/ceremony.md, State. */
export interface PowersState {
  readonly power: number;
  /** SHA-256 of the file. */
  readonly digest: Hex;
  /** Merkle root over the points of sections 2, 4 and 5. */
  readonly g1Root: Hex;
  /** Merkle root over the points of section 3. */
  readonly g2Root: Hex;
  readonly tauG1: G1Point;
  readonly alphaG1: G1Point;
  readonly betaG1: G1Point;
  readonly tauG2: G2Point;
  readonly betaG2: G2Point;
}

const g1Type = [
  { name: 'x', type: 'uint256' },
  { name: 'y', type: 'uint256' },
] as const;
const g2Type = [
  { name: 'x', type: 'uint256[2]' },
  { name: 'y', type: 'uint256[2]' },
] as const;

/** The contracts' struct of the same name. */
export const powersStateType = {
  type: 'tuple',
  components: [
    { name: 'power', type: 'uint8' },
    { name: 'digest', type: 'bytes32' },
    { name: 'g1Root', type: 'bytes32' },
    { name: 'g2Root', type: 'bytes32' },
    { name: 'tauG1', type: 'tuple', components: g1Type },
    { name: 'alphaG1', type: 'tuple', components: g1Type },
    { name: 'betaG1', type: 'tuple', components: g1Type },
    { name: 'tauG2', type: 'tuple', components: g2Type },
    { name: 'betaG2', type: 'tuple', components: g2Type },
  ],
} as const;

/**
 * What a ceremony starts from: the generators, no file, no roots.
 *
 * @throws CeremonyError POWER_OUT_OF_RANGE
 */
export function initialState(power: number): PowersState {
  powerCount(power);
  const g1 = g1PointOf(toEvm('g1', g1Generator));
  const g2 = g2Point(toEvm('g2', g2Generator));
  return {
    power,
    ...{ digest: zeroHash, g1Root: zeroHash, g2Root: zeroHash },
    ...{ tauG1: g1, alphaG1: g1, betaG1: g1, tauG2: g2, betaG2: g2 },
  };
}

/** The state that a file stands for. */
export function stateOf(file: PowersFile, points: PlainPoints): PowersState {
  return {
    power: file.power,
    digest: `0x${hash('sha256', file.bytes, 'hex')}`,
    g1Root: rootOf(points.g1Leaves),
    g2Root: rootOf(points.g2Leaves),
    tauG1: g1PointOf(points.tauG1.subarray(pointBytes.g1)),
    alphaG1: g1PointOf(points.alphaTauG1),
    betaG1: g1PointOf(points.betaTauG1),
    tauG2: g2Point(points.tauG2.subarray(pointBytes.g2)),
    betaG2: g2Point(points.betaG2),
  };
}

/** 18 words. */
export function encodeState(state: PowersState): Hex {
  return encodeAbiParameters([powersStateType], [state]);
}

/** The state that 18 words encode. */
export function decodeState(words: Hex): PowersState {
  return decodeAbiParameters([powersStateType], words)[0];
}

/** What the contracts name a state by: zero for what a ceremony starts from. */
export function stateHash(state: PowersState): Hex {
  return state.digest === zeroHash ? zeroHash : keccak256(encodeState(state));
}

/**
 * The bytes of a state's point as in a file.
 *
 * @throws CurveError NOT_A_POINT for a coordinate that is not below the prime
 */
export function g1BytesOf({ x, y }: G1Point): Uint8Array {
  return fromEvm('g1', words(x, y));
}

/** As g1BytesOf, in G2. */
export function g2BytesOf({ x, y }: G2Point): Uint8Array {
  return fromEvm('g2', words(...x, ...y));
}

function words(...values: bigint[]): Uint8Array {
  return Buffer.from(values.map((value) => value.toString(16).padStart(64, '0')).join(''), 'hex');
}

/** The point that two plain words stand for. */
export function g1PointOf(bytes: Uint8Array): G1Point {
  return { x: wordAt(bytes, 0), y: wordAt(bytes, 1) };
}

function g2Point(bytes: Uint8Array): G2Point {
  return {
    x: [wordAt(bytes, 0), wordAt(bytes, 1)],
    y: [wordAt(bytes, 2), wordAt(bytes, 3)],
  };
}

function wordAt(bytes: Uint8Array, place: number): bigint {
  return BigInt(bytesToHex(bytes.subarray(32 * place, 32 * (place + 1))));
}

function rootOf(leaves: Leaves): Hex {
  return bytesToHex(merkleRoot(leaves));
}
