// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Paths of Merkle trees (docs/formats.md, Merkle trees)
/// @notice SHA-256; a leaf is 0x00 and its value, an inner node 0x01 and its children. The caller knows how
/// long the path is and where it turns, so no inner node passes for a leaf.
library MerklePath {
    /// @notice The root that a leaf and its siblings, from the lowest up, lead to.
    /// @dev In assembly because evidence hashes up to a hundred nodes: they are put together in the free
    /// memory, which is not claimed. The precompile fails only for want of gas, and then everything does.
    /// @param turns Position of the leaf: bit k says on which side the node of level k is.
    function root(
        bytes calldata leaf,
        bytes32[] calldata path,
        uint256 turns
    ) internal view returns (bytes32 node) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore8(input, 0)
            calldatacopy(add(input, 1), leaf.offset, leaf.length)
            if iszero(staticcall(gas(), 2, input, add(leaf.length, 1), 0, 32)) {
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
}
