import { randomBytes } from 'node:crypto';
import type { Curve } from '../curve/curve.ts';
import { pairingEquals } from '../curve/pairing.ts';
import { g1Generator, g2Generator, pointBytes, type Group } from '../curve/points.ts';
import { endsOf, type EndPoints } from './ends.ts';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';
import type { PowersFile } from './file.ts';
import { pointSections, type SectionName } from './layout.ts';
import { ratiosHold } from './ratios.ts';

/** Bytes of a random coefficient: a false relation passes with probability 2^-128. */
const coefficientBytes = 16;

/** The sections that hold more than one power. */
export type PowerSection = Exclude<SectionName, 'betaG2'>;
export const powerSections = pointSections.filter(
  (section): section is Extract<typeof section, { name: PowerSection }> =>
    section.name !== 'betaG2',
);

/**
 * Every point is one of its group, in G2 of the subgroup, and not infinity.
 *
 * @throws CeremonyError POINT_INVALID; CurveError; the signal's reason
 */
export async function assertValid(
  curve: Curve,
  file: PowersFile,
  signal?: AbortSignal,
): Promise<void> {
  for (const { id, name, group } of pointSections) {
    signal?.throwIfAborted();
    const position = await curve.firstInvalid(group, file[name]);
    if (position === undefined) continue;
    throw new CeremonyError(CeremonyErrorCode.POINT_INVALID, 'a point is not one of its group', {
      metadata: { section: id, position },
    });
  }
}

/**
 * Every section has, from its first point on, the powers of the tau that the file states; the first
 * points of sections 2 and 3 are the generators.
 *
 * Per section one random linear combination of all neighbours: docs/ceremony.md, Checks.
 * Source: Bowe, Gabizon, Miers, 2017/1050.
 *
 * @param file of valid points
 * @throws CeremonyError START_WRONG, POWERS_WRONG; CurveError; the signal's reason
 */
export async function assertPowers(
  curve: Curve,
  file: PowersFile,
  signal?: AbortSignal,
): Promise<void> {
  const ends = endsOf(file);
  for (const { id, name, group } of powerSections) {
    signal?.throwIfAborted();
    const start = file[name].subarray(0, pointBytes[group]);
    if (Buffer.compare(start, startOf(name, ends)) !== 0) {
      throw new CeremonyError(CeremonyErrorCode.START_WRONG, 'a section starts elsewhere', {
        metadata: { section: id },
      });
    }
    if (!(await areSuccessive(curve, group, file[name], ends))) {
      throw new CeremonyError(CeremonyErrorCode.POWERS_WRONG, 'powers do not follow each other', {
        metadata: { section: id },
      });
    }
  }
}

/** The point that a section must start with. */
export function startOf(section: PowerSection, ends: EndPoints): Uint8Array {
  switch (section) {
    case 'tauG1':
      return g1Generator;
    case 'tauG2':
      return g2Generator;
    case 'alphaTauG1':
      return ends.alphaG1;
    case 'betaTauG1':
      return ends.betaG1;
  }
}

/**
 * True if, with overwhelming probability, each point is tau times the one before.
 *
 * Compares the sums of c_k·P_k and of c_k·P_(k+1) for fresh random c_k of 128 bits, which whoever chose
 * the points could not know.
 *
 * @param points valid ones, two at least
 * @param ends valid points; tau is taken from the other group
 */
export async function areSuccessive(
  curve: Curve,
  group: Group,
  points: Uint8Array,
  { tauG1, tauG2 }: Pick<EndPoints, 'tauG1' | 'tauG2'>,
): Promise<boolean> {
  const size = pointBytes[group];
  const coefficients = randomBytes((points.length / size - 1) * coefficientBytes);
  const [lower, upper] = await Promise.all([
    curve.sums(group, points.subarray(0, points.length - size), coefficients),
    curve.sums(group, points.subarray(size), coefficients),
  ]);
  return group === 'g1'
    ? pairingEquals({ g1: upper, g2: g2Generator }, { g1: lower, g2: tauG2 })
    : pairingEquals({ g1: g1Generator, g2: upper }, { g1: tauG1, g2: lower });
}

/**
 * True if tau and beta are the same in both groups, which the contract checks too.
 *
 * @param ends valid points
 */
export function areConsistent(curve: Curve, ends: EndPoints): Promise<boolean> {
  return ratiosHold(curve, [
    { g1: [g1Generator, ends.tauG1], g2: [g2Generator, ends.tauG2] },
    { g1: [g1Generator, ends.betaG1], g2: [g2Generator, ends.betaG2] },
  ]);
}
