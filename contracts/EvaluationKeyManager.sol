// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

import {RequestWindow} from "./governance/RequestWindow.sol";
import {IEpochManager} from "./interfaces/IEpochManager.sol";
import {
    EvaluationKeyKind,
    EvaluationKeyState,
    EvaluationKeys,
    IEvaluationKeyManager
} from "./interfaces/IEvaluationKeyManager.sol";
import {IKeyManager, Key} from "./interfaces/IKeyManager.sol";
import {EvaluationKeyShape} from "./libraries/EvaluationKeyShape.sol";

/// @title EvaluationKeyManager
contract EvaluationKeyManager is RequestWindow, EIP712Upgradeable, IEvaluationKeyManager {
    uint256 public constant MAX_ELEMENTS = EvaluationKeyShape.MAX_ELEMENTS;

    /// @dev Every unit of a target's meter is counted for each of its sources: this bounds that gas.
    uint256 public constant MAX_SOURCES = 8;

    /// @dev Over all requests of a key: lists that overlap are different requests, and all of it is work
    /// for operators and room on their disks. Nine of SEAL's default sets.
    uint256 public constant MAX_ELEMENTS_PER_KEY = 256;

    /// @dev One of each kind and one more, so that no key keeps the operators to itself.
    uint256 public constant MAX_PENDING_REQUESTS = 4;

    bytes32 private constant EVALUATION_KEYS_RESULT_TYPEHASH = keccak256(
        "EvaluationKeysResult(bytes32 epochId,bytes32 requestId,bytes digests)"
    );

    /// @dev The deadline is never zero for a request that exists.
    struct RequestRecord {
        EvaluationKeyKind kind;
        uint64 deadline;
        uint32 entryCount;
        bytes32 epochId;
        bytes32 keyId;
        bytes32 targetKeyId;
        bytes32 resultHash;
    }

    /// @custom:storage-location erc7201:keyloom.storage.EvaluationKeyManager
    struct EvaluationKeyManagerStorage {
        IKeyManager keyManager;
        IEpochManager epochManager;
        mapping(bytes32 requestId => RequestRecord) requests;
        mapping(bytes32 fromKeyId => mapping(bytes32 toKeyId => bool)) switchingAllowed;
        mapping(bytes32 toKeyId => bytes32[] fromKeyIds) sources;
        mapping(bytes32 keyId => bool) isSource;
        mapping(bytes32 keyId => uint256) elementCount;
        mapping(bytes32 keyId => bytes32[MAX_PENDING_REQUESTS] requestIds) pending;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.EvaluationKeyManager");

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param manager Parameter sets and keys.
    /// @param responseWindow In seconds.
    function initialize(
        address authority,
        IKeyManager manager,
        uint64 responseWindow
    ) external initializer {
        __Governed_init(authority);
        __RequestWindow_init(responseWindow);
        EvaluationKeyManagerStorage storage $ = _storage();
        $.keyManager = manager;
        $.epochManager = manager.epochManager();
    }

    /// @inheritdoc IEvaluationKeyManager
    function requestRelinearizationKey(
        bytes32 keyId
    ) external whenNotPaused returns (bytes32 requestId) {
        _requireRequester(keyId);
        (bytes32 epochId, ) = _storage().keyManager.requireUsable(keyId);
        return _request(epochId, keyId, EvaluationKeyKind.Relinearization, 0, 1, new uint32[](0));
    }

    /// @inheritdoc IEvaluationKeyManager
    function requestGaloisKeys(
        bytes32 keyId,
        uint32[] calldata elements
    ) external whenNotPaused returns (bytes32 requestId) {
        _requireRequester(keyId);
        (bytes32 epochId, uint32 degree) = _storage().keyManager.requireUsable(keyId);
        EvaluationKeyShape.validateElements(elements, degree);
        // At most MAX_ELEMENTS.
        uint32 entryCount = uint32(elements.length);
        return _request(epochId, keyId, EvaluationKeyKind.Galois, 0, entryCount, elements);
    }

    /// @inheritdoc IEvaluationKeyManager
    function requestSwitchingKey(
        bytes32 fromKeyId,
        bytes32 toKeyId
    ) external whenNotPaused returns (bytes32 requestId) {
        bytes32 epochId = _requireSwitchable(fromKeyId, toKeyId);
        _addSource(fromKeyId, toKeyId);
        return
            _request(epochId, fromKeyId, EvaluationKeyKind.Switching, toKeyId, 1, new uint32[](0));
    }

    /// @inheritdoc IEvaluationKeyManager
    function allowSwitching(bytes32 fromKeyId, bytes32 toKeyId) external {
        EvaluationKeyManagerStorage storage $ = _storage();
        _requireOwner($.keyManager.key(fromKeyId), fromKeyId);
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
        EvaluationKeyManagerStorage storage $ = _storage();
        RequestRecord storage record = $.requests[requestId];
        EvaluationKeyState state = _stateOf(record);
        if (state != EvaluationKeyState.Pending) {
            revert EvaluationKeyManagerRequestState(requestId, state);
        }
        EvaluationKeyShape.validateDigests(digests, record.entryCount);
        _requireActive(record.keyId);
        if (record.kind == EvaluationKeyKind.Switching) _requireActive(record.targetKeyId);
        bytes32 epochId = record.epochId;
        bytes32 resultHash = keccak256(digests);
        $.epochManager.verifyQuorum(
            epochId,
            _resultDigest(epochId, requestId, resultHash),
            signerBitmap,
            signatures
        );
        record.resultHash = resultHash;
        emit EvaluationKeysRecorded(requestId, digests, signerBitmap);
    }

    /// @inheritdoc IEvaluationKeyManager
    function evaluationKeys(bytes32 requestId) external view returns (EvaluationKeys memory) {
        RequestRecord storage record = _storage().requests[requestId];
        return
            EvaluationKeys({
                state: _stateOf(record),
                kind: record.kind,
                deadline: record.deadline,
                entryCount: record.entryCount,
                epochId: record.epochId,
                keyId: record.keyId,
                targetKeyId: record.targetKeyId,
                resultHash: record.resultHash
            });
    }

    /// @inheritdoc IEvaluationKeyManager
    function isResult(bytes32 requestId, bytes calldata digests) external view returns (bool) {
        return _storage().requests[requestId].resultHash == keccak256(digests);
    }

    /// @inheritdoc IEvaluationKeyManager
    function isSwitchingAllowed(bytes32 fromKeyId, bytes32 toKeyId) external view returns (bool) {
        return _storage().switchingAllowed[fromKeyId][toKeyId];
    }

    /// @inheritdoc IEvaluationKeyManager
    function isSwitchingRecorded(bytes32 fromKeyId, bytes32 toKeyId) external view returns (bool) {
        EvaluationKeyManagerStorage storage $ = _storage();
        bytes32 requestId = _requestId(
            $.keyManager.key(fromKeyId).epochId,
            fromKeyId,
            EvaluationKeyKind.Switching,
            toKeyId,
            new uint32[](0)
        );
        return $.requests[requestId].resultHash != 0;
    }

    /// @inheritdoc IEvaluationKeyManager
    function sourcesOf(bytes32 keyId) external view returns (bytes32[] memory) {
        return _storage().sources[keyId];
    }

    /// @inheritdoc IEvaluationKeyManager
    function hashEvaluationKeysResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes calldata digests
    ) external view returns (bytes32) {
        return _resultDigest(epochId, requestId, keccak256(digests));
    }

    /// @inheritdoc IEvaluationKeyManager
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IEvaluationKeyManager
    function keyManager() external view returns (IKeyManager) {
        return _storage().keyManager;
    }

    /// @inheritdoc IEvaluationKeyManager
    function epochManager() external view returns (IEpochManager) {
        return _storage().epochManager;
    }

    function _request(
        bytes32 epochId,
        bytes32 keyId,
        EvaluationKeyKind kind,
        bytes32 targetKeyId,
        uint32 entryCount,
        uint32[] memory elements
    ) private returns (bytes32 requestId) {
        requestId = _requestId(epochId, keyId, kind, targetKeyId, elements);
        RequestRecord storage record = _storage().requests[requestId];
        EvaluationKeyState state = _stateOf(record);
        if (state != EvaluationKeyState.None && state != EvaluationKeyState.Expired) {
            revert EvaluationKeyManagerRequestExists(requestId, state, record.deadline);
        }
        // A request that is repeated gives the operators nothing new to make.
        if (state == EvaluationKeyState.None && kind == EvaluationKeyKind.Galois) {
            _countElements(keyId, entryCount);
        }
        _addPending(kind == EvaluationKeyKind.Switching ? targetKeyId : keyId, requestId);
        uint64 deadline = _responseDeadline();
        record.kind = kind;
        record.deadline = deadline;
        record.entryCount = entryCount;
        record.epochId = epochId;
        record.keyId = keyId;
        record.targetKeyId = targetKeyId;
        emit EvaluationKeysRequested(
            requestId,
            epochId,
            keyId,
            kind,
            targetKeyId,
            elements,
            msg.sender,
            deadline
        );
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
            if (_stateOf($.requests[present]) == EvaluationKeyState.Pending) continue;
            place = i;
            if (present == requestId) break;
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
    ) private view returns (bytes32 epochId) {
        EvaluationKeyManagerStorage storage $ = _storage();
        Key memory from = $.keyManager.key(fromKeyId);
        Key memory to = $.keyManager.key(toKeyId);
        _requireOwner(to, toKeyId);
        if (fromKeyId == toKeyId) revert EvaluationKeyManagerSameKey(toKeyId);
        if (!$.switchingAllowed[fromKeyId][toKeyId]) {
            revert EvaluationKeyManagerSwitchingNotAllowed(fromKeyId, toKeyId);
        }
        $.keyManager.requireUsable(fromKeyId);
        (epochId, ) = $.keyManager.requireUsable(toKeyId);
        if (from.epochId != epochId) revert EvaluationKeyManagerMixedEpochs(from.epochId, epochId);
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
    }

    /// @dev The owner needs no role, so {restricted} is not a modifier here.
    function _requireRequester(bytes32 keyId) private {
        if (_storage().keyManager.key(keyId).requester == msg.sender) return;
        _checkCanCall(msg.sender, msg.data);
    }

    function _requireOwner(Key memory key, bytes32 keyId) private view {
        if (key.requester != msg.sender) revert EvaluationKeyManagerNotOwner(keyId, msg.sender);
    }

    /// @dev Of an epoch in any phase, unlike requireUsable: what was signed before it was retired counts.
    function _requireActive(bytes32 keyId) private view {
        _storage().keyManager.ciphertextLimits(keyId);
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

    function _resultDigest(
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) private view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(EVALUATION_KEYS_RESULT_TYPEHASH, epochId, requestId, resultHash)
                )
            );
    }

    function _stateOf(RequestRecord storage record) private view returns (EvaluationKeyState) {
        if (record.deadline == 0) return EvaluationKeyState.None;
        if (record.resultHash != 0) return EvaluationKeyState.Recorded;
        return
            block.timestamp > record.deadline
                ? EvaluationKeyState.Expired
                : EvaluationKeyState.Pending;
    }

    /// @dev Constants instead of storage: they are read for every result.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom EvaluationKeyManager";
    }

    /// @dev See {_EIP712Name}.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }

    function _storage() private pure returns (EvaluationKeyManagerStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
