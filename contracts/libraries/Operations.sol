// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Numbers of the operations, as in item ids (docs/formats.md), and how large each is
/// @notice The size of a request is the number of coefficients of its result, for each prime alike:
/// what operators compute, send and store grows with it.
library Operations {
    uint8 internal constant KEY_GENERATION = 1;
    uint8 internal constant PUBLIC_DECRYPTION = 2;
    uint8 internal constant RELINEARIZATION_KEY = 3;
    uint8 internal constant GALOIS_KEYS = 4;
    uint8 internal constant SWITCHING_KEY = 5;
    uint8 internal constant USER_DECRYPTION = 6;
    uint8 internal constant CRS = 7;

    /// @notice Size of a public decryption: of all coefficients if no positions are named.
    function publicDecryption(
        uint256 handles,
        uint256 positions,
        uint32 degree
    ) internal pure returns (uint256) {
        return handles * (positions == 0 ? degree : positions);
    }

    /// @notice Size of a user decryption: an answer has two polynomials, in packed form one and a few
    /// coefficients.
    function userDecryption(
        uint256 handles,
        bool packed,
        uint32 degree
    ) internal pure returns (uint256) {
        return packed ? degree + handles : 2 * handles * uint256(degree);
    }
}
