import type { Curve } from '../curve/curve.ts';
import { challengeOf } from './contribute.ts';
import { endParts, endsOf, initialEnds, type EndPoints } from './ends.ts';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';
import type { PowersFile } from './file.ts';
import type { PlainPoints } from './points.ts';
import { ratiosHold, type Ratio } from './ratios.ts';
import { parseRecords, recordCount, type Beacon, type ContributionRecord } from './records.ts';
import { ContributionSecrets } from './secrets.ts';
import { keyPoint, nextChallenge, respond, samePartialHash, secretNames } from './transcript.ts';

/**
 * The file has one record more than the one before it, and that record is right: it names the points
 * of the file, its hashes chain the file to the previous one, and its public key was made for that
 * place and by the same factors as the points. Whoever verifies the final file with snarkjs relies on it.
 *
 * @param file of valid points; `points` are its
 * @param previous section 7 of the previous file, verified
 * @param beacon the one that is due, if one is
 * @throws CeremonyError RECORDS_CHANGED, BEACON_MISMATCH, POINT_INVALID, RECORD_POINTS_WRONG,
 * RECORD_HASH_WRONG, RECORD_KEY_INVALID; CurveError
 */
export async function verifyRecord(
  curve: Curve,
  file: PowersFile,
  points: PlainPoints,
  previous: Uint8Array,
  beacon?: Beacon,
): Promise<void> {
  const record = newRecord(file.records, previous);
  const before = parseRecords(previous).at(-1);
  const challenge = challengeOf({ power: file.power, records: previous });
  await assertBeacon(curve, record, beacon);
  await assertValidKey(curve, record);
  const ends = endsOf(file);
  if (endParts.some((part) => Buffer.compare(record[part], ends[part]) !== 0)) {
    throw new CeremonyError(CeremonyErrorCode.RECORD_POINTS_WRONG, 'not the points of the file');
  }
  const response = await respond(challenge, file, record.key);
  if (
    !samePartialHash(record.partialHash, response.partialHash) ||
    Buffer.compare(record.nextChallenge, nextChallenge(response.digest, points)) !== 0
  ) {
    throw new CeremonyError(CeremonyErrorCode.RECORD_HASH_WRONG, 'not the hashes of the file');
  }
  if (!(await ratiosHold(curve, keyRatios(record, before ?? initialEnds, challenge)))) {
    throw new CeremonyError(CeremonyErrorCode.RECORD_KEY_INVALID, 'not the key of this change');
  }
}

/** The last record, if all before it are the previous file's. */
function newRecord(records: Uint8Array, previous: Uint8Array): ContributionRecord {
  const kept = records.subarray(4, previous.length);
  const one = recordCount(records) === recordCount(previous) + 1;
  if (!one || Buffer.compare(kept, previous.subarray(4)) !== 0) {
    throw new CeremonyError(CeremonyErrorCode.RECORDS_CHANGED, 'records are only ever appended', {
      metadata: { records: recordCount(records), before: recordCount(previous) },
    });
  }
  return parseRecords(records).at(-1);
}

/** The record is of a beacon if and only if one is due, and then has the key that everybody derives. */
async function assertBeacon(
  curve: Curve,
  record: ContributionRecord,
  beacon?: Beacon,
): Promise<void> {
  const stated = record.beacon;
  const same =
    stated?.iterationsExp === beacon?.iterationsExp &&
    Buffer.compare(stated?.hash ?? noBytes, beacon?.hash ?? noBytes) === 0;
  if (!same) throw beaconMismatch();
  if (beacon === undefined) return;
  const { keyPoints, factors } = await ContributionSecrets.fromBeacon(beacon);
  for (const name of secretNames) {
    const expected = [keyPoints[name], await curve.multiply('g1', keyPoints[name], factors[name])];
    const stated = [record[`${name}S`], record[`${name}Sx`]];
    if (Buffer.compare(Buffer.concat(expected), Buffer.concat(stated)) !== 0)
      throw beaconMismatch();
  }
}

function beaconMismatch(): CeremonyError {
  return new CeremonyError(CeremonyErrorCode.BEACON_MISMATCH, 'not the beacon that is due');
}

const noBytes = new Uint8Array();

async function assertValidKey(curve: Curve, { key }: ContributionRecord): Promise<void> {
  const g1 = await curve.firstInvalid('g1', Buffer.concat(key.slice(0, 6)));
  const g2 = await curve.firstInvalid('g2', Buffer.concat(key.slice(6)));
  if (g1 !== undefined || g2 !== undefined) {
    throw new CeremonyError(CeremonyErrorCode.POINT_INVALID, 'a point is not one of its group', {
      metadata: { section: 7 },
    });
  }
}

/** For each secret x: x·S and x·S' belong together, and x leads from the previous points to these. */
function keyRatios(record: ContributionRecord, before: EndPoints, challenge: Uint8Array): Ratio[] {
  return secretNames.flatMap((name) => {
    const s = record[`${name}S`];
    const sx = record[`${name}Sx`];
    const g1 = [s, sx] as const;
    const g2 = [keyPoint(name, challenge, s, sx), record[`${name}Spx`]] as const;
    const moved: Ratio[] = [
      { g1, g2 },
      { g1: [before[`${name}G1`], record[`${name}G1`]], g2 },
    ];
    if (name !== 'alpha') moved.push({ g1, g2: [before[`${name}G2`], record[`${name}G2`]] });
    return moved;
  });
}
