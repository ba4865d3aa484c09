import type { Curve } from '../curve/curve.ts';
import { one } from '../curve/scalars.ts';
import { allocatePowersFile, type PowersFile } from './file.ts';
import { pointCount, pointSections, type SectionName } from './layout.ts';
import { plainPoints } from './points.ts';
import { prove, type ContributionPlace, type UpdateProof } from './proof.ts';
import { appendRecord, parseRecords, recordLength, type ContributionRecord } from './records.ts';
import type { ContributionSecrets } from './secrets.ts';
import { stateOf, type PowersState } from './state.ts';
import { firstChallenge, keyPoint, nextChallenge, respond, secretNames } from './transcript.ts';
import { endParts, endsOf } from './ends.ts';

/** A file, and the state that stands for it. */
export interface Accumulator {
  readonly file: PowersFile;
  readonly state: PowersState;
}

export interface Contribution extends Accumulator {
  readonly proof: UpdateProof;
}

export interface ContributionOptions {
  /** Told how many points of how many are done. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Multiplies the powers of a file by a contributor's secrets (Bowe, Gabizon, Miers, 2017/1050): power k
 * by tau^k, and those with alpha or beta by that too. On all threads of `curve`; in memory are the
 * previous file, the new one and once more the points of the new one.
 *
 * @param previous verified by this operator, or the initial file and state
 * @param secrets wiped when the promise settles, whichever way
 * @throws CeremonyError SECRET_WIPED, RECORDS_FULL; CurveError; the signal's reason
 */
export async function contribute(
  curve: Curve,
  previous: Accumulator,
  place: ContributionPlace,
  secrets: ContributionSecrets,
  options: ContributionOptions = {},
): Promise<Contribution> {
  try {
    const name = recordName(place.index);
    const { power, records } = previous.file;
    const length = records.length + recordLength(name, secrets.beacon);
    const file = allocatePowersFile(power, length);
    const record = appendRecord(file.records, records, name, secrets.beacon);
    await multiplySections(curve, previous.file, file, secrets, options);
    const challenge = challengeOf(previous.file);
    await fillRecord(curve, record, file, challenge, secrets);
    const points = plainPoints(file);
    const response = await respond(challenge, file, record.key);
    record.partialHash.set(response.partialHash);
    record.nextChallenge.set(nextChallenge(response.digest, points));
    options.signal?.throwIfAborted();
    const state = stateOf(file, points);
    return { file, state, proof: await prove(curve, place, previous.state, state, secrets) };
  } finally {
    secrets.wipe();
  }
}

/** What a contribution is called in its record. */
export function recordName(index: number): string {
  return index === 0 ? 'keyloom beacon' : `keyloom ${index}`;
}

/** The challenge that a file puts to the next contributor. */
export function challengeOf({ power, records }: Pick<PowersFile, 'power' | 'records'>): Uint8Array {
  return parseRecords(records).at(-1)?.nextChallenge ?? firstChallenge(power);
}

async function multiplySections(
  curve: Curve,
  from: PowersFile,
  to: PowersFile,
  { factors }: ContributionSecrets,
  { onProgress, signal }: ContributionOptions,
): Promise<void> {
  const firsts: Record<SectionName, Uint8Array> = {
    tauG1: one(),
    tauG2: one(),
    alphaTauG1: factors.alpha,
    betaTauG1: factors.beta,
    betaG2: factors.beta,
  };
  const total = pointSections.reduce((sum, { name }) => sum + pointCount(name, from.power), 0);
  let before = 0;
  for (const { name, group } of pointSections) {
    const scaled = await curve.scaleByPowers(group, from[name], firsts[name], factors.tau, {
      onProgress: (done) => onProgress?.(before + done, total),
      ...(signal === undefined ? {} : { signal }),
    });
    to[name].set(scaled);
    before += pointCount(name, from.power);
  }
}

/** Writes the points of a record: those of the state, and the public key that binds the change. */
async function fillRecord(
  curve: Curve,
  record: ContributionRecord,
  file: PowersFile,
  challenge: Uint8Array,
  { factors, keyPoints }: ContributionSecrets,
): Promise<void> {
  const ends = endsOf(file);
  for (const part of endParts) record[part].set(ends[part]);
  for (const name of secretNames) {
    const s = keyPoints[name];
    const sx = await curve.multiply('g1', s, factors[name]);
    const spx = await curve.multiply('g2', keyPoint(name, challenge, s, sx), factors[name]);
    record[`${name}S`].set(s);
    record[`${name}Sx`].set(sx);
    record[`${name}Spx`].set(spx);
  }
}
