// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluationKeyManager} from "../interfaces/IEvaluationKeyManager.sol";

/// @title Limits of a request for evaluation keys, and the form of its result
library EvaluationKeyShape {
    /// @dev SEAL's default set has 27 elements at N = 16384 and 29 at the largest degree.
    uint256 internal constant MAX_ELEMENTS = 64;

    uint256 private constant DIGEST_BYTES = 32;

    /// @notice Reverts unless there are 1 to MAX_ELEMENTS odd numbers in [3, 2N), strictly ascending.
    /// @dev The order makes one list of each set of elements, so one request. Element 1 is the identity:
    /// a key for it is never needed, and a switching key stands in its place in SEAL's format.
    function validateElements(uint32[] calldata elements, uint32 degree) internal pure {
        uint256 count = elements.length;
        if (count == 0 || count > MAX_ELEMENTS) {
            revert IEvaluationKeyManager.EvaluationKeyManagerElementCount(count, MAX_ELEMENTS);
        }
        for (uint256 i = 0; i < count; ++i) {
            uint32 element = elements[i];
            if (element < 3 || element >= 2 * degree || element & 1 == 0) {
                revert IEvaluationKeyManager.EvaluationKeyManagerElement(element, degree);
            }
            if (i != 0 && element <= elements[i - 1]) {
                revert IEvaluationKeyManager.EvaluationKeyManagerElementOrder(i);
            }
        }
    }

    /// @notice Reverts unless there is one digest per entry and none is zero.
    function validateDigests(bytes calldata digests, uint256 entryCount) internal pure {
        if (digests.length != entryCount * DIGEST_BYTES) {
            revert IEvaluationKeyManager.EvaluationKeyManagerDigestsLength(
                digests.length,
                entryCount * DIGEST_BYTES
            );
        }
        for (uint256 i = 0; i < entryCount; ++i) {
            if (bytes32(digests[i * DIGEST_BYTES:]) == 0) {
                revert IEvaluationKeyManager.EvaluationKeyManagerZeroDigest(i);
            }
        }
    }
}
