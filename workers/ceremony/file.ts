import { g1Generator, g2Generator, pointBytes } from '../curve/points.ts';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';
import { firstLargeCoordinate, fieldPrime } from './coordinates.ts';
import { coordinateBytes, maxPower, minPower } from './layout.ts';
import { pointCount, pointSections, type SectionName } from './layout.ts';
import { noRecords, parseRecords, recordsLimit } from './records.ts';

const magic = Buffer.from('ptau', 'latin1');
const version = 1;
const sectionCount = 7;
const recordsSection = 7;
/** Bytes before the first section, before each section's content, and of the first section. */
const prefixBytes = 12;
const sectionPrefixBytes = 12;
const headerBytes = 4 + coordinateBytes + 8;

/** A .ptau file. The sections are views of its bytes. */
export interface PowersFile extends Readonly<Record<SectionName, Uint8Array>> {
  readonly bytes: Uint8Array;
  /** There are N = 2^power powers. */
  readonly power: number;
  /** Content of section 7: the number of records and the records. */
  readonly records: Uint8Array;
}

/**
 * Reads a .ptau file in its one canonical form. See docs/ceremony.md, File.
 *
 * Total: refuses with a code whatever is not seven sections in order, of exact length, for this curve
 * and a known power, with all coordinates below the prime and records in canonical form, and nothing
 * after them. Whether points lie on the curve is not looked at.
 *
 * @returns views of `bytes`, which must not change any more
 * @throws CeremonyError FILE_MALFORMED, HEADER_INVALID, COORDINATE_NOT_CANONICAL, RECORD_MALFORMED
 */
export function parsePowersFile(bytes: Uint8Array): PowersFile {
  const power = readHeader(bytes);
  const file = viewsOf(bytes, power, bytes.length - recordsOffset(power));
  const expected = new Uint8Array(prefixBytes + sectionPrefixBytes + headerBytes);
  writeStart(expected, power);
  assertBytes(bytes, 0, expected, 1);
  for (const { id, offset, length } of sectionsOf(power, file.records.length)) {
    const prefix = new Uint8Array(sectionPrefixBytes);
    writeSectionPrefix(prefix, 0, id, length);
    assertBytes(bytes, offset - sectionPrefixBytes, prefix, id);
  }
  for (const { id, name } of pointSections) {
    const coordinate = firstLargeCoordinate(file[name]);
    if (coordinate !== undefined) {
      throw new CeremonyError(
        CeremonyErrorCode.COORDINATE_NOT_CANONICAL,
        'a coordinate is not below the prime',
        { metadata: { section: id, coordinate } },
      );
    }
  }
  parseRecords(file.records);
  return file;
}

/**
 * A file with its headers, points and records zero: the caller fills them in.
 *
 * @param recordsLength bytes of section 7
 * @throws CeremonyError POWER_OUT_OF_RANGE
 */
export function allocatePowersFile(power: number, recordsLength: number): PowersFile {
  const bytes = new Uint8Array(recordsOffset(power) + recordsLength);
  writeStart(bytes, power);
  for (const { id, offset, length } of sectionsOf(power, recordsLength)) {
    writeSectionPrefix(bytes, offset - sectionPrefixBytes, id, length);
  }
  return viewsOf(bytes, power, recordsLength);
}

/**
 * Most bytes that a file of this power can have.
 *
 * @throws CeremonyError POWER_OUT_OF_RANGE
 */
export function powersFileLimit(power: number): number {
  return recordsOffset(power) + recordsLimit;
}

/** Section 7 of a file that was parsed before: a view. */
export function recordsOf(bytes: Uint8Array, power: number): Uint8Array {
  return bytes.subarray(recordsOffset(power));
}

/**
 * The file that a ceremony starts from: generators everywhere, no records.
 *
 * @throws CeremonyError POWER_OUT_OF_RANGE
 */
