// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ciphertext, ICiphertextRegistry} from "../interfaces/ICiphertextRegistry.sol";
import {IEpochManager} from "../interfaces/IEpochManager.sol";
import {IEvaluationKeyManager} from "../interfaces/IEvaluationKeyManager.sol";
import {IKeyManager} from "../interfaces/IKeyManager.sol";

/// @title The part of the CiphertextRegistry that says who may decrypt what is registered
abstract contract DecryptionRights is ICiphertextRegistry {
    /// @custom:storage-location erc7201:keyloom.storage.CiphertextRegistry
    struct CiphertextRegistryStorage {
        IKeyManager keyManager;
        mapping(bytes32 handle => Ciphertext) ciphertexts;
        mapping(bytes32 handle => mapping(address account => bool)) allowed;
        IEvaluationKeyManager evaluationKeyManager;
        IEpochManager epochManager;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.CiphertextRegistry");

    /// @inheritdoc ICiphertextRegistry
    function allow(bytes32 handle, address account) external {
        CiphertextRegistryStorage storage $ = _storage();
        Ciphertext storage record = $.ciphertexts[handle];
        _requireOwner(handle, record.owner, msg.sender);
        if (account == address(0)) revert CiphertextRegistryZeroAccount();
        bytes32 holder = _holderOfRights(handle, record);
        $.allowed[holder][account] = true;
        emit DecryptionAllowed(holder, account);
    }

    /// @inheritdoc ICiphertextRegistry
    function mayDecrypt(bytes32 handle, address account) external view returns (bool) {
        Ciphertext storage record = _storage().ciphertexts[handle];
        return record.owner != address(0) && _mayDecrypt(handle, record, account);
    }

    /// @inheritdoc ICiphertextRegistry
    function requireDecryptable(
        bytes32[] calldata handles,
        address account
    ) external view returns (bytes32 keyId) {
        if (handles.length == 0) revert CiphertextRegistryNoHandles();
        for (uint256 i = 0; i < handles.length; ++i) {
            bytes32 handleKeyId = _requireAllowed(handles[i], account);
            if (i == 0) keyId = handleKeyId;
            else if (handleKeyId != keyId) {
                revert CiphertextRegistryMixedKeys(handles[i], handleKeyId, keyId);
            }
        }
    }

    /// @inheritdoc ICiphertextRegistry
    function requireOwned(bytes32[] calldata handles, address owner) external view {
        CiphertextRegistryStorage storage $ = _storage();
        for (uint256 i = 0; i < handles.length; ++i) {
            _requireOwner(handles[i], $.ciphertexts[handles[i]].owner, owner);
        }
    }

    /// @dev Reverts unless the ciphertext is registered and the account may decrypt it.
    /// @return keyId Its key.
    function _requireAllowed(bytes32 handle, address account) internal view returns (bytes32) {
        Ciphertext storage record = _storage().ciphertexts[handle];
        if (record.owner == address(0)) revert CiphertextRegistryUnknown(handle);
        if (!_mayDecrypt(handle, record, account)) {
            revert CiphertextRegistryNotAllowed(handle, account);
        }
        return record.keyId;
    }

    function _storage() internal pure returns (CiphertextRegistryStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }

    function _mayDecrypt(
        bytes32 handle,
        Ciphertext storage record,
        address account
    ) private view returns (bool) {
        CiphertextRegistryStorage storage $ = _storage();
        // Its own rights first: only switched ones have a source to be read, and none of their own.
        return
            account == record.owner ||
            $.allowed[handle][account] ||
            $.allowed[_holderOfRights(handle, record)][account];
    }

    /// @dev The ciphertext whose access rights hold for this one.
    function _holderOfRights(
        bytes32 handle,
        Ciphertext storage record
    ) private view returns (bytes32) {
        bytes32 source = record.source;
        return source == 0 ? handle : source;
    }

    function _requireOwner(bytes32 handle, address owner, address account) private pure {
        if (owner == address(0)) revert CiphertextRegistryUnknown(handle);
        if (owner != account) revert CiphertextRegistryNotOwner(handle, account);
    }
}
