import { FheError, FheErrorCode } from './errors.ts';

/** Bytes of the header in front of every SEAL object. See docs/formats.md, SEAL objects. */
export const headerLength = 16;

const magic = 0xa15e;
const versionMajor = 4;
const versionMinor = 1;
const uncompressed = 0;

/**
 * Writes a header at `offset`.
 *
 * @param view mutated
 * @param totalLength bytes of the object, header included
 */
export function writeHeader(view: DataView, offset: number, totalLength: number): void {
  view.setUint16(offset, magic, true);
  view.setUint8(offset + 2, headerLength);
  view.setUint8(offset + 3, versionMajor);
  view.setUint8(offset + 4, versionMinor);
  view.setUint8(offset + 5, uncompressed);
  view.setUint16(offset + 6, 0, true);
  view.setBigUint64(offset + 8, BigInt(totalLength), true);
}

/**
 * Checks everything of a header but the total length. The caller has checked that it is there.
 *
 * @throws FheError HEADER_INVALID, VERSION_UNSUPPORTED, COMPRESSED
 */
export function checkHeader(view: DataView, offset: number): void {
  const wellFormed =
    view.getUint16(offset, true) === magic &&
    view.getUint8(offset + 2) === headerLength &&
    view.getUint16(offset + 6, true) === 0;
  if (!wellFormed) throw rejection(FheErrorCode.HEADER_INVALID, { offset });
  const major = view.getUint8(offset + 3);
  const minor = view.getUint8(offset + 4);
  if (major !== versionMajor || minor !== versionMinor) {
    throw rejection(FheErrorCode.VERSION_UNSUPPORTED, { offset, major, minor });
  }
  const compression = view.getUint8(offset + 5);
  if (compression !== uncompressed) throw rejection(FheErrorCode.COMPRESSED, { compression });
}

/**
 * Checks a header's total length against what the other fields make it.
 *
 * @throws FheError LENGTH_FIELD_INVALID
 */
export function checkTotalLength(view: DataView, offset: number, totalLength: number): void {
  checkField(view, offset + 8, totalLength, FheErrorCode.LENGTH_FIELD_INVALID);
}

/**
 * Checks a 64-bit field that can have one value only.
 *
 * @throws FheError with the given code
 */
export function checkField(
  view: DataView,
  offset: number,
  expected: number,
  code: FheErrorCode,
): void {
  const value = view.getBigUint64(offset, true);
  if (value !== BigInt(expected)) throw rejection(code, { offset, value, expected });
}

/**
 * Checks that an object has exactly its bytes.
 *
 * @throws FheError TRUNCATED, TRAILING_BYTES
 */
export function checkByteLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length === expected) return;
  const code = bytes.length < expected ? FheErrorCode.TRUNCATED : FheErrorCode.TRAILING_BYTES;
  throw rejection(code, { length: bytes.length, expected });
}

/** The error for an object from outside that is not as it must be. */
export function rejection(
  code: FheErrorCode,
  metadata: Readonly<Record<string, number | bigint>>,
): FheError {
  return new FheError(code, 'the object is not the one canonical form of its kind', { metadata });
}
