// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./governance/Governed.sol";
import {Ciphertext, ICiphertextRegistry} from "./interfaces/ICiphertextRegistry.sol";
import {IEvaluationKeyManager} from "./interfaces/IEvaluationKeyManager.sol";
import {IKeyManager} from "./interfaces/IKeyManager.sol";

/// @title CiphertextRegistry
contract CiphertextRegistry is Governed, ICiphertextRegistry {
    /// @custom:storage-location erc7201:keyloom.storage.CiphertextRegistry
    struct CiphertextRegistryStorage {
        IKeyManager keyManager;
        mapping(bytes32 handle => Ciphertext) ciphertexts;
        mapping(bytes32 handle => mapping(address account => bool)) allowed;
        IEvaluationKeyManager evaluationKeyManager;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.CiphertextRegistry");

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param manager Evaluation keys; the other keys are read from it.
    function initialize(address authority, IEvaluationKeyManager manager) external initializer {
        __Governed_init(authority);
        CiphertextRegistryStorage storage $ = _storage();
        $.evaluationKeyManager = manager;
        $.keyManager = manager.keyManager();
    }

    /// @inheritdoc ICiphertextRegistry
    function register(
        bytes32 keyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits,
        address owner
    ) external restricted returns (bytes32 handle) {
        if (owner == address(0)) revert CiphertextRegistryZeroAccount();
        return
            _register(
                Ciphertext({
                    keyId: keyId,
                    digest: digest,
                    owner: owner,
                    limbs: limbs,
                    noiseBits: noiseBits,
                    origin: 0
                })
            );
    }

    /// @inheritdoc ICiphertextRegistry
    function registerSwitched(
        bytes32 originHandle,
        bytes32 toKeyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits
    ) external restricted returns (bytes32 handle) {
        CiphertextRegistryStorage storage $ = _storage();
        Ciphertext storage origin = $.ciphertexts[originHandle];
        address owner = origin.owner;
        if (owner == address(0)) revert CiphertextRegistryUnknown(originHandle);
        bytes32 fromKeyId = origin.keyId;
        // Nothing leaves a retired key.
        $.keyManager.ciphertextLimits(fromKeyId);
        if (!$.evaluationKeyManager.isSwitchingRecorded(fromKeyId, toKeyId)) {
            revert CiphertextRegistryNotSwitchable(fromKeyId, toKeyId);
        }
        return
            _register(
                Ciphertext({
                    keyId: toKeyId,
                    digest: digest,
                    owner: owner,
                    limbs: limbs,
                    noiseBits: noiseBits,
                    origin: originHandle
                })
            );
    }

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
    function ciphertext(bytes32 handle) external view returns (Ciphertext memory) {
        return _storage().ciphertexts[handle];
    }

    /// @inheritdoc ICiphertextRegistry
    function mayDecrypt(bytes32 handle, address account) external view returns (bool) {
        CiphertextRegistryStorage storage $ = _storage();
        Ciphertext storage record = $.ciphertexts[handle];
        return record.owner != address(0) && _mayDecrypt($, handle, record, account);
    }

    /// @inheritdoc ICiphertextRegistry
    function requireDecryptable(
        bytes32[] calldata handles,
        address account
    ) external view returns (bytes32 keyId) {
        if (handles.length == 0) revert CiphertextRegistryNoHandles();
        CiphertextRegistryStorage storage $ = _storage();
        for (uint256 i = 0; i < handles.length; ++i) {
            bytes32 handle = handles[i];
            Ciphertext storage record = $.ciphertexts[handle];
            if (record.owner == address(0)) revert CiphertextRegistryUnknown(handle);
            if (!_mayDecrypt($, handle, record, account)) {
                revert CiphertextRegistryNotAllowed(handle, account);
            }
            if (i == 0) keyId = record.keyId;
            else if (record.keyId != keyId) {
                revert CiphertextRegistryMixedKeys(handle, record.keyId, keyId);
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

    /// @inheritdoc ICiphertextRegistry
    function evaluationKeyManager() external view returns (IEvaluationKeyManager) {
        return _storage().evaluationKeyManager;
    }

    /// @inheritdoc ICiphertextRegistry
    function keyManager() external view returns (IKeyManager) {
        return _storage().keyManager;
    }

    function _register(Ciphertext memory record) private returns (bytes32 handle) {
        if (record.digest == 0) revert CiphertextRegistryZeroDigest();
        CiphertextRegistryStorage storage $ = _storage();
        (uint8 minLimbs, uint8 maxLimbs, uint16 maxNoiseBits) = $.keyManager.ciphertextLimits(
            record.keyId
        );
        if (record.limbs < minLimbs || record.limbs > maxLimbs) {
            revert CiphertextRegistryLimbs(record.limbs, minLimbs, maxLimbs);
        }
        if (record.noiseBits > maxNoiseBits) {
            revert CiphertextRegistryNoise(record.noiseBits, maxNoiseBits);
        }

        handle = keccak256(abi.encode(block.chainid, address(this), record.keyId, record.digest));
        if ($.ciphertexts[handle].owner != address(0)) revert CiphertextRegistryExists(handle);
        $.ciphertexts[handle] = record;
        emit CiphertextRegistered(
            handle,
            record.keyId,
            record.digest,
            record.limbs,
            record.noiseBits,
            record.owner,
            record.origin
        );
    }

    function _requireOwner(bytes32 handle, address owner, address account) private pure {
        if (owner == address(0)) revert CiphertextRegistryUnknown(handle);
        if (owner != account) revert CiphertextRegistryNotOwner(handle, account);
    }

    function _mayDecrypt(
        CiphertextRegistryStorage storage $,
        bytes32 handle,
        Ciphertext storage record,
        address account
    ) private view returns (bool) {
        // Its own rights first: only switched ones have an origin to be read, and none of their own.
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
        bytes32 origin = record.origin;
        return origin == 0 ? handle : origin;
    }

    function _storage() private pure returns (CiphertextRegistryStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
