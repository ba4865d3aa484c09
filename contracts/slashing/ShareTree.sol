// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISlashingManager, ShareProof} from "../interfaces/ISlashingManager.sol";
import {MerklePath} from "./MerklePath.sol";
import {OpeningShape, Place} from "./OpeningShape.sol";

/// @title The Merkle tree of a share (docs/formats.md, Merkle trees)
/// @notice SHA-256; a leaf is 0x00 and a chunk of 64 residues, an inner node 0x01 and its children. The
/// path is exactly as long as the shape says and its turns follow from the position, so of one root only
/// one residue can be shown per position, and no inner node passes for a chunk.
library ShareTree {
    uint256 internal constant CHUNK_BYTES = 8 * OpeningShape.CHUNK_RESIDUES;

    /// @notice The residue at a place, and the root that its chunk and path lead to.
    function open(
        ShareProof calldata proof,
        Place memory place
    ) internal view returns (bytes32 root, uint256 value) {
        bytes calldata chunk = proof.chunk;
        bytes32[] calldata path = proof.path;
        if (chunk.length != CHUNK_BYTES) {
            revert ISlashingManager.SlashingManagerChunk(chunk.length);
        }
        if (path.length != place.height) {
            revert ISlashingManager.SlashingManagerPath(path.length, place.height);
        }
        root = MerklePath.root(chunk, path, place.chunk);
        uint256 offset = 8 * place.slot;
        value = _reversed(uint64(bytes8(chunk[offset:offset + 8])));
    }

    /// @dev Residues are little-endian: swaps bytes, then pairs of them, then halves.
    function _reversed(uint64 word) private pure returns (uint64) {
        word = ((word >> 8) & 0x00ff00ff00ff00ff) | ((word & 0x00ff00ff00ff00ff) << 8);
        word = ((word >> 16) & 0x0000ffff0000ffff) | ((word & 0x0000ffff0000ffff) << 16);
        return (word >> 32) | (word << 32);
    }
}
