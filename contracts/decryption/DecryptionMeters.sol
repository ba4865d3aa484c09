// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecryptionMeter, IDecryptionGateway} from "../interfaces/IDecryptionGateway.sol";
import {IEvaluationKeyManager} from "../interfaces/IEvaluationKeyManager.sol";
import {IKeyManager, UsableKey} from "../interfaces/IKeyManager.sol";
import {Meter} from "../libraries/Meter.sol";

/// @title The part of the DecryptionGateway that counts: meters of keys, and grants
abstract contract DecryptionMeters is IDecryptionGateway {
    using Meter for Meter.State;

    uint64 public constant COMMON_QUOTA = Meter.COMMON_QUOTA;

    /// @custom:storage-location erc7201:keyloom.storage.DecryptionMeters
    struct DecryptionMetersStorage {
        Meter.State meter;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.DecryptionMeters");

    IKeyManager private immutable KEY_MANAGER;
    IEvaluationKeyManager private immutable EVALUATION_KEY_MANAGER;

    constructor(IEvaluationKeyManager manager) {
        KEY_MANAGER = manager.keyManager();
        EVALUATION_KEY_MANAGER = manager;
    }

    /// @inheritdoc IDecryptionGateway
    function grantUnits(bytes32 keyId, address consumer, uint64 units) external {
        DecryptionMetersStorage storage $ = _metersStorage();
        if (KEY_MANAGER.key(keyId).requester != msg.sender) {
            revert DecryptionGatewayNotKeyOwner(keyId, msg.sender);
        }
        if (consumer == address(0)) revert DecryptionGatewayZeroConsumer();
        if (units == 0) revert DecryptionGatewayZeroUnits();
        $.meter.grant(keyId, KEY_MANAGER.decryptionUnits(keyId), consumer, units);
        emit UnitsGranted(keyId, consumer, units);
    }

    /// @inheritdoc IDecryptionGateway
    function meter(bytes32 keyId) external view returns (DecryptionMeter memory) {
        DecryptionMetersStorage storage $ = _metersStorage();
        return $.meter.read(keyId, KEY_MANAGER.decryptionUnits(keyId));
    }

    /// @inheritdoc IDecryptionGateway
    function quotaOf(
        bytes32 keyId,
        address consumer
    ) external view returns (uint256 quota, uint256 spent) {
        return _metersStorage().meter.quotaOf(keyId, consumer);
    }

    /// @inheritdoc IDecryptionGateway
    function isUnitSpent(bytes32 handle, bytes32 recipient) external view returns (bool) {
        return _metersStorage().meter.spent[Meter.unitOf(handle, recipient)];
    }

    /// @inheritdoc IDecryptionGateway
    function evaluationKeyManager() external view returns (IEvaluationKeyManager) {
        return EVALUATION_KEY_MANAGER;
    }

    /// @inheritdoc IDecryptionGateway
    function keyManager() public view returns (IKeyManager) {
        return KEY_MANAGER;
    }

    /// @dev Units are spent under the key and under all its sources: what is decrypted here can be
    /// theirs. The source's own limit holds even if the source has been retired since.
    function _spend(
        bytes32 keyId,
        UsableKey memory usable,
        bytes32[] calldata handles,
        bytes32 recipient,
        address consumer
    ) internal {
        DecryptionMetersStorage storage $ = _metersStorage();
        uint64 units = $.meter.mark(handles, recipient);
        if (units == 0) return;
        $.meter.spend(keyId, usable.units, consumer, units);
        if (!usable.isTarget) return;
        bytes32[] memory sources = EVALUATION_KEY_MANAGER.sourcesOf(keyId);
        for (uint256 i = 0; i < sources.length; ++i) {
            uint64 limit = KEY_MANAGER.decryptionUnits(sources[i]);
            $.meter.spendCommon(sources[i], limit, units);
        }
    }

    function _metersStorage() private pure returns (DecryptionMetersStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
