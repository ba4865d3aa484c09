// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochFollower} from "./interfaces/IEpochFollower.sol";
import {IFeeVault} from "./interfaces/IFeeVault.sol";
import {IKeyManager, Key, KeyState, ParameterSet, UsableKey} from "./interfaces/IKeyManager.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {Operations} from "./libraries/Operations.sol";
import {ParameterSets} from "./libraries/ParameterSets.sol";
import {Requests} from "./requests/Requests.sol";

/// @title KeyManager
contract KeyManager is Requests, IKeyManager {
    /// @dev What requests and registrations read is copied from the parameter set into one slot.
    struct KeyRecord {
        KeyState state;
        uint8 minLimbs;
        uint8 maxLimbs;
        uint16 maxNoiseBits;
        uint32 degree;
        uint16 epochNumber;
        uint8 lambda;
        bool isTarget;
        bytes32 epochId;
        bytes32 parameterSetId;
        bytes32 digest;
        address requester;
    }

    /// @dev Of the active epochs those that a key was requested of are here.
    /// @custom:storage-location erc7201:keyloom.storage.KeyManager
    struct KeyManagerStorage {
        mapping(bytes32 parameterSetId => ParameterSet) parameterSets;
        mapping(bytes32 keyId => KeyRecord) keys;
        mapping(uint16 number => bytes32 epochId) activeEpochs;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.KeyManager");

    /// @param vault Fees; the committees are read from it.
    constructor(IFeeVault vault) Requests(vault) {}

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param responseWindow In seconds.
    /// @param attestationWindow In seconds.
    function initialize(
        address authority,
        uint64 responseWindow,
        uint64 attestationWindow
    ) external initializer {
        __Requests_init(authority, responseWindow, attestationWindow);
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
        (uint256 size, uint16 epochNumber) = epochManager().activeCommittee(epochId);
        ParameterSet storage set = $.parameterSets[parameterSetId];
        if (set.degree == 0) revert KeyManagerParameterSetUnknown(parameterSetId);
        uint8 minLimbs = set.decryptionLimbs[CommitteeSize.index(size)];
        if (minLimbs == 0) revert KeyManagerCommitteeUnsupported(parameterSetId, size);

        keyId = keccak256(
            abi.encode(block.chainid, address(this), epochId, parameterSetId, msg.sender, label)
        );
        // A retired key that was never recorded must not come back.
        if ($.keys[keyId].state == KeyState.Retired) {
            revert KeyManagerKeyState(keyId, KeyState.Retired);
        }
        $.activeEpochs[epochNumber] = epochId;
        uint64 deadline = _open(keyId, epochNumber, Operations.KEY_GENERATION, set.degree);
        $.keys[keyId] = KeyRecord({
            state: KeyState.Pending,
            minLimbs: minLimbs,
            maxLimbs: uint8(set.primes.length - 1),
            maxNoiseBits: set.maxNoiseBits[CommitteeSize.index(size)],
            degree: set.degree,
            epochNumber: epochNumber,
            lambda: set.lambda,
            isTarget: false,
            epochId: epochId,
            parameterSetId: parameterSetId,
            digest: 0,
            requester: msg.sender
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
        KeyRecord storage record = _storage().keys[keyId];
        if (record.state != KeyState.Pending) revert KeyManagerKeyState(keyId, record.state);
        if (digest == 0) revert KeyManagerZeroDigest(keyId);
        _answer(keyId, keccak256(abi.encode(digest)), signerBitmap, signatures);
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
    function primeOf(
        bytes32 parameterSetId,
        uint256 limb
    ) external view returns (uint64 prime, uint256 count) {
        uint64[] storage primes = _storage().parameterSets[parameterSetId].primes;
        count = primes.length;
        if (limb < count) prime = primes[limb];
    }

    /// @inheritdoc IKeyManager
    function key(bytes32 keyId) external view returns (Key memory) {
        KeyRecord storage record = _storage().keys[keyId];
        return
            Key({
                state: record.state,
                deadline: _requestDeadline(keyId),
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
    function requireUsable(bytes32 keyId) external view returns (UsableKey memory usable) {
        KeyRecord storage record = _active(keyId);
        uint16 number = record.epochNumber;
        // Being told when an epoch ends saves asking the EpochManager.
        bytes32 epochId = _storage().activeEpochs[number];
        if (epochId == 0) revert KeyManagerEpochInactive(keyId, record.epochId);
        usable = UsableKey({
            epochId: epochId,
            epochNumber: number,
            degree: record.degree,
            units: ParameterSets.decryptionUnits(record.lambda),
            isTarget: record.isTarget
        });
    }

    /// @inheritdoc IEpochFollower
    function endEpoch(uint16 number) external restricted {
        delete _storage().activeEpochs[number];
    }

    /// @inheritdoc IKeyManager
    function markTarget(bytes32 keyId) external restricted {
        _active(keyId).isTarget = true;
    }

    /// @inheritdoc IKeyManager
    function decryptionUnits(bytes32 keyId) external view returns (uint64) {
        KeyRecord storage record = _storage().keys[keyId];
        return record.state == KeyState.None ? 0 : ParameterSets.decryptionUnits(record.lambda);
    }

    function _active(bytes32 keyId) private view returns (KeyRecord storage record) {
        record = _storage().keys[keyId];
        if (record.state != KeyState.Active) revert KeyManagerKeyState(keyId, record.state);
    }

    /// @dev Constants instead of storage: they are read for every result.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom KeyManager";
    }

    function _storage() private pure returns (KeyManagerStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
