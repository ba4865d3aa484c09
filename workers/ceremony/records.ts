import { pointBytes } from '../curve/points.ts';
import { firstLargeCoordinate } from './coordinates.ts';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';

const { g1: g1Bytes, g2: g2Bytes } = pointBytes;

/** Contributions of a ceremony: one per member of the largest committee, and the beacon. */
export const maxRecords = 14;

/** Bytes of a beacon, and exponents of two that a ceremony may choose for its iterations. */
export const beaconBytes = 32;
export const minIterationsExp = 10;
export const maxIterationsExp = 24;

/** Bytes of a Blake2b digest and of the state of an unfinished Blake2b hash. */
export const challengeBytes = 64;
export const partialHashBytes = 216;

const maxNameBytes = 64;

/** Types of parameters at the end of a record. */
const parameter = { name: 1, iterationsExp: 2, beacon: 3 } as const;

/** Parts of a record of fixed length, in their order. */
const parts = {
  ...{ tauG1: g1Bytes, tauG2: g2Bytes, alphaG1: g1Bytes, betaG1: g1Bytes, betaG2: g2Bytes },
  ...{ tauS: g1Bytes, tauSx: g1Bytes, alphaS: g1Bytes, alphaSx: g1Bytes },
  ...{ betaS: g1Bytes, betaSx: g1Bytes, tauSpx: g2Bytes, alphaSpx: g2Bytes, betaSpx: g2Bytes },
  ...{ partialHash: partialHashBytes, nextChallenge: challengeBytes },
};

type Part = keyof typeof parts;

const fixedBytes = Object.values(parts).reduce((sum, length) => sum + length, 0);
const pointsLength = fixedBytes - partialHashBytes - challengeBytes;
/** Of the points, the public key: six points of G1 and three of G2. */
const keyParts: readonly Part[] = [
  ...(['tauS', 'tauSx', 'alphaS', 'alphaSx', 'betaS', 'betaSx'] as const),
  ...(['tauSpx', 'alphaSpx', 'betaSpx'] as const),
];

/** Where randomness that everybody can compute comes from. */
export interface Beacon {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** SHA-256 is applied 2^iterationsExp times. */
  readonly iterationsExp: number;
}

/**
 * What a file says of one contribution, in snarkjs' terms: the points of the state after it, the
 * contributor's public key (S, x·S in G1 and x·S' in G2, where S' follows from the previous challenge,
 * S and x·S) for each secret x, and the hashes that chain it to the one before.
 *
 * Points are as in the file: affine, Montgomery form, little-endian.
 */
export interface ContributionRecord extends Readonly<Record<Part, Uint8Array>> {
  /** The record's bytes. */
  readonly bytes: Uint8Array;
  /** The nine points of the public key, in the order of the file. */
  readonly key: readonly Uint8Array[];
  readonly name?: string;
  /** Present if the contribution is that of a beacon. */
  readonly beacon?: Beacon;
}

/** Section 7 of a file without contributions: their number. */
export const noRecords: Uint8Array = new Uint8Array(4);

/** Most bytes that section 7 can have. */
export const recordsLimit =
  4 + maxRecords * (fixedBytes + 8 + 2 + maxNameBytes + 2 + 2 + beaconBytes);

/**
 * Reads section 7: views, no copies.
 *
 * @throws CeremonyError RECORD_MALFORMED, COORDINATE_NOT_CANONICAL
 */
export function parseRecords(section: Uint8Array): ContributionRecord[] {
  const view = new DataView(section.buffer, section.byteOffset, section.length);
  if (section.length < 4) throw malformed('length');
  const count = view.getUint32(0, true);
  if (count > maxRecords) throw malformed('count');
  const records: ContributionRecord[] = [];
  let at = 4;
  for (let index = 0; index < count; index++) {
    const record = parseRecord(section.subarray(at));
    records.push(record);
    at += record.bytes.length;
  }
  if (at !== section.length) throw malformed('length');
  return records;
}

/** Bytes that a record with this name and beacon takes. */
export function recordLength(name: string, beacon?: Beacon): number {
  return fixedBytes + 8 + parametersOf(name, beacon).length;
}

/**
 * Writes section 7 with one more record, whose fixed parts are left zero, and returns the views of it.
 *
 * @param target as long as `previous` and the new record together
 * @param previous section 7 so far
 * @param name printable ASCII, 1 to 64 characters
 * @throws CeremonyError RECORDS_FULL
 */
