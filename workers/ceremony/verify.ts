import type { Curve } from '../curve/curve.ts';
import { endsOf } from './ends.ts';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';
import { parsePowersFile, type PowersFile } from './file.ts';
import { plainPoints } from './points.ts';
import { areConsistent, assertPowers, assertValid } from './powers.ts';
import { bases, verifyProof, type ContributionPlace, type UpdateProof } from './proof.ts';
import type { Beacon } from './records.ts';
import { encodeState, initialState, stateOf, type PowersState } from './state.ts';
import { secretNames } from './transcript.ts';
import { verifyRecord } from './verify-record.ts';

/** What a contribution is checked against: what the operator has verified before. */
export interface VerifiedFile {
  readonly state: PowersState;
  /** Section 7 of the file. */
  readonly records: Uint8Array;
}

/** A file, and the state that is to stand for it. */
export interface StatedFile {
  /** The file's bytes. */
  readonly bytes: Uint8Array;
  readonly state: PowersState;
  /** The beacon that is due; absent if none is. */
  readonly beacon?: Beacon;
}

/** What a contributor announces. */
export interface Announcement extends StatedFile {
  readonly proof: UpdateProof;
  readonly place: ContributionPlace;
}

/**
 * Everything that an operator checks before it signs a state. See docs/ceremony.md, Checks.
 *
 * The contributor knows its secrets, and {@link verifyFile}. An operator that signs without this can
 * lose its bond.
 *
 * @returns the parsed file
 * @throws CeremonyError with the code of the first check that failed; CurveError; the signal's reason
 */
export async function verifyContribution(
  curve: Curve,
  announced: Announcement,
  previous: VerifiedFile,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PowersFile> {
  return verified(curve, announced, previous, options, () => {
    const { state, proof, place } = announced;
    if (verifyProof(place, previous.state, state, proof)) return;
    throw new CeremonyError(CeremonyErrorCode.PROOF_INVALID, 'no proof for this place and state');
  });
}

/**
 * What can be seen of a contribution without its proof of knowledge, which the contract has checked of
 * what it records.
 *
 * The file is canonical; state and file are the same; the contributor left no secret as it was; all
 * points are valid; every section has the powers of one tau from its start; the state is consistent; the
 * records before are untouched and the new one is right.
 *
 * @returns the parsed file
 * @throws as {@link verifyContribution}
 */
export async function verifyFile(
  curve: Curve,
  stated: StatedFile,
  previous: VerifiedFile,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PowersFile> {
  return verified(curve, stated, previous, options, () => undefined);
}

/** @param assertProven what comes between the powers and the records */
async function verified(
  curve: Curve,
  { bytes, state, beacon }: StatedFile,
  previous: VerifiedFile,
  { signal }: { readonly signal?: AbortSignal },
  assertProven: () => void,
): Promise<PowersFile> {
  const file = parsePowersFile(bytes);
  if (file.power !== previous.state.power) {
    throw new CeremonyError(CeremonyErrorCode.POWER_CHANGED, 'the file is of another size', {
      metadata: { power: file.power, expected: previous.state.power },
    });
  }
  const points = plainPoints(file);
  if (encodeState(stateOf(file, points)) !== encodeState(state)) {
    throw new CeremonyError(CeremonyErrorCode.STATE_MISMATCH, 'the state is another file’s');
  }
  assertChanged(previous.state, state);
  await assertValid(curve, file, signal);
  await assertPowers(curve, file, signal);
  if (!(await areConsistent(curve, endsOf(file)))) {
    throw new CeremonyError(CeremonyErrorCode.STATE_INCONSISTENT, 'not one tau and beta');
  }
  assertProven();
  signal?.throwIfAborted();
  await verifyRecord(curve, file, points, previous.records, beacon);
  return file;
}

/** Nobody may pass the previous state on, or take the whole ceremony back to the generators. */
function assertChanged(previous: PowersState, next: PowersState): void {
  const [before, after, start] = [previous, next, initialState(next.power)].map(bases);
  for (const name of secretNames) {
    const { x, y } = after[name];
    for (const other of [before[name], start[name]]) {
      if (x !== other.x || y !== other.y) continue;
      throw new CeremonyError(CeremonyErrorCode.CONTRIBUTION_TRIVIAL, 'a secret is one', {
        metadata: { secret: name },
      });
    }
  }
}
