import { describe, expect, it } from 'vitest';
import {
  chunkCount,
  commitShare,
  shareChunk,
  shareChunkPath,
  verifyShareChunk,
} from '../../../workers/sharing/commitment.ts';
import { merklePath, merkleRoot, verifyMerklePath } from '../../../workers/sharing/merkle.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import vectors from '../../vectors/sharing.json' with { type: 'json' };
import * as reference from './reference.ts';

const bytes = reference.seededBytes('merkle');
const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, () => bytes(40));

describe('Merkle trees', () => {
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 384])('of %i leaves: root and every path', (count) => {
    const values = leaves(count);
    const root = merkleRoot(values);
    expect(reference.toHex(root)).toBe(reference.toHex(reference.merkleRoot(values)));
    values.forEach((value, index) => {
      const path = merklePath(values, index);
      expect(path).toHaveLength(Math.ceil(Math.log2(count)));
      expect(verifyMerklePath(root, count, index, value, path)).toBe(true);
    });
  });

  it('rejects another leaf, index, path, root or length', () => {
    const values = leaves(5);
    const root = merkleRoot(values);
    const path = merklePath(values, 2);
    const verify = (
      overrides: Partial<{
        root: Uint8Array;
        index: number;
        value: Uint8Array;
        path: Uint8Array[];
      }>,
    ): boolean =>
      verifyMerklePath(
        overrides.root ?? root,
        5,
        overrides.index ?? 2,
        overrides.value ?? values[2],
        overrides.path ?? path,
      );
    expect(verify({})).toBe(true);
    expect(verify({ value: values[3] })).toBe(false);
    expect(verify({ index: 3 })).toBe(false);
    expect(verify({ root: root.subarray(0, 31) })).toBe(false);
    expect(verify({ root: new Uint8Array(32) })).toBe(false);
    expect(verify({ path: path.slice(1) })).toBe(false);
    expect(verify({ path: [...path, path[0]] })).toBe(false);
    expect(verify({ path: [path[1], path[0], path[2]] })).toBe(false);
    expect(verify({ path: [path[0], path[1], new Uint8Array(31)] })).toBe(false);
  });

  it('does not take an inner node for a leaf', () => {
    const values = leaves(4);
    const [first, ...rest] = merklePath(values, 0);
    const pair = Buffer.concat([reference.sha256(Buffer.of(0), values[0]), first]);
    expect(verifyMerklePath(merkleRoot(values), 2, 0, pair, rest)).toBe(false);
  });

  it('does not take a tree of another size, whatever its path', () => {
    const values = leaves(4);
    const root = merkleRoot(values);
    expect(verifyMerklePath(root, 4, 0, values[0], merklePath(values, 0))).toBe(true);
    for (const count of [1, 2, 5]) {
      expect(verifyMerklePath(root, count, 0, values[0], merklePath(values, 0))).toBe(false);
    }
  });

  it('tells trees of different numbers of leaves of one value apart', () => {
    const value = bytes(40);
    const roots = [1, 2, 3, 4, 5].map((count) =>
      reference.toHex(merkleRoot(Array.from({ length: count }, () => value))),
    );
    expect(new Set(roots).size).toBe(5);
  });

  it('refuses no leaves, empty or unequal leaves and leaves that are padding', () => {
    const invalid = expect.objectContaining({
      code: SharingErrorCode.MERKLE_INPUT_INVALID,
    }) as Error;
    expect(() => merkleRoot([])).toThrow(invalid);
    expect(() => merkleRoot([new Uint8Array(0)])).toThrow(invalid);
    expect(() => merkleRoot([bytes(32), bytes(31)])).toThrow(invalid);
    expect(() => merklePath(leaves(5), 5)).toThrow(invalid);
    expect(() => verifyMerklePath(bytes(32), 5, 5, bytes(32), [])).toThrow(invalid);
    expect(() => verifyMerklePath(bytes(32), 5, -1, bytes(32), [])).toThrow(invalid);
  });
});

describe('share commitments', () => {
  it.each(vectors.merkle)('reproduce the root of $residues residues', ({ residues, root }) => {
    const share = BigUint64Array.from({ length: residues }, (_, at) => (BigInt(at) << 32n) + 7n);
    expect(commitShare(share)).toBe(root);
  });

  it.each([1, 63, 64, 65, 200])('open chunk by chunk, %i residues', (residues) => {
    const share = reference.seededVector([8796092858369n], residues, bytes);
    const root = commitShare(share);
    expect(root).toBe(reference.toHex(reference.shareRoot(share)));
    const chunks = Array.from({ length: chunkCount(residues) }, (_, k) => shareChunk(share, k));
    const joined = Buffer.concat(chunks);
    expect(joined.subarray(0, 8 * residues).equals(Buffer.from(share.buffer))).toBe(true);
    expect(joined.subarray(8 * residues).every((byte) => byte === 0)).toBe(true);
    chunks.forEach((chunk, k) => {
      const path = shareChunkPath(share, k);
      expect(verifyShareChunk(root, residues, k, chunk, path)).toBe(true);
      expect(verifyShareChunk(root, residues, k, chunk.subarray(1), path)).toBe(false);
      chunk[5] ^= 1;
      expect(verifyShareChunk(root, residues, k, chunk, path)).toBe(false);
    });
    expect(commitShare(share)).toBe(root);
  });

  it('are not opened at a chunk of another length, whatever was committed to', () => {
    const odd = [bytes(511), bytes(511)];
    const root = reference.toHex(merkleRoot(odd));
    expect(verifyShareChunk(root, 128, 0, odd[0], merklePath(odd, 0))).toBe(false);
  });

  it('do not depend on where the share lies in memory', () => {
    const share = reference.seededVector([8796092858369n], 100, bytes);
    const moved = new BigUint64Array(130).subarray(7, 107);
    moved.set(share);
    expect(commitShare(moved)).toBe(commitShare(share));
  });

  it('refuse an empty share and a chunk that is not there', () => {
    const invalid = expect.objectContaining({
      code: SharingErrorCode.MERKLE_INPUT_INVALID,
    }) as Error;
    expect(() => commitShare(new BigUint64Array(0))).toThrow(invalid);
    expect(() => shareChunk(new BigUint64Array(64), 1)).toThrow(invalid);
  });
});
