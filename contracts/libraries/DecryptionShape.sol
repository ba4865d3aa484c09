// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../interfaces/IDecryptionGateway.sol";

/// @title Limits of decryption requests
library DecryptionShape {
    /// @dev The longest result is 16 · 64 · 8 = 8192 bytes.
    uint256 internal constant MAX_HANDLES = 16;
    uint256 internal constant MAX_POSITIONS = 64;

    /// @notice Reverts unless there are 1 to MAX_HANDLES handles, all different.
    /// @dev Order is the requester's: results come in it. So each pair is compared.
    function validateHandles(bytes32[] calldata handles) internal pure {
        if (handles.length == 0 || handles.length > MAX_HANDLES) {
            revert IDecryptionGateway.DecryptionGatewayHandleCount(handles.length, MAX_HANDLES);
        }
        for (uint256 i = 1; i < handles.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (handles[i] == handles[j]) {
                    revert IDecryptionGateway.DecryptionGatewayDuplicateHandle(handles[i]);
                }
            }
        }
    }

    /// @notice Reverts unless there are at most MAX_POSITIONS, strictly ascending and below the degree.
    function validatePositions(uint32[] calldata positions, uint32 degree) internal pure {
        uint256 count = positions.length;
        if (count == 0) return;
        if (count > MAX_POSITIONS) {
            revert IDecryptionGateway.DecryptionGatewayPositionCount(count, MAX_POSITIONS);
        }
        for (uint256 i = 1; i < count; ++i) {
            if (positions[i] <= positions[i - 1]) {
                revert IDecryptionGateway.DecryptionGatewayPositionOrder(i);
            }
        }
        if (positions[count - 1] >= degree) {
            revert IDecryptionGateway.DecryptionGatewayPositionRange(positions[count - 1], degree);
        }
    }
}
