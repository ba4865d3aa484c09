// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecryptionMeter, IDecryptionGateway} from "../interfaces/IDecryptionGateway.sol";

/// @title Decryption meters: units of keys, and who can spend them
/// @notice Flooding hides the noise of one decryption up to 2^-λ, and of k different ones up to k·2^-λ.
/// So a key allows 2^(λ-40) of them. What is decrypted again is the same share bit for bit, and free.
/// @dev Invariant: reserved + commonSpent <= limit and reservedSpent <= reserved. So nobody can spend
/// what is reserved for another, and never more than `limit` are spent.
library Meter {
    /// @dev Most units of a key that a consumer can spend beside what it is granted.
    uint64 internal constant COMMON_QUOTA = 1 << 16;

    struct KeyMeter {
        uint64 reserved;
        uint64 reservedSpent;
        uint64 commonSpent;
    }

    struct Consumer {
        uint64 granted;
        uint64 grantSpent;
        uint64 commonSpent;
    }

    struct State {
        mapping(bytes32 unit => bool) spent;
        mapping(bytes32 keyId => KeyMeter) meters;
        mapping(bytes32 keyId => mapping(address consumer => Consumer)) consumers;
    }

    /// @notice Marks the units of these handles for one recipient.
    /// @return units How many of them had not been marked before.
    function mark(
        State storage $,
        bytes32[] calldata handles,
        bytes32 recipient
    ) internal returns (uint64 units) {
        for (uint256 i = 0; i < handles.length; ++i) {
            bytes32 unit = unitOf(handles[i], recipient);
            if ($.spent[unit]) continue;
            $.spent[unit] = true;
            ++units;
        }
    }

    /// @notice Spends units of the key that is decrypted with, on behalf of a consumer: of its grant as
    /// far as that goes, then in common with everybody else.
    function spend(
        State storage $,
        bytes32 keyId,
        uint64 limit,
        address consumer,
        uint64 units
    ) internal {
        Consumer storage account = $.consumers[keyId][consumer];
        uint64 left = account.granted - account.grantSpent;
        uint64 ofGrant = units < left ? units : left;
        uint64 inCommon = units - ofGrant;
        if (inCommon > COMMON_QUOTA - account.commonSpent) {
            revert IDecryptionGateway.DecryptionGatewayQuotaSpent(
                keyId,
                consumer,
                _quotaOf(account)
            );
        }
        if (ofGrant != 0) {
            account.grantSpent += ofGrant;
            $.meters[keyId].reservedSpent += ofGrant;
        }
        if (inCommon != 0) {
            account.commonSpent += inCommon;
            spendCommon($, keyId, limit, inCommon);
        }
    }

    /// @notice Spends units that are not reserved: of a consumer beside its grant, and of a source.
    function spendCommon(State storage $, bytes32 keyId, uint64 limit, uint64 units) internal {
        KeyMeter storage meter = $.meters[keyId];
        if (units > _available(meter, limit)) {
            revert IDecryptionGateway.DecryptionGatewayMeterSpent(keyId, limit);
        }
        meter.commonSpent += units;
    }

    /// @notice Reserves units that are neither reserved nor spent.
    function grant(
        State storage $,
        bytes32 keyId,
        uint64 limit,
        address consumer,
        uint64 units
    ) internal {
        KeyMeter storage meter = $.meters[keyId];
        if (units > _available(meter, limit)) {
            revert IDecryptionGateway.DecryptionGatewayMeterSpent(keyId, limit);
        }
        meter.reserved += units;
        $.consumers[keyId][consumer].granted += units;
    }

    /// @notice The meter as clients see it.
    function read(
        State storage $,
        bytes32 keyId,
        uint64 limit
    ) internal view returns (DecryptionMeter memory) {
        KeyMeter storage meter = $.meters[keyId];
        return
            DecryptionMeter({
                limit: limit,
                reserved: meter.reserved,
                reservedSpent: meter.reservedSpent,
                commonSpent: meter.commonSpent
            });
    }

    /// @notice What a consumer can spend of a key in all, and has spent of it.
    function quotaOf(
        State storage $,
        bytes32 keyId,
        address consumer
    ) internal view returns (uint256 quota, uint256 spent) {
        Consumer storage account = $.consumers[keyId][consumer];
        return (_quotaOf(account), uint256(account.grantSpent) + account.commonSpent);
    }

    /// @notice Name of a unit. Keys need not be in it: a handle is of one key.
    function unitOf(bytes32 handle, bytes32 recipient) internal pure returns (bytes32) {
        return keccak256(abi.encode(handle, recipient));
    }

    /// @dev A grant alone can be as large as a uint64.
    function _quotaOf(Consumer storage account) private view returns (uint256) {
        return uint256(account.granted) + COMMON_QUOTA;
    }

    /// @dev By the invariant this never underflows.
    function _available(KeyMeter storage meter, uint64 limit) private view returns (uint64) {
        return limit - meter.reserved - meter.commonSpent;
    }
}
