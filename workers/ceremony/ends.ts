import { g1Generator, g2Generator, pointBytes } from '../curve/points.ts';
import type { PowersFile } from './file.ts';

/** The points that stand for a file, as its records and its state name them. */
export const endParts = ['tauG1', 'tauG2', 'alphaG1', 'betaG1', 'betaG2'] as const;

/** As in a file. */
export type EndPoints = Readonly<Record<(typeof endParts)[number], Uint8Array>>;

/** tau, alpha and beta times the generators: views of the file. */
export function endsOf(file: PowersFile): EndPoints {
  return {
    tauG1: file.tauG1.subarray(pointBytes.g1, 2 * pointBytes.g1),
    tauG2: file.tauG2.subarray(pointBytes.g2, 2 * pointBytes.g2),
    alphaG1: file.alphaTauG1.subarray(0, pointBytes.g1),
    betaG1: file.betaTauG1.subarray(0, pointBytes.g1),
    betaG2: file.betaG2,
  };
}

/** Those of a ceremony without contributions. */
export const initialEnds: EndPoints = {
  tauG1: g1Generator,
  tauG2: g2Generator,
  alphaG1: g1Generator,
  betaG1: g1Generator,
  betaG2: g2Generator,
};
