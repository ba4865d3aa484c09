import { createCipheriv, createSecretKey, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** Bytes of a set key, of an item id and of a SHA-256 digest alike. */
export const keyLength = 32;

const hashBlockLength = 64;
const aesBlockLength = 16;
const zeroCounter = new Uint8Array(aesBlockLength);

/** One block of zeros as long as the longest stream so far: what AES-CTR is applied to. */
let zeros = new Uint8Array(0);

/**
 * The HMAC key K_A of one set, prepared so that deriving an item's stream key is two one-shot
 * hashes: a third of the time of Node's HMAC object, and at n = 13 there are 495 per share.
 *
 * Secret: both buffers. They are private fields so that no logger or inspector prints them.
 */
export class SetKey {
  readonly #inner = Buffer.alloc(hashBlockLength + keyLength, 0x36);
  readonly #outer = Buffer.alloc(hashBlockLength + keyLength, 0x5c);

  /** @param key K_A, 32 bytes; copied */
  constructor(key: Uint8Array) {
    for (let at = 0; at < keyLength; at++) {
      this.#inner[at] ^= key[at];
      this.#outer[at] ^= key[at];
    }
  }

  /**
   * AES-256 key of the stream for an item: HMAC-SHA256(K_A, itemId).
   *
   * @param itemId 32 bytes
   */
  streamKey(itemId: Uint8Array): KeyObject {
    this.#inner.set(itemId, hashBlockLength);
    this.#outer.write(hash('sha256', this.#inner, 'binary'), hashBlockLength, 'binary');
    return createSecretKey(hash('sha256', this.#outer, 'binary'), 'binary');
  }

  /** Overwrites the key; streams derived afterwards mean nothing. */
  erase(): void {
    this.#inner.fill(0);
    this.#outer.fill(0);
  }
}

/**
 * The first `length` bytes of a stream: AES-256-CTR from counter 0. See docs/formats.md, Expander.
 *
 * Secret: the result.
 */
export function streamStart(streamKey: KeyObject, length: number): Uint8Array {
  if (zeros.length < length) zeros = new Uint8Array(length);
  const cipher = createCipheriv('aes-256-ctr', streamKey, zeroCounter);
  return cipher.update(zeros.subarray(0, length));
}

/** Where in a stream scattered coefficients lie; computed once and used with the keys of all sets. */
export interface StreamSelection {
  /** Counter blocks, 16 bytes each, ascending and distinct. */
  readonly counterBlocks: Uint8Array;
  /** For each selected coefficient, where its first byte lies among the enciphered blocks. */
  readonly offsets: readonly number[];
  /** Bytes per coefficient. */
  readonly width: number;
}

/** Blocks that cover the coefficients at `positions`, `width` bytes each. */
export function selectPositions(positions: Uint32Array, width: number): StreamSelection {
  const blocks = new Set<number>();
  for (const position of positions) {
    const first = Math.floor((position * width) / aesBlockLength);
    const last = Math.floor((position * width + width - 1) / aesBlockLength);
    for (let block = first; block <= last; block++) blocks.add(block);
  }
  const ascending = [...blocks].sort((a, b) => a - b);
  const counterBlocks = Buffer.alloc(ascending.length * aesBlockLength);
  const rank = new Map<number, number>();
  ascending.forEach((block, index) => {
    rank.set(block, index);
    // 2^32 positions of at most 2^10 bytes: 48 of the counter's 128 bits are ever used.
    counterBlocks.writeUIntBE(block, (index + 1) * aesBlockLength - 6, 6);
  });
  // A coefficient that straddles blocks is contiguous: the blocks it needs are neighbours in rank.
  const offsets = Array.from(positions, (position) => {
    const start = position * width;
    const block = Math.floor(start / aesBlockLength);
    return rank.get(block)! * aesBlockLength + (start % aesBlockLength);
  });
  return { counterBlocks, offsets, width };
}

/**
 * The selected coefficients' bytes, one after the other in the order of the positions.
 *
 * AES-ECB of counter blocks is the key stream of AES-CTR, so only the blocks that are needed are
 * computed. Secret: the result.
 */
export function streamAt(streamKey: KeyObject, selection: StreamSelection): Uint8Array {
  const { counterBlocks, offsets, width } = selection;
  const cipher = createCipheriv('aes-256-ecb', streamKey, null);
  const blocks = cipher.update(counterBlocks);
  const bytes = new Uint8Array(offsets.length * width);
  offsets.forEach((offset, index) => {
    bytes.set(blocks.subarray(offset, offset + width), index * width);
  });
  return bytes;
}
