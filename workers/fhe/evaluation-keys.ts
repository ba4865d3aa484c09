import type { ParameterSet } from '../ring/parameters.ts';
import { sealContext } from './context.ts';
import { FheErrorCode } from './errors.ts';
import { checkByteLength, headerLength, rejection, writeHeader } from './header.ts';
import { parsePublicKey } from './keys.ts';
import type { PublicKey } from './keys.ts';
import { pairLength } from './pair.ts';

// SEAL's RelinKeys and GaloisKeys are lists of entries, and an entry is a list of digits: PublicKey
// objects that switch from one secret to another. Keyloom makes, signs and stores entries; files are
// put together from them as streams, because a default Galois set has hundreds of megabytes.

/** Bytes of the number of digits in front of an entry. */
const countLength = 8;
/** Bytes in front of the entries of a file: header, parms_id, number of entries. */
const prefixLength = headerLength + 32 + 8;
/** SEAL has no object for a general switching key. Element 1 moves nothing, so it does as one. */
export const switchingElement = 1;

/** Bytes of one part after the other; never all at once. */
export type ByteStream = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Digits of a switching key: one for each prime that ciphertexts have. */
export function digitsOf(set: ParameterSet): number {
  return set.primes.length - 1;
}

/** Bytes of an entry. */
export function entryLength(set: ParameterSet): number {
  return countLength + digitsOf(set) * pairLength(set, set.primes.length);
}

/** The start of every entry of a parameter set; the digits follow, as PublicKey objects. */
export function entryStart(set: ParameterSet): Uint8Array {
  return numberBytes(digitsOf(set));
}

/**
 * Reads an entry from outside: canonical or rejected.
 *
 * @returns the digits, in memory of their own
 * @throws FheError the format codes of `parsePublicKey`; LENGTH_FIELD_INVALID
 */
export function parseEntry(set: ParameterSet, bytes: Uint8Array): PublicKey[] {
  if (bytes.length < countLength) {
    throw rejection(FheErrorCode.TRUNCATED, { length: bytes.length, expected: entryLength(set) });
  }
  if (Buffer.compare(bytes.subarray(0, countLength), entryStart(set)) !== 0) {
    throw rejection(FheErrorCode.LENGTH_FIELD_INVALID, { expected: digitsOf(set) });
  }
  checkByteLength(bytes, entryLength(set));
  const length = pairLength(set, set.primes.length);
  return Array.from({ length: digitsOf(set) }, (_, digit) => {
    const start = countLength + digit * length;
    return parsePublicKey(set, bytes.subarray(start, start + length));
  });
}

/** Bytes of a file of SEAL's RelinKeys. */
export function relinearizationKeysLength(set: ParameterSet): number {
  return prefixLength + entryLength(set);
}

/** Bytes of a file of SEAL's GaloisKeys with this many elements. */
export function galoisKeysLength(set: ParameterSet, elements: number): number {
  return prefixLength + elements * entryLength(set) + (set.degree - elements) * countLength;
}

/**
 * SEAL's RelinKeys object, in parts.
 *
 * @throws FheError TRUNCATED, TRAILING_BYTES if the entry has not its length
 */
export async function* relinearizationKeys(
  set: ParameterSet,
  entry: ByteStream,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield filePrefix(set, relinearizationKeysLength(set), 1);
  yield* wholeEntry(set, entry);
}

/**
 * SEAL's GaloisKeys object, in parts: a place for every odd element, most of them empty.
 *
 * @param entries elements strictly ascending; each entry is read when its turn comes
 * @throws FheError GALOIS_ELEMENT_INVALID; TRUNCATED, TRAILING_BYTES if an entry has not its length
 */
export async function* galoisKeys(
  set: ParameterSet,
  entries: readonly { readonly element: number; readonly entry: ByteStream }[],
): AsyncGenerator<Uint8Array, void, undefined> {
  let next = 0;
  for (const { element } of entries) {
    const place = (element - 1) / 2;
    if (!Number.isInteger(place) || place < next || place >= set.degree) {
      throw rejection(FheErrorCode.GALOIS_ELEMENT_INVALID, { element });
    }
    next = place + 1;
  }
  yield filePrefix(set, galoisKeysLength(set, entries.length), set.degree);
  let filled = 0;
  for (const { element, entry } of entries) {
    const place = (element - 1) / 2;
    yield new Uint8Array(countLength * (place - filled));
    yield* wholeEntry(set, entry);
    filled = place + 1;
  }
  yield new Uint8Array(countLength * (set.degree - filled));
}

/** A switching key as stock SEAL takes it, for `applyGalois(ciphertext, 1, keys)`: GaloisKeys. */
export function switchingKeys(
  set: ParameterSet,
  entry: ByteStream,
): AsyncGenerator<Uint8Array, void, undefined> {
  return galoisKeys(set, [{ element: switchingElement, entry }]);
}

/**
 * SEAL's RelinKeys object at once, for who computes with it.
 *
 * @throws FheError TRUNCATED, TRAILING_BYTES if the entry has not its length
 */
export function relinearizationKeyOf(set: ParameterSet, entry: Uint8Array): Uint8Array {
  checkByteLength(entry, entryLength(set));
  const bytes = new Uint8Array(relinearizationKeysLength(set));
  bytes.set(filePrefix(set, bytes.length, 1));
  bytes.set(entry, prefixLength);
  return bytes;
}

/**
 * SEAL's GaloisKeys object with one element, at once.
 *
 * @param element odd and below 2N
 * @throws FheError TRUNCATED, TRAILING_BYTES if the entry has not its length
 */
export function galoisKeyOf(set: ParameterSet, element: number, entry: Uint8Array): Uint8Array {
  checkByteLength(entry, entryLength(set));
  const bytes = new Uint8Array(galoisKeysLength(set, 1));
  bytes.set(filePrefix(set, bytes.length, set.degree));
  bytes.set(entry, prefixLength + (countLength * (element - 1)) / 2);
  return bytes;
}

function filePrefix(set: ParameterSet, length: number, entries: number): Uint8Array {
  const bytes = new Uint8Array(prefixLength);
  writeHeader(new DataView(bytes.buffer), 0, length);
  bytes.set(sealContext(set).parmsIds.at(-1)!, headerLength);
  bytes.set(numberBytes(entries), prefixLength - countLength);
  return bytes;
}

/** Passes an entry on. The header has promised its length. */
async function* wholeEntry(
  set: ParameterSet,
  entry: ByteStream,
): AsyncGenerator<Uint8Array, void, undefined> {
  const expected = entryLength(set);
  let length = 0;
  for await (const part of entry) {
    length += part.length;
    if (length > expected) throw rejection(FheErrorCode.TRAILING_BYTES, { length, expected });
    yield part;
  }
  if (length < expected) throw rejection(FheErrorCode.TRUNCATED, { length, expected });
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(countLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
