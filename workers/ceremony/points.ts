import { pointBytes, toEvm } from '../curve/points.ts';
import { leavesIn, type Leaves } from '../sharing/merkle.ts';
import type { PowersFile } from './file.ts';
import type { SectionName } from './layout.ts';

/**
 * The points of a file as the precompiles take them, which is also how snarkjs hashes them: plain,
 * big-endian, of each coordinate in G2 the imaginary part first.
 */
export interface PlainPoints extends Readonly<Record<SectionName, Uint8Array>> {
  /** Sections 2, 4 and 5 one after the other. */
  readonly g1Leaves: Leaves;
  /** Section 3. */
  readonly g2Leaves: Leaves;
}

/** Converts all points of a file; takes as much memory as the file. */
export function plainPoints(file: PowersFile): PlainPoints {
  const { tauG1, tauG2, alphaTauG1, betaTauG1, betaG2 } = file;
  const g1 = new Uint8Array(tauG1.length + alphaTauG1.length + betaTauG1.length);
  let at = 0;
  const views = [tauG1, alphaTauG1, betaTauG1].map((section) => {
    g1.set(toEvm('g1', section), at);
    return g1.subarray(at, (at += section.length));
  });
  const g2 = toEvm('g2', tauG2);
  return {
    tauG1: views[0],
    tauG2: g2,
    alphaTauG1: views[1],
    betaTauG1: views[2],
    betaG2: toEvm('g2', betaG2),
    g1Leaves: leavesIn(g1, pointBytes.g1),
    g2Leaves: leavesIn(g2, pointBytes.g2),
  };
}