export function appendRecord(
  target: Uint8Array,
  previous: Uint8Array,
  name: string,
  beacon?: Beacon,
): ContributionRecord {
  const count = recordCount(previous) + 1;
  if (count > maxRecords) {
    throw new CeremonyError(CeremonyErrorCode.RECORDS_FULL, 'the ceremony has no more places', {
      metadata: { maxRecords },
    });
  }
  target.set(previous);
  new DataView(target.buffer, target.byteOffset).setUint32(0, count, true);
  const bytes = target.subarray(previous.length);
  const parameters = parametersOf(name, beacon);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(fixedBytes, beacon === undefined ? 0 : 1, true);
  view.setUint32(fixedBytes + 4, parameters.length, true);
  bytes.set(parameters, fixedBytes + 8);
  return parseRecord(bytes);
}

/**
 * Section 7 as it was before its last record; as it is if it has none.
 *
 * @throws CeremonyError RECORD_MALFORMED, COORDINATE_NOT_CANONICAL
 */
export function withoutLastRecord(section: Uint8Array): Uint8Array {
  const records = parseRecords(section);
  const last = records.at(-1);
  if (last === undefined) return section;
  const before = section.slice(0, section.length - last.bytes.length);
  new DataView(before.buffer).setUint32(0, records.length - 1, true);
  return before;
}

/** Number of contributions that section 7 states. */
export function recordCount(section: Uint8Array): number {
  return new DataView(section.buffer, section.byteOffset, section.length).getUint32(0, true);
}

/** The record at the start of `bytes`, which may be longer. */
function parseRecord(bytes: Uint8Array): ContributionRecord {
  if (bytes.length < fixedBytes + 8) throw malformed('length');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = view.getUint32(fixedBytes, true);
  const length = view.getUint32(fixedBytes + 4, true);
  if (bytes.length < fixedBytes + 8 + length) throw malformed('length');
  if (firstLargeCoordinate(bytes.subarray(0, pointsLength)) !== undefined) {
    throw new CeremonyError(
      CeremonyErrorCode.COORDINATE_NOT_CANONICAL,
      'a coordinate of a record is not below the prime',
    );
  }
  const parameters = bytes.subarray(fixedBytes + 8, fixedBytes + 8 + length);
  let at = 0;
  const views = Object.fromEntries(
    Object.entries(parts).map(([part, partLength]) => [
      part,
      bytes.subarray(at, (at += partLength)),
    ]),
  ) as Record<Part, Uint8Array>;
  return {
    ...views,
    bytes: bytes.subarray(0, fixedBytes + 8 + length),
    key: keyParts.map((part) => views[part]),
    ...parseParameters(type, parameters),
  };
}

/** Name and beacon; what is read must be what would be written. */
function parseParameters(
  type: number,
  bytes: Uint8Array,
): Pick<ContributionRecord, 'name' | 'beacon'> {
  const named = bytes[0] === parameter.name;
  const nameEnd = named ? 2 + (bytes[1] ?? 0) : 0;
  const name = Buffer.from(bytes.subarray(named ? 2 : 0, nameEnd)).toString('latin1');
  if (named && !isName(name)) throw malformed('name');
  const rest = bytes.subarray(nameEnd);
  const beacon = type === 1 ? { iterationsExp: rest[1], hash: rest.subarray(4) } : undefined;
  if (type > 1) throw malformed('type');
  if (beacon !== undefined) {
    const { iterationsExp, hash } = beacon;
    const known = iterationsExp >= minIterationsExp && iterationsExp <= maxIterationsExp;
    if (hash.length !== beaconBytes || !known) throw malformed('beacon');
  }
  if (Buffer.compare(parametersOf(name, beacon), bytes) !== 0) throw malformed('parameters');
  return { ...(named ? { name } : {}), ...(beacon === undefined ? {} : { beacon }) };
}

function parametersOf(name: string, beacon?: Beacon): Uint8Array {
  const latin = Buffer.from(name, 'latin1');
  return Buffer.concat([
    ...(name === '' ? [] : [Buffer.of(parameter.name, latin.length), latin]),
    ...(beacon === undefined
      ? []
      : [
          Buffer.of(parameter.iterationsExp, beacon.iterationsExp),
          Buffer.of(parameter.beacon, beacon.hash.length),
          beacon.hash,
        ]),
  ]);
}

/** Names end up on people's screens. */
function isName(name: string): boolean {
  return /^[\x20-\x7e]{1,64}$/u.test(name);
}

function malformed(what: string): CeremonyError {
  return new CeremonyError(
    CeremonyErrorCode.RECORD_MALFORMED,
    'a contribution’s record is not in its canonical form',
    { metadata: { what } },
  );
}
