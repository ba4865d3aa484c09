// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./governance/Governed.sol";
import {Ciphertext, ICiphertextRegistry} from "./interfaces/ICiphertextRegistry.sol";
import {IKeyManager} from "./interfaces/IKeyManager.sol";

/// @title CiphertextRegistry
contract CiphertextRegistry is Governed, ICiphertextRegistry {
    /// @custom:storage-location erc7201:keyloom.storage.CiphertextRegistry
    struct CiphertextRegistryStorage {
        IKeyManager keyManager;
        mapping(bytes32 handle => Ciphertext) ciphertexts;
        mapping(bytes32 handle => mapping(address account => bool)) allowed;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.CiphertextRegistry");

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param manager Parameter sets and keys.
    function initialize(address authority, IKeyManager manager) external initializer {
        __Governed_init(authority);
        _storage().keyManager = manager;
    }

    /// @inheritdoc ICiphertextRegistry
    function register(
        bytes32 keyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits,
        address owner
    ) external restricted returns (bytes32 handle) {
        if (digest == 0) revert CiphertextRegistryZeroDigest();
        if (owner == address(0)) revert CiphertextRegistryZeroAccount();
        CiphertextRegistryStorage storage $ = _storage();
        (uint8 minLimbs, uint8 maxLimbs, uint16 maxNoiseBits) = $.keyManager.ciphertextLimits(
            keyId
        );
        if (limbs < minLimbs || limbs > maxLimbs) {
            revert CiphertextRegistryLimbs(limbs, minLimbs, maxLimbs);
        }
        if (noiseBits > maxNoiseBits) revert CiphertextRegistryNoise(noiseBits, maxNoiseBits);

        handle = keccak256(abi.encode(block.chainid, address(this), keyId, digest));
        if ($.ciphertexts[handle].owner != address(0)) revert CiphertextRegistryExists(handle);
        $.ciphertexts[handle] = Ciphertext({
            keyId: keyId,
            digest: digest,
            owner: owner,
            limbs: limbs,
            noiseBits: noiseBits
        });
        emit CiphertextRegistered(handle, keyId, digest, limbs, noiseBits, owner);
    }

    /// @inheritdoc ICiphertextRegistry
    function allow(bytes32 handle, address account) external {
        CiphertextRegistryStorage storage $ = _storage();
        address owner = $.ciphertexts[handle].owner;
        if (owner == address(0)) revert CiphertextRegistryUnknown(handle);
        if (owner != msg.sender) revert CiphertextRegistryNotOwner(handle, msg.sender);
        if (account == address(0)) revert CiphertextRegistryZeroAccount();
        $.allowed[handle][account] = true;
        emit DecryptionAllowed(handle, account);
    }

    /// @inheritdoc ICiphertextRegistry
    function ciphertext(bytes32 handle) external view returns (Ciphertext memory) {
        return _storage().ciphertexts[handle];
    }

    /// @inheritdoc ICiphertextRegistry
    function mayDecrypt(bytes32 handle, address account) external view returns (bool) {
        CiphertextRegistryStorage storage $ = _storage();
        address owner = $.ciphertexts[handle].owner;
        return owner != address(0) && _mayDecrypt($, handle, owner, account);
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
            address owner = record.owner;
            if (owner == address(0)) revert CiphertextRegistryUnknown(handle);
            if (!_mayDecrypt($, handle, owner, account)) {
                revert CiphertextRegistryNotAllowed(handle, account);
            }
            if (i == 0) keyId = record.keyId;
            else if (record.keyId != keyId) {
                revert CiphertextRegistryMixedKeys(handle, record.keyId, keyId);
            }
        }
    }

    /// @inheritdoc ICiphertextRegistry
    function keyManager() external view returns (IKeyManager) {
        return _storage().keyManager;
    }

    function _mayDecrypt(
        CiphertextRegistryStorage storage $,
        bytes32 handle,
        address owner,
        address account
    ) private view returns (bool) {
        return account == owner || $.allowed[handle][account];
    }

    function _storage() private pure returns (CiphertextRegistryStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
