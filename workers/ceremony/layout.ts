import { CeremonyError, CeremonyErrorCode } from './errors.ts';

/** Smallest and largest number of powers, as exponents of two. */
export const minPower = 8;
export const maxPower = 17;

/** Bytes of a coordinate. */
export const coordinateBytes = 32;

/** The sections of a .ptau file that hold points, in the order of the file. */
export const pointSections = [
  { id: 2, name: 'tauG1', group: 'g1' },
  { id: 3, name: 'tauG2', group: 'g2' },
  { id: 4, name: 'alphaTauG1', group: 'g1' },
  { id: 5, name: 'betaTauG1', group: 'g1' },
  { id: 6, name: 'betaG2', group: 'g2' },
] as const;

export type SectionName = (typeof pointSections)[number]['name'];

/**
 * Number of points of a section for 2^power powers.
 *
 * @throws CeremonyError POWER_OUT_OF_RANGE
 */
export function pointCount(section: SectionName, power: number): number {
  const powers = powerCount(power);
  if (section === 'betaG2') return 1;
  return section === 'tauG1' ? 2 * powers - 1 : powers;
}

/**
 * N = 2^power.
 *
 * @throws CeremonyError POWER_OUT_OF_RANGE
 */
export function powerCount(power: number): number {
  if (!Number.isInteger(power) || power < minPower || power > maxPower) {
    throw new CeremonyError(CeremonyErrorCode.POWER_OUT_OF_RANGE, 'no ceremony has this power', {
      metadata: { power, minPower, maxPower },
    });
  }
  return 2 ** power;
}
