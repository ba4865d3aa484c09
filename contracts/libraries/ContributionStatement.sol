// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What operators sign of a contribution to a ceremony (EIP-712), in the domain of the EpochManager
library ContributionStatement {
    bytes32 private constant TYPEHASH = keccak256(
        "Contribution(bytes32 epochId,bytes32 ceremonyId,bytes32 previous,bytes32 next)"
    );

    /// @notice EIP-712 hash of the struct.
    /// @param previous Hash of the state before it; 0 if it is the first one.
    /// @param next Hash of the state after it.
    function structHash(
        bytes32 epochId,
        bytes32 ceremonyId,
        bytes32 previous,
        bytes32 next
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, epochId, ceremonyId, previous, next));
    }
}
