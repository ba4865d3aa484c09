import { decodeAbiParameters, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allocatePowersFile, type PowersFile } from '../../../workers/ceremony/file.ts';
import { findFlaw, type Flaw } from '../../../workers/ceremony/flaw.ts';
import { encodeState, powersStateType, stateOf } from '../../../workers/ceremony/state.ts';
import type { PowersState } from '../../../workers/ceremony/state.ts';
import { plainPoints } from '../../../workers/ceremony/points.ts';
import { Curve } from '../../../workers/curve/curve.ts';
import { fromEvm } from '../../../workers/curve/points.ts';
import vectors from '../../vectors/ceremony.json' with { type: 'json' };
import * as reference from './reference.ts';

const bytesOf = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex');
const confirmed = (state: PowersState, flaw: Flaw): boolean =>
  reference.isFlaw(bytesOf(encodeState(state)), flaw);

/** The vectors' first honest file. */
const honest = (() => {
  const points = reference.powersOf(vectors.power, reference.secretsOf('contributor 3'));
  const file = allocatePowersFile(vectors.power, 4);
  const leaves = reference.leavesOf(points);
  const g1 = fromEvm('g1', Buffer.concat(leaves.g1));
  const end = file.tauG1.length;
  file.tauG1.set(g1.subarray(0, end));
  file.alphaTauG1.set(g1.subarray(end, end + file.alphaTauG1.length));
  file.betaTauG1.set(g1.subarray(end + file.alphaTauG1.length));
  file.tauG2.set(fromEvm('g2', Buffer.concat(leaves.g2)));
  file.betaG2.set(fromEvm('g2', reference.g2Leaf(points.betaG2)));
  return file;
})();
const sectionNames = ['tauG1', 'tauG2', 'alphaTauG1', 'betaTauG1'] as const;

/** The honest file with one point replaced. */
function withPoint(section: number, place: number, point: Uint8Array): PowersFile {
  const file = allocatePowersFile(vectors.power, 4);
  file.bytes.set(honest.bytes);
  const group = section === 3 ? 'g2' : 'g1';
  const bytes = fromEvm(group, point);
  file[sectionNames[section - 2]].set(bytes, place * bytes.length);
  return file;
}

const stateFrom = (encoded: string): PowersState =>
  decodeAbiParameters([powersStateType], encoded as Hex)[0];

let curve: Curve;
beforeAll(async () => {
  curve = await Curve.start();
});
afterAll(() => curve.close());

describe('the vectors', () => {
  it.each(vectors.flaws.map((flaw) => [flaw.what, flaw] as const))('%s: a flaw', (_, flaw) => {
    expect(reference.isFlaw(bytesOf(flaw.state.encoded), flaw)).toBe(true);
  });

  it.each(vectors.sound.map((claim) => [claim.what, claim] as const))('%s: no flaw', (_, claim) => {
    expect(reference.isFlaw(bytesOf(claim.state.encoded), claim)).toBe(false);
  });
});

describe('a flaw', () => {
  // No file can hold a coordinate that is not below the prime. Of the neighbours in the middle of each
  // section and at its ends, those of section 4 do for the ends.
  const findable = vectors.flaws.filter(
    ({ what, kind, section, place }) =>
      !what.includes('above p') &&
      (kind !== 'wrong-neighbours' || section === 4 || place === 2 ** vectors.power / 2 - 1),
  );

  it.each(findable.map((flaw) => [flaw.what, flaw] as const))('is found: %s', async (_, flaw) => {
    const shown = flaw.kind === 'wrong-neighbours' ? 1 : 0;
    const file =
      flaw.kind === 'wrong-points'
        ? honest
        : withPoint(flaw.section, flaw.place + shown, bytesOf(flaw.leaves[shown].point));
    const state = stateFrom(flaw.state.encoded);
    const found = await findFlaw(curve, file.bytes, state);
    expect(found && confirmed(state, found)).toBe(true);
    const { kind, section, place, leaves } = flaw;
    // Where the state names point 1, that is what is wrong with it.
    const named = kind === 'wrong-neighbours' && section < 4 && place === 0;
    if (!named) expect(found).toEqual({ kind, section, place, leaves });
  });

  it('is not found where there is none, or nothing can be proven', async () => {
    const state = stateOf(honest, plainPoints(honest));
    expect(await findFlaw(curve, honest.bytes, state)).toBeUndefined();
    expect(await findFlaw(curve, honest.bytes.subarray(1), state)).toBeUndefined();
    expect(await findFlaw(curve, honest.bytes, { ...state, power: 9 })).toBeUndefined();
    const wrong = withPoint(4, 5, reference.g1Leaf(reference.G1.BASE));
    expect(await findFlaw(curve, wrong.bytes, state)).toBeUndefined();
  });
});
