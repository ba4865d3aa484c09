// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

import {RequestWindow} from "./governance/RequestWindow.sol";
import {IEpochManager} from "./interfaces/IEpochManager.sol";
import {IKeyManager, Key, KeyState, ParameterSet} from "./interfaces/IKeyManager.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {ParameterSets} from "./libraries/ParameterSets.sol";

/// @title KeyManager
contract KeyManager is RequestWindow, EIP712Upgradeable, IKeyManager {
    bytes32 private constant PUBLIC_KEY_RESULT_TYPEHASH = keccak256(
        "PublicKeyResult(bytes32 epochId,bytes32 keyId,bytes32 digest)"
    );

    /// @dev What requests and registrations read is copied from the parameter set into one slot.
    struct KeyRecord {
        KeyState state;
        uint8 minLimbs;
        uint8 maxLimbs;
        uint16 maxNoiseBits;
        uint32 degree;
        uint64 deadline;
        bytes32 epochId;
        bytes32 parameterSetId;
        bytes32 digest;
        address requester;
        uint8 lambda;
    }

    /// @custom:storage-location erc7201:keyloom.storage.KeyManager
    struct KeyManagerStorage {
        IEpochManager epochManager;
        mapping(bytes32 parameterSetId => ParameterSet) parameterSets;
        mapping(bytes32 keyId => KeyRecord) keys;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.KeyManager");

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param manager Committees.
    /// @param responseWindow In seconds.
    function initialize(
        address authority,
        IEpochManager manager,
        uint64 responseWindow
    ) external initializer {
        __Governed_init(authority);
        __RequestWindow_init(responseWindow);
        _storage().epochManager = manager;
    }

    /// @inheritdoc IKeyManager
    function addParameterSet(
        ParameterSet calldata set
    ) external restricted returns (bytes32 parameterSetId) {
        ParameterSets.validate(set);
        parameterSetId = ParameterSets.id(set);
        KeyManagerStorage storage $ = _storage();
        if ($.parameterSets[parameterSetId].degree != 0) {
            revert KeyManagerParameterSetExists(parameterSetId);
        }
        $.parameterSets[parameterSetId] = set;
        emit ParameterSetAdded(parameterSetId, set);
    }

    /// @inheritdoc IKeyManager
    function requestKey(
        bytes32 epochId,
        bytes32 parameterSetId,
        bytes32 label
    ) external whenNotPaused restricted returns (bytes32 keyId) {
        KeyManagerStorage storage $ = _storage();
        uint256 size = $.epochManager.activeCommitteeSize(epochId);
        ParameterSet storage set = $.parameterSets[parameterSetId];
        if (set.degree == 0) revert KeyManagerParameterSetUnknown(parameterSetId);
        uint8 minLimbs = set.decryptionLimbs[CommitteeSize.index(size)];
        if (minLimbs == 0) revert KeyManagerCommitteeUnsupported(parameterSetId, size);

        keyId = keccak256(
            abi.encode(block.chainid, address(this), epochId, parameterSetId, msg.sender, label)
        );
        KeyRecord storage record = $.keys[keyId];
        bool expired = record.state == KeyState.Pending && block.timestamp > record.deadline;
        if (record.state != KeyState.None && !expired) {
            revert KeyManagerKeyExists(keyId, record.state, record.deadline);
        }

        uint64 deadline = _responseDeadline();
        $.keys[keyId] = KeyRecord({
            state: KeyState.Pending,
            minLimbs: minLimbs,
            maxLimbs: uint8(set.primes.length - 1),
            maxNoiseBits: set.maxNoiseBits[CommitteeSize.index(size)],
            degree: set.degree,
            deadline: deadline,
            epochId: epochId,
            parameterSetId: parameterSetId,
            digest: 0,
            requester: msg.sender,
            lambda: set.lambda
        });
        emit KeyRequested(keyId, epochId, parameterSetId, msg.sender, label, deadline);
    }

    /// @inheritdoc IKeyManager
    function recordPublicKey(
        bytes32 keyId,
        bytes32 digest,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external {
        KeyManagerStorage storage $ = _storage();
        KeyRecord storage record = $.keys[keyId];
        if (record.state != KeyState.Pending) revert KeyManagerKeyState(keyId, record.state);
        if (block.timestamp > record.deadline) {
            revert KeyManagerDeadlinePassed(keyId, record.deadline);
        }
        if (digest == 0) revert KeyManagerZeroDigest(keyId);
        bytes32 epochId = record.epochId;
        $.epochManager.verifyQuorum(
            epochId,
            hashPublicKeyResult(epochId, keyId, digest),
            signerBitmap,
            signatures
        );
        record.state = KeyState.Active;
        record.digest = digest;
        emit PublicKeyRecorded(keyId, digest, signerBitmap);
    }

    /// @inheritdoc IKeyManager
    function retireKey(bytes32 keyId) external restricted {
        KeyRecord storage record = _storage().keys[keyId];
        if (record.state != KeyState.Pending && record.state != KeyState.Active) {
            revert KeyManagerKeyState(keyId, record.state);
        }
        record.state = KeyState.Retired;
        emit KeyRetired(keyId);
    }

    /// @inheritdoc IKeyManager
    function parameterSet(bytes32 parameterSetId) external view returns (ParameterSet memory) {
        return _storage().parameterSets[parameterSetId];
    }

    /// @inheritdoc IKeyManager
    function key(bytes32 keyId) external view returns (Key memory) {
        KeyRecord storage record = _storage().keys[keyId];
        return
            Key({
                state: record.state,
                deadline: record.deadline,
                requester: record.requester,
                epochId: record.epochId,
                parameterSetId: record.parameterSetId,
                digest: record.digest
            });
    }

    /// @inheritdoc IKeyManager
    function ciphertextLimits(
        bytes32 keyId
    ) external view returns (uint8 minLimbs, uint8 maxLimbs, uint16 maxNoiseBits) {
        KeyRecord storage record = _active(keyId);
        return (record.minLimbs, record.maxLimbs, record.maxNoiseBits);
    }

    /// @inheritdoc IKeyManager
    function requireUsable(bytes32 keyId) external view returns (bytes32 epochId, uint32 degree) {
        KeyRecord storage record = _active(keyId);
        epochId = record.epochId;
        degree = record.degree;
        if (!_storage().epochManager.isActive(epochId))
            revert KeyManagerEpochInactive(keyId, epochId);
    }

    /// @inheritdoc IKeyManager
    function decryptionUnits(bytes32 keyId) external view returns (uint64) {
        KeyRecord storage record = _storage().keys[keyId];
        return record.state == KeyState.None ? 0 : ParameterSets.decryptionUnits(record.lambda);
    }

    /// @inheritdoc IKeyManager
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IKeyManager
    function epochManager() external view returns (IEpochManager) {
        return _storage().epochManager;
    }

    /// @inheritdoc IKeyManager
    function hashPublicKeyResult(
        bytes32 epochId,
        bytes32 keyId,
        bytes32 digest
    ) public view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(PUBLIC_KEY_RESULT_TYPEHASH, epochId, keyId, digest))
            );
    }

    function _active(bytes32 keyId) private view returns (KeyRecord storage record) {
        record = _storage().keys[keyId];
        if (record.state != KeyState.Active) revert KeyManagerKeyState(keyId, record.state);
    }

    /// @dev Constants instead of storage: they are read for every result.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom KeyManager";
    }

    /// @dev See {_EIP712Name}.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }

    function _storage() private pure returns (KeyManagerStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
