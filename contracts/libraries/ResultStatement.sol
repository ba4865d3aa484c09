// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What operators sign of every result (EIP-712), in the domain of the contract that asked
library ResultStatement {
    bytes32 private constant TYPEHASH = keccak256(
        "Result(bytes32 epochId,bytes32 requestId,bytes result)"
    );

    /// @notice EIP-712 hash of the struct.
    /// @param resultHash Keccak-256 of the result's bytes.
    function structHash(
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, epochId, requestId, resultHash));
    }
}
