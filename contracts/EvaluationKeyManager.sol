// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EvaluationKeyKind,
    EvaluationKeys,
    IEvaluationKeyManager
} from "./interfaces/IEvaluationKeyManager.sol";
import {IKeyManager, Key, UsableKey} from "./interfaces/IKeyManager.sol";
import {RequestState} from "./interfaces/IRequests.sol";
import {EvaluationKeyShape} from "./libraries/EvaluationKeyShape.sol";
import {Operations} from "./libraries/Operations.sol";
import {Requests} from "./requests/Requests.sol";

/// @title EvaluationKeyManager
contract EvaluationKeyManager is Requests, IEvaluationKeyManager {
    uint256 public constant MAX_ELEMENTS = EvaluationKeyShape.MAX_ELEMENTS;

    /// @dev Every unit of a target's meter is counted for each of its sources: this bounds that gas.
    uint256 public constant MAX_SOURCES = 8;

    /// @dev Over all requests of a key: lists that overlap are different requests, and all of it is work
    /// for operators and room on their disks. Nine of SEAL's default sets.
    uint256 public constant MAX_ELEMENTS_PER_KEY = 256;

    /// @dev One of each kind and one more, so that no key keeps the operators to itself.
    uint256 public constant MAX_PENDING_REQUESTS = 4;

    /// @dev What is asked for, beside what {Requests} keeps.
    struct EvaluationKeyRecord {
        EvaluationKeyKind kind;
        uint32 entryCount;
        bytes32 epochId;
        bytes32 keyId;
        bytes32 targetKeyId;
    }

    /// @custom:storage-location erc7201:keyloom.storage.EvaluationKeyManager
    struct EvaluationKeyManagerStorage {
        mapping(bytes32 requestId => EvaluationKeyRecord) wanted;
        mapping(bytes32 fromKeyId => mapping(bytes32 toKeyId => bool)) switchingAllowed;
        mapping(bytes32 toKeyId => bytes32[] fromKeyIds) sources;
        mapping(bytes32 keyId => bool) isSource;
        mapping(bytes32 keyId => uint256) elementCount;
        mapping(bytes32 keyId => bytes32[MAX_PENDING_REQUESTS] requestIds) pending;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.EvaluationKeyManager");

    IKeyManager private immutable KEY_MANAGER;

    /// @param manager Parameter sets and keys; fees and committees are read from it.
    constructor(IKeyManager manager) Requests(manager.feeVault()) {
        KEY_MANAGER = manager;
    }

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

    /// @inheritdoc IEvaluationKeyManager
    function requestRelinearizationKey(
        bytes32 keyId
    ) external whenNotPaused returns (bytes32 requestId) {
        _requireRequester(keyId);
        UsableKey memory usable = KEY_MANAGER.requireUsable(keyId);
        return _request(usable, keyId, EvaluationKeyKind.Relinearization, 0, new uint32[](0));
    }

    /// @inheritdoc IEvaluationKeyManager
    function requestGaloisKeys(
        bytes32 keyId,
        uint32[] calldata elements
    ) external whenNotPaused returns (bytes32 requestId) {
        _requireRequester(keyId);
        UsableKey memory usable = KEY_MANAGER.requireUsable(keyId);
        EvaluationKeyShape.validateElements(elements, usable.degree);
        return _request(usable, keyId, EvaluationKeyKind.Galois, 0, elements);
    }

    /// @inheritdoc IEvaluationKeyManager
    function requestSwitchingKey(
        bytes32 fromKeyId,
        bytes32 toKeyId
    ) external whenNotPaused returns (bytes32 requestId) {
        UsableKey memory usable = _requireSwitchable(fromKeyId, toKeyId);
        _addSource(fromKeyId, toKeyId);
        return _request(usable, fromKeyId, EvaluationKeyKind.Switching, toKeyId, new uint32[](0));
    }

    /// @inheritdoc IEvaluationKeyManager
    function allowSwitching(bytes32 fromKeyId, bytes32 toKeyId) external {
        EvaluationKeyManagerStorage storage $ = _storage();
        _requireOwner(KEY_MANAGER.key(fromKeyId), fromKeyId);
        $.switchingAllowed[fromKeyId][toKeyId] = true;
        emit SwitchingAllowed(fromKeyId, toKeyId, msg.sender);
    }

    /// @inheritdoc IEvaluationKeyManager
    function recordEvaluationKeys(
        bytes32 requestId,
        bytes calldata digests,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external {
        // First: what was never asked for has no record, and a length of nothing.
        _answer(requestId, keccak256(digests), signerBitmap, signatures);
        EvaluationKeyRecord storage record = _storage().wanted[requestId];
        EvaluationKeyShape.validateDigests(digests, record.entryCount);
        _requireActive(record.keyId);
        if (record.kind == EvaluationKeyKind.Switching) _requireActive(record.targetKeyId);
        emit EvaluationKeysRecorded(requestId, digests, signerBitmap);
    }

    /// @inheritdoc IEvaluationKeyManager
    function evaluationKeys(bytes32 requestId) external view returns (EvaluationKeys memory) {
        EvaluationKeyRecord storage record = _storage().wanted[requestId];
        return
            EvaluationKeys({
                state: _requestState(requestId),
                kind: record.kind,
                deadline: _requestDeadline(requestId),
                entryCount: record.entryCount,
                epochId: record.epochId,
                keyId: record.keyId,
                targetKeyId: record.targetKeyId,
                resultHash: _resultHash(requestId)
            });
    }

    /// @inheritdoc IEvaluationKeyManager
    function isSwitchingAllowed(bytes32 fromKeyId, bytes32 toKeyId) external view returns (bool) {
        return _storage().switchingAllowed[fromKeyId][toKeyId];
    }

    /// @inheritdoc IEvaluationKeyManager
    function isSwitchingRecorded(bytes32 fromKeyId, bytes32 toKeyId) external view returns (bool) {
        bytes32 requestId = _requestId(
            KEY_MANAGER.key(fromKeyId).epochId,
            fromKeyId,
            EvaluationKeyKind.Switching,
            toKeyId,
            new uint32[](0)
        );
        return _resultHash(requestId) != 0;
    }

    /// @inheritdoc IEvaluationKeyManager
    function sourcesOf(bytes32 keyId) external view returns (bytes32[] memory) {
        return _storage().sources[keyId];
    }

    /// @inheritdoc IEvaluationKeyManager
    function keyManager() external view returns (IKeyManager) {
        return KEY_MANAGER;
    }

    /// @param usable The key, or the target of a switching key: they are of one epoch and degree.
    function _request(
        UsableKey memory usable,
        bytes32 keyId,
        EvaluationKeyKind kind,
        bytes32 targetKeyId,
        uint32[] memory elements
    ) private returns (bytes32 requestId) {
        requestId = _requestId(usable.epochId, keyId, kind, targetKeyId, elements);
        // At most MAX_ELEMENTS.
        uint32 entryCount = elements.length == 0 ? 1 : uint32(elements.length);
        // A request that is repeated gives the operators nothing new to make.
        if (kind == EvaluationKeyKind.Galois && _requestState(requestId) == RequestState.None) {
            _countElements(keyId, entryCount);
        }
        uint64 deadline = _open(
            requestId,
            usable.epochNumber,
            _operationOf(kind),
            uint256(entryCount) * usable.degree
        );
        _addPending(kind == EvaluationKeyKind.Switching ? targetKeyId : keyId, requestId);
        _storage().wanted[requestId] = EvaluationKeyRecord({
            kind: kind,
            entryCount: entryCount,
            epochId: usable.epochId,
            keyId: keyId,
            targetKeyId: targetKeyId
        });
        emit EvaluationKeysRequested(
            requestId,
            usable.epochId,
            keyId,
            kind,
            targetKeyId,
            elements,
            msg.sender,
            deadline
        );
    }

    function _operationOf(EvaluationKeyKind kind) private pure returns (uint8) {
        if (kind == EvaluationKeyKind.Relinearization) return Operations.RELINEARIZATION_KEY;
        if (kind == EvaluationKeyKind.Galois) return Operations.GALOIS_KEYS;
        return Operations.SWITCHING_KEY;
    }

    function _countElements(bytes32 keyId, uint256 count) private {
        EvaluationKeyManagerStorage storage $ = _storage();
        uint256 before = $.elementCount[keyId];
        if (before + count > MAX_ELEMENTS_PER_KEY) {
            revert EvaluationKeyManagerElementsSpent(keyId, before, MAX_ELEMENTS_PER_KEY);
        }
        $.elementCount[keyId] = before + count;
    }

    /// @dev Places are reused once their request was recorded or has expired. A request that is repeated
    /// takes its own place again, if it still has it: in two it would count twice.
    function _addPending(bytes32 keyId, bytes32 requestId) private {
        EvaluationKeyManagerStorage storage $ = _storage();
        bytes32[MAX_PENDING_REQUESTS] storage pending = $.pending[keyId];
        uint256 place = MAX_PENDING_REQUESTS;
        for (uint256 i = 0; i < MAX_PENDING_REQUESTS; ++i) {
            bytes32 present = pending[i];
            if (present == requestId) {
                place = i;
                break;
            }
            if (_requestState(present) != RequestState.Pending) place = i;
        }
        if (place == MAX_PENDING_REQUESTS) {
            revert EvaluationKeyManagerPendingCount(keyId, MAX_PENDING_REQUESTS);
        }
        pending[place] = requestId;
    }

    /// @dev Reverts unless the target's owner calls, the source's owner has allowed it, and both keys are
    /// active and alike.
    function _requireSwitchable(
        bytes32 fromKeyId,
        bytes32 toKeyId
    ) private view returns (UsableKey memory usable) {
        EvaluationKeyManagerStorage storage $ = _storage();
        Key memory from = KEY_MANAGER.key(fromKeyId);
        Key memory to = KEY_MANAGER.key(toKeyId);
        _requireOwner(to, toKeyId);
        if (fromKeyId == toKeyId) revert EvaluationKeyManagerSameKey(toKeyId);
        if (!$.switchingAllowed[fromKeyId][toKeyId]) {
            revert EvaluationKeyManagerSwitchingNotAllowed(fromKeyId, toKeyId);
        }
        KEY_MANAGER.requireUsable(fromKeyId);
        usable = KEY_MANAGER.requireUsable(toKeyId);
        if (from.epochId != usable.epochId) {
            revert EvaluationKeyManagerMixedEpochs(from.epochId, usable.epochId);
        }
        if (from.parameterSetId != to.parameterSetId) {
            revert EvaluationKeyManagerMixedSets(from.parameterSetId, to.parameterSetId);
        }
    }

    /// @dev Nothing changes if it is one already: the request is then being repeated.
    function _addSource(bytes32 fromKeyId, bytes32 toKeyId) private {
        EvaluationKeyManagerStorage storage $ = _storage();
        bytes32[] storage sources = $.sources[toKeyId];
        uint256 count = sources.length;
        for (uint256 i = 0; i < count; ++i) if (sources[i] == fromKeyId) return;
        if ($.sources[fromKeyId].length != 0) {
            revert EvaluationKeyManagerSwitchingChain(fromKeyId);
        }
        if ($.isSource[toKeyId]) revert EvaluationKeyManagerSwitchingChain(toKeyId);
        if (count == MAX_SOURCES) revert EvaluationKeyManagerSourceCount(toKeyId, MAX_SOURCES);
        sources.push(fromKeyId);
        $.isSource[fromKeyId] = true;
        if (count == 0) KEY_MANAGER.markTarget(toKeyId);
    }

    /// @dev The owner needs no role, so {restricted} is not a modifier here.
    function _requireRequester(bytes32 keyId) private {
        if (KEY_MANAGER.key(keyId).requester == msg.sender) return;
        _checkCanCall(msg.sender, msg.data);
    }

    function _requireOwner(Key memory key, bytes32 keyId) private view {
        if (key.requester != msg.sender) revert EvaluationKeyManagerNotOwner(keyId, msg.sender);
    }

    /// @dev Of an epoch in any phase, unlike requireUsable: what was signed before it was retired counts.
    function _requireActive(bytes32 keyId) private view {
        KEY_MANAGER.ciphertextLimits(keyId);
    }

    function _requestId(
        bytes32 epochId,
        bytes32 keyId,
        EvaluationKeyKind kind,
        bytes32 targetKeyId,
        uint32[] memory elements
    ) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    block.chainid,
                    address(this),
                    epochId,
                    keyId,
                    kind,
                    targetKeyId,
                    elements
                )
            );
    }

    /// @dev Constants instead of storage: they are read for every result.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom EvaluationKeyManager";
    }

    function _storage() private pure returns (EvaluationKeyManagerStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