export function initialFile(power: number): PowersFile {
  const file = allocatePowersFile(power, noRecords.length);
  for (const { name, group } of pointSections) {
    const section = file[name];
    section.set(group === 'g1' ? g1Generator : g2Generator);
    // Each copy doubles what is there.
    for (let filled = pointBytes[group]; filled < section.length; filled *= 2) {
      section.copyWithin(filled, 0, Math.min(filled, section.length - filled));
    }
  }
  file.records.set(noRecords);
  return file;
}

interface Section {
  readonly id: number;
  readonly offset: number;
  readonly length: number;
}

/** Where the contents of sections 2 to 7 are. */
function sectionsOf(power: number, recordsLength: number): Section[] {
  let offset = prefixBytes + sectionPrefixBytes + headerBytes;
  const lengths = pointSections.map(({ name, group }) => {
    return pointCount(name, power) * pointBytes[group];
  });
  return [...lengths, recordsLength].map((length, place) => {
    offset += sectionPrefixBytes;
    const section = { id: place + 2, offset, length };
    offset += length;
    return section;
  });
}

function recordsOffset(power: number): number {
  return sectionsOf(power, 0).at(-1).offset;
}

function viewsOf(bytes: Uint8Array, power: number, recordsLength: number): PowersFile {
  const views = sectionsOf(power, recordsLength).map(({ offset, length }) =>
    bytes.subarray(offset, offset + length),
  );
  const [tauG1, tauG2, alphaTauG1, betaTauG1, betaG2, records] = views;
  return { bytes, power, tauG1, tauG2, alphaTauG1, betaTauG1, betaG2, records };
}

/** The power that the header states, once the file is long enough to have all sections of it. */
function readHeader(bytes: Uint8Array): number {
  const at = prefixBytes + sectionPrefixBytes;
  if (bytes.length < at + headerBytes) throw malformed(1, bytes.length);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const prime = view.subarray(at + 4, at + 4 + coordinateBytes);
  const power = view.readUInt32LE(at + headerBytes - 8);
  const ceremonyPower = view.readUInt32LE(at + headerBytes - 4);
  if (view.readUInt32LE(at) !== coordinateBytes || !prime.equals(fieldPrime)) {
    throw new CeremonyError(CeremonyErrorCode.HEADER_INVALID, 'the file is of another curve');
  }
  if (power !== ceremonyPower || power < minPower || power > maxPower) {
    throw new CeremonyError(CeremonyErrorCode.HEADER_INVALID, 'no ceremony has this power', {
      metadata: { power, ceremonyPower },
    });
  }
  if (bytes.length < recordsOffset(power)) throw malformed(recordsSection, bytes.length);
  return power;
}

/** Magic, version, number of sections, and the whole of section 1. */
function writeStart(bytes: Uint8Array, power: number): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  magic.copy(view);
  view.writeUInt32LE(version, 4);
  view.writeUInt32LE(sectionCount, 8);
  writeSectionPrefix(bytes, prefixBytes, 1, headerBytes);
  const at = prefixBytes + sectionPrefixBytes;
  view.writeUInt32LE(coordinateBytes, at);
  fieldPrime.copy(view, at + 4);
  view.writeUInt32LE(power, at + headerBytes - 8);
  view.writeUInt32LE(power, at + headerBytes - 4);
}

function writeSectionPrefix(bytes: Uint8Array, at: number, id: number, length: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(at, id, true);
  view.setBigUint64(at + 4, BigInt(length), true);
}

function assertBytes(bytes: Uint8Array, at: number, expected: Uint8Array, section: number): void {
  const found = bytes.subarray(at, at + expected.length);
  if (Buffer.compare(found, expected) !== 0) throw malformed(section, bytes.length);
}

function malformed(section: number, length: number): CeremonyError {
  return new CeremonyError(
    CeremonyErrorCode.FILE_MALFORMED,
    'the sections are not those of a .ptau file in its canonical form',
    { metadata: { section, length } },
  );
}
