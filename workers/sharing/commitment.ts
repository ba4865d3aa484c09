import type { Hex } from 'viem';
import { SharingError, SharingErrorCode } from './errors.ts';
import { merklePath, merkleRoot, verifyMerklePath } from './merkle.ts';

/** Residues per leaf of a share commitment. */
export const chunkResidues = 64;

const residueBytes = 8;
const chunkBytes = chunkResidues * residueBytes;

/**
 * Root of the commitment to a share. See docs/formats.md, Merkle trees.
 *
 * @param share all polynomials one after the other, each limb-major; not empty
 * @returns 32 bytes
 * @throws SharingError MERKLE_INPUT_INVALID
 */
export function commitShare(share: BigUint64Array): Hex {
  return `0x${Buffer.from(merkleRoot(chunksOf(share))).toString('hex')}`;
}

/** Number of leaves of the commitment to a share of so many residues. */
export function chunkCount(residues: number): number {
  return Math.ceil(residues / chunkResidues);
}

/**
 * Leaf value `index` of a share: residues 64·index.. as little-endian u64, the last leaf filled up
 * with zeros.
 *
 * @returns a new array of 512 bytes
 * @throws SharingError MERKLE_INPUT_INVALID if the share has no such chunk
 */
export function shareChunk(share: BigUint64Array, index: number): Uint8Array {
  const chunk = chunksOf(share)[index];
  if (chunk === undefined) {
    throw new SharingError(SharingErrorCode.MERKLE_INPUT_INVALID, 'the share has no such chunk', {
      metadata: { index, chunks: chunkCount(share.length) },
    });
  }
  return new Uint8Array(chunk);
}

/**
 * Siblings that lead from chunk `index` to the share's root.
 *
 * @throws SharingError MERKLE_INPUT_INVALID if the share has no such chunk
 */
export function shareChunkPath(share: BigUint64Array, index: number): Uint8Array[] {
  return merklePath(chunksOf(share), index);
}

/**
 * True if `chunk` is chunk `index` of the share of `residues` residues that `root` commits to.
 *
 * @throws SharingError MERKLE_INPUT_INVALID if no share of that size has such a chunk
 */
export function verifyShareChunk(
  root: Hex,
  residues: number,
  index: number,
  chunk: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (chunk.length !== chunkBytes) return false;
  return verifyMerklePath(
    Buffer.from(root.slice(2), 'hex'),
    chunkCount(residues),
    index,
    chunk,
    path,
  );
}

/** Views of the share's memory, which is little-endian on every machine the workers support. */
function chunksOf(share: BigUint64Array): Uint8Array[] {
  const bytes = new Uint8Array(share.buffer, share.byteOffset, share.byteLength);
  const chunks = Array.from({ length: chunkCount(share.length) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  const last = chunks.at(-1);
  if (last !== undefined && last.length < chunkBytes) {
    const filled = new Uint8Array(chunkBytes);
    filled.set(last);
    chunks[chunks.length - 1] = filled;
  }
  return chunks;
}
