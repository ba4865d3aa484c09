// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISlashingManager, ShareProof} from "../interfaces/ISlashingManager.sol";
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
        root = _root(chunk, path, place.chunk);
        uint256 offset = 8 * place.slot;
        value = _reversed(uint64(bytes8(chunk[offset:offset + 8])));
    }

    /// @dev In assembly because evidence hashes up to a hundred nodes: they are put together in the free
    /// memory, which is not claimed. Bit k of `turns` says on which side the node of level k is. The
    /// precompile fails only for want of gas, and then everything does.
    function _root(
        bytes calldata chunk,
        bytes32[] calldata path,
        uint256 turns
    ) private view returns (bytes32 node) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore8(input, 0)
            calldatacopy(add(input, 1), chunk.offset, chunk.length)
            if iszero(staticcall(gas(), 2, input, add(chunk.length, 1), 0, 32)) {
                revert(0, 0)
            }
            mstore8(input, 1)
            let left := add(input, 1)
            let right := add(input, 33)
            let end := add(path.offset, shl(5, path.length))
            for {
                let sibling := path.offset
            } lt(sibling, end) {
                sibling := add(sibling, 32)
            } {
                let side := shl(5, and(turns, 1))
                mstore(add(left, side), mload(0))
                mstore(sub(right, side), calldataload(sibling))
                if iszero(staticcall(gas(), 2, input, 65, 0, 32)) {
                    revert(0, 0)
                }
                turns := shr(1, turns)
            }
            node := mload(0)
        }
    }

    /// @dev Residues are little-endian: swaps bytes, then pairs of them, then halves.
    function _reversed(uint64 word) private pure returns (uint64) {
        word = ((word >> 8) & 0x00ff00ff00ff00ff) | ((word & 0x00ff00ff00ff00ff) << 8);
        word = ((word >> 16) & 0x0000ffff0000ffff) | ((word & 0x0000ffff0000ffff) << 16);
        return (word >> 32) | (word << 32);
    }
}
