// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {DecryptionMeter, IDecryptionGateway} from "../interfaces/IDecryptionGateway.sol";
import {IEvaluationKeyManager} from "../interfaces/IEvaluationKeyManager.sol";
import {IKeyManager} from "../interfaces/IKeyManager.sol";
import {Meter} from "../libraries/Meter.sol";

/// @title The part of the DecryptionGateway that counts: meters of keys, and grants
abstract contract DecryptionMeters is Initializable, IDecryptionGateway {
    using Meter for Meter.State;

    uint64 public constant COMMON_QUOTA = Meter.COMMON_QUOTA;

    /// @custom:storage-location erc7201:keyloom.storage.DecryptionMeters
    struct DecryptionMetersStorage {
        IKeyManager keyManager;
        IEvaluationKeyManager evaluationKeyManager;
        Meter.State meter;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.DecryptionMeters");

    // solhint-disable-next-line func-name-mixedcase
    function __DecryptionMeters_init(IEvaluationKeyManager manager) internal onlyInitializing {
        DecryptionMetersStorage storage $ = _metersStorage();
        $.keyManager = manager.keyManager();
        $.evaluationKeyManager = manager;
    }

    /// @inheritdoc IDecryptionGateway
    function grantUnits(bytes32 keyId, address consumer, uint64 units) external {
        DecryptionMetersStorage storage $ = _metersStorage();
        if ($.keyManager.key(keyId).requester != msg.sender) {
            revert DecryptionGatewayNotKeyOwner(keyId, msg.sender);
        }
        if (consumer == address(0)) revert DecryptionGatewayZeroConsumer();
        if (units == 0) revert DecryptionGatewayZeroUnits();
        $.meter.grant(keyId, $.keyManager.decryptionUnits(keyId), consumer, units);
        emit UnitsGranted(keyId, consumer, units);
    }

    /// @inheritdoc IDecryptionGateway
    function meter(bytes32 keyId) external view returns (DecryptionMeter memory) {
        DecryptionMetersStorage storage $ = _metersStorage();
        return $.meter.read(keyId, $.keyManager.decryptionUnits(keyId));
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
        return _metersStorage().evaluationKeyManager;
    }

    /// @inheritdoc IDecryptionGateway
    function keyManager() public view returns (IKeyManager) {
        return _metersStorage().keyManager;
    }

    /// @dev Units are spent under the key and under all its sources: what is decrypted here can be
    /// theirs. The source's own limit holds even if the source has been retired since.
    function _spend(
        bytes32 keyId,
        bytes32[] calldata handles,
        bytes32 recipient,
        address consumer
    ) internal {
        DecryptionMetersStorage storage $ = _metersStorage();
        uint64 units = $.meter.mark(handles, recipient);
        if (units == 0) return;
        $.meter.spend(keyId, $.keyManager.decryptionUnits(keyId), consumer, units);
        bytes32[] memory sources = $.evaluationKeyManager.sourcesOf(keyId);
        for (uint256 i = 0; i < sources.length; ++i) {
            uint64 limit = $.keyManager.decryptionUnits(sources[i]);
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
