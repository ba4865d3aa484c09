import { bytesToHex, type Hex } from 'viem';
import type { Curve } from '../curve/curve.ts';
import { CurveErrorCode } from '../curve/errors.ts';
import { pointBytes, type Group } from '../curve/points.ts';
import { isKeyloomError } from '../errors.ts';
import { merklePath, merkleRoot } from '../sharing/merkle.ts';
import type { EndPoints } from './ends.ts';
import { CeremonyError } from './errors.ts';
import { parsePowersFile, type PowersFile } from './file.ts';
import { pointCount } from './layout.ts';
import { plainPoints, type PlainPoints } from './points.ts';
import { areConsistent, areSuccessive, powerSections, startOf } from './powers.ts';
import type { PowerSection } from './powers.ts';
import { g1BytesOf, g2BytesOf, type PowersState } from './state.ts';

/** The kinds of flaws, by the numbers that the contract gives them. */
export const flawNumbers = {
  'wrong-points': 0,
  'malformed-leaf': 1,
  'wrong-start': 2,
  'wrong-neighbours': 3,
} as const;

/** A point of a file, and its path in the tree of its group. */
export interface FlawLeaf {
  /** As the precompiles take it. */
  readonly point: Hex;
  /** Siblings from the leaf up to below the root. */
  readonly path: readonly Hex[];
}

/** What is wrong with a state, in the form in which the contract verifies it by itself. */
export interface Flaw {
  readonly kind: keyof typeof flawNumbers;
  /** 2 to 5, as in the file; 0 for wrong points. */
  readonly section: number;
  /** In the section, from 0; the lower one of two neighbours. */
  readonly place: number;
  /** None for wrong points, two for wrong neighbours, else one. */
  readonly leaves: readonly FlawLeaf[];
}

/**
 * Finds a flaw of a signed state that the contract can verify. See docs/ceremony.md, Evidence.
 *
 * Looks at the state's own points first, then at the file as far as the state's roots are those of the
 * file: malformed points, starts, and by bisection neighbours that do not have the ratio tau.
 *
 * @param bytes of what was given out as the file
 * @returns undefined if nothing can be proven: the state is right, or wrong in another way than its
 * signers are slashed for (a file that is not canonical, a root without its leaves, a wrong record)
 * @throws CurveError
 */
export async function findFlaw(
  curve: Curve,
  bytes: Uint8Array,
  state: PowersState,
): Promise<Flaw | undefined> {
  const ends = await validEnds(curve, state);
  if (ends === undefined || !(await areConsistent(curve, ends))) {
    return { kind: 'wrong-points', section: 0, place: 0, leaves: [] };
  }
  const file = parsed(bytes);
  if (file === undefined || file.power !== state.power) return undefined;
  const points = plainPoints(file);
  const sections = powerSections.filter(({ group }) => isCommitted(group, points, state));
  for (const { name, group } of sections) {
    const place = await curve.firstInvalid(group, file[name]);
    if (place !== undefined) return flawAt('malformed-leaf', file, points, name, [place]);
  }
  for (const { name } of sections) {
    const place = wrongStart(file, name, ends);
    if (place !== undefined) return flawAt('wrong-start', file, points, name, [place]);
  }
  for (const { name, group } of sections) {
    const place = await wrongNeighbours(curve, group, file[name], ends);
    if (place === undefined) continue;
    return flawAt('wrong-neighbours', file, points, name, [place, place + 1]);
  }
  return undefined;
}

/** The state's points as in a file, or undefined if one is malformed. */
async function validEnds(curve: Curve, state: PowersState): Promise<EndPoints | undefined> {
  try {
    const ends = {
      tauG1: g1BytesOf(state.tauG1),
      tauG2: g2BytesOf(state.tauG2),
      alphaG1: g1BytesOf(state.alphaG1),
      betaG1: g1BytesOf(state.betaG1),
      betaG2: g2BytesOf(state.betaG2),
    };
    const g1 = Buffer.concat([ends.tauG1, ends.alphaG1, ends.betaG1]);
    const g2 = Buffer.concat([ends.tauG2, ends.betaG2]);
    const invalid = [await curve.firstInvalid('g1', g1), await curve.firstInvalid('g2', g2)];
    return invalid.every((position) => position === undefined) ? ends : undefined;
  } catch (error) {
    if (isKeyloomError(error, CurveErrorCode.NOT_A_POINT)) return undefined;
    throw error;
  }
}

function parsed(bytes: Uint8Array): PowersFile | undefined {
  try {
    return parsePowersFile(bytes);
  } catch (error) {
    if (error instanceof CeremonyError) return undefined;
    throw error;
  }
}

/** True if the state's root is that of the points: others cannot be proven to be its leaves. */
function isCommitted(group: Group, points: PlainPoints, state: PowersState): boolean {
  return group === 'g1'
    ? bytesToHex(merkleRoot(points.g1Leaves)) === state.g1Root
    : bytesToHex(merkleRoot(points.g2Leaves)) === state.g2Root;
}

/** Place 0, or 1 where the state names that point too, of a point that is another one. */
function wrongStart(file: PowersFile, name: PowerSection, ends: EndPoints): number | undefined {
  const expected = [startOf(name, ends)];
  if (name === 'tauG1' || name === 'tauG2') expected.push(ends[name]);
  const start = file[name].subarray(0, Buffer.concat(expected).length);
  const size = expected[0].length;
  const place = expected.findIndex(
    (point, at) => Buffer.compare(point, start.subarray(at * size, (at + 1) * size)) !== 0,
  );
  return place < 0 ? undefined : place;
}

/** The lower one of two neighbours that do not have the ratio tau. */
async function wrongNeighbours(
  curve: Curve,
  group: Group,
  points: Uint8Array,
  ends: EndPoints,
): Promise<number | undefined> {
  const size = pointBytes[group];
  const holds = (from: number, to: number): Promise<boolean> =>
    areSuccessive(curve, group, points.subarray(from * size, (to + 1) * size), ends);
  let from = 0;
  let to = points.length / size - 1;
  if (await holds(from, to)) return undefined;
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (await holds(from, middle)) from = middle;
    else to = middle;
  }
  return from;
}

function flawAt(
  kind: Flaw['kind'],
  file: PowersFile,
  points: PlainPoints,
  name: PowerSection,
  places: readonly number[],
): Flaw {
  const { id, group } = powerSections.find((section) => section.name === name)!;
  const leaves = group === 'g1' ? points.g1Leaves : points.g2Leaves;
  const start = startPosition(name, file.power);
  return {
    kind,
    section: id,
    place: places[0],
    leaves: places.map((place) => ({
      point: bytesToHex(leaves.at(start + place)!),
      path: merklePath(leaves, start + place).map((sibling) => bytesToHex(sibling)),
    })),
  };
}

/** Where a section starts in the tree of its group. */
function startPosition(name: PowerSection, power: number): number {
  if (name === 'alphaTauG1') return pointCount('tauG1', power);
  if (name === 'betaTauG1') return pointCount('tauG1', power) + pointCount('alphaTauG1', power);
  return 0;
}
