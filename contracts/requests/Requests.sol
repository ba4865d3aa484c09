// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

import {Governed} from "../governance/Governed.sol";
import {IEpochManager} from "../interfaces/IEpochManager.sol";
import {IFeeVault, Served} from "../interfaces/IFeeVault.sol";
import {IRecordedResults} from "../interfaces/IRecordedResults.sol";
import {IRequests, Request, RequestState} from "../interfaces/IRequests.sol";
import {ResultStatement} from "../libraries/ResultStatement.sol";

/// @title Base of the contracts that take requests: their lives, fees and pause
/// @dev What a request is for, and who may ask, is for the derived contracts.
abstract contract Requests is Governed, EIP712Upgradeable, IRequests {
    uint64 public constant MIN_RESPONSE_WINDOW_SECONDS = 1 minutes;

    /// @dev Shorter than the shortest unbonding delay: whoever signs a result still has its bond there.
    uint64 public constant MAX_RESPONSE_WINDOW_SECONDS = 12 hours;
    uint64 public constant MIN_ATTESTATION_WINDOW_SECONDS = 1 minutes;
    uint64 public constant MAX_ATTESTATION_WINDOW_SECONDS = 1 days;

    uint256 public constant MAX_BATCH = 128;

    /// @dev One slot: a request costs one new storage slot, an answer one more. The members mean what
    /// {Request} says. Answered is who has signers; None is who has no deadline. Timestamps reach to 2106.
    struct RequestRecord {
        address account;
        uint32 deadline;
        uint24 fee;
        uint8 operation;
        uint16 epochNumber;
        uint16 signers;
    }

    /// @custom:storage-location erc7201:keyloom.storage.Requests
    struct RequestsStorage {
        uint32 responseWindowSeconds;
        uint32 attestationWindowSeconds;
        bool paused;
        mapping(bytes32 requestId => RequestRecord) records;
        mapping(bytes32 requestId => bytes32) resultHashes;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.Requests");

    /// @dev Part of the implementation's code, which every request would otherwise read from storage.
    IFeeVault private immutable FEE_VAULT;
    IEpochManager private immutable EPOCH_MANAGER;

    modifier whenNotPaused() {
        if (_requestsStorage().paused) revert RequestsPaused();
        _;
    }

    constructor(IFeeVault vault) {
        FEE_VAULT = vault;
        EPOCH_MANAGER = vault.epochManager();
    }

    // solhint-disable-next-line func-name-mixedcase
    function __Requests_init(
        address authority,
        uint64 responseWindow,
        uint64 attestationWindow
    ) internal onlyInitializing {
        __Governed_init(authority);
        _setWindows(responseWindow, attestationWindow);
    }

    /// @inheritdoc IRequests
    function pauseRequests() external restricted {
        _setPaused(true);
    }

    /// @inheritdoc IRequests
    function unpauseRequests() external restricted {
        _setPaused(false);
    }

    /// @inheritdoc IRequests
    function setWindows(uint64 responseWindow, uint64 attestationWindow) external restricted {
        _setWindows(responseWindow, attestationWindow);
    }

    /// @inheritdoc IRequests
    function attest(bytes32[] calldata requestIds) external {
        _requireBatch(requestIds);
        uint16 epochNumber = _requestsStorage().records[requestIds[0]].epochNumber;
        uint256 index = EPOCH_MANAGER.memberIndex(epochNumber, msg.sender);
        uint16 bit = uint16(1 << (index - 1));
        for (uint256 i = 0; i < requestIds.length; ++i) {
            RequestRecord storage record = _answered(requestIds[i], epochNumber);
            // Before the fee is spent, so a spent one is refused as well.
            if (block.timestamp > record.deadline) {
                revert RequestsAttestationClosed(requestIds[i], record.deadline);
            }
            record.signers |= bit;
        }
        emit RequestsAttested(requestIds, msg.sender);
    }

    /// @inheritdoc IRequests
    function settle(bytes32[] calldata requestIds) external {
        _requireBatch(requestIds);
        uint16 epochNumber = _requestsStorage().records[requestIds[0]].epochNumber;
        Served[] memory served = new Served[](requestIds.length);
        bytes32[] memory settled = new bytes32[](requestIds.length);
        uint256 count = 0;
        for (uint256 i = 0; i < requestIds.length; ++i) {
            RequestRecord storage record = _answered(requestIds[i], epochNumber);
            if (block.timestamp <= record.deadline) {
                revert RequestsAttestationOpen(requestIds[i], record.deadline);
            }
            // Somebody else was faster, or the batch has it twice: it is not paid again.
            if (record.account == address(0)) continue;
            settled[count] = requestIds[i];
            served[count++] = Served({
                submitter: record.account,
                operation: record.operation,
                fee: record.fee,
                signers: record.signers
            });
            record.account = address(0);
        }
        if (count == 0) revert RequestsFeeSpent(requestIds[0]);
        assembly ("memory-safe") {
            mstore(settled, count)
            mstore(served, count)
        }
        emit RequestsSettled(settled);
        FEE_VAULT.distribute(epochNumber, served);
    }

    /// @inheritdoc IRequests
    function expire(bytes32[] calldata requestIds) external {
        _requireBatch(requestIds);
        bool refunded = false;
        for (uint256 i = 0; i < requestIds.length; ++i) {
            RequestRecord storage record = _requestsStorage().records[requestIds[i]];
            RequestState state = _stateOf(record);
            if (state == RequestState.None) revert RequestsState(requestIds[i], state);
            // Somebody else was faster, or has made the request again, which refunds it as well.
            if (state != RequestState.Expired || record.account == address(0)) continue;
            _refund(requestIds[i], record);
            refunded = true;
        }
        if (refunded) return;
        RequestState first = _stateOf(_requestsStorage().records[requestIds[0]]);
        if (first != RequestState.Expired) revert RequestsState(requestIds[0], first);
        revert RequestsFeeSpent(requestIds[0]);
    }

    /// @inheritdoc IRequests
    function request(bytes32 requestId) external view returns (Request memory) {
        RequestsStorage storage $ = _requestsStorage();
        RequestRecord storage record = $.records[requestId];
        RequestState state = _stateOf(record);
        return
            Request({
                state: state,
                operation: record.operation,
                deadline: record.deadline,
                epochId: state == RequestState.None
                    ? bytes32(0)
                    : EPOCH_MANAGER.epochIdOf(record.epochNumber),
                resultHash: $.resultHashes[requestId],
                feeWei: record.fee * FEE_VAULT.quantumWei(),
                account: record.account,
                signers: record.signers
            });
    }

    /// @inheritdoc IRequests
    function isResult(bytes32 requestId, bytes calldata result) external view returns (bool) {
        return _requestsStorage().resultHashes[requestId] == keccak256(result);
    }

    /// @inheritdoc IRecordedResults
    function recordedResult(
        bytes32 requestId
    ) external view virtual returns (bytes32 epochId, bytes32 resultHash) {
        RequestsStorage storage $ = _requestsStorage();
        resultHash = $.resultHashes[requestId];
        if (resultHash == 0) return (0, 0);
        epochId = EPOCH_MANAGER.epochIdOf($.records[requestId].epochNumber);
    }

    /// @inheritdoc IRequests
    function hashResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) external view returns (bytes32) {
        return _hashTypedDataV4(ResultStatement.structHash(epochId, requestId, resultHash));
    }

    /// @inheritdoc IRequests
    function requestsPaused() external view returns (bool) {
        return _requestsStorage().paused;
    }

    /// @inheritdoc IRequests
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IRequests
    function responseWindowSeconds() public view returns (uint64) {
        return _requestsStorage().responseWindowSeconds;
    }

    /// @inheritdoc IRequests
    function attestationWindowSeconds() external view returns (uint64) {
        return _requestsStorage().attestationWindowSeconds;
    }

    /// @inheritdoc IRequests
    function feeVault() public view returns (IFeeVault) {
        return FEE_VAULT;
    }

    /// @inheritdoc IRequests
    function epochManager() public view returns (IEpochManager) {
        return EPOCH_MANAGER;
    }

    /// @dev Records a request and takes its fee from the caller.
    /// @param coefficients Its size (libraries/Operations.sol).
    /// @return deadline Timestamp in seconds.
    function _open(
        bytes32 requestId,
        uint16 epochNumber,
        uint8 operation,
        uint256 coefficients
    ) internal returns (uint64 deadline) {
        RequestsStorage storage $ = _requestsStorage();
        RequestRecord storage record = $.records[requestId];
        RequestState state = _stateOf(record);
        if (state == RequestState.Expired) {
            if (record.account != address(0)) _refund(requestId, record);
        } else if (state != RequestState.None) {
            revert RequestsExists(requestId, state, record.deadline);
        }
        deadline = uint64(block.timestamp) + $.responseWindowSeconds;
        $.records[requestId] = RequestRecord({
            account: msg.sender,
            deadline: uint32(deadline),
            fee: FEE_VAULT.charge(msg.sender, operation, coefficients),
            operation: operation,
            epochNumber: epochNumber,
            signers: 0
        });
    }

    /// @dev Takes the answer of a pending request. Reverts unless a quorum of its epoch signed it.
    /// @return operation What was asked for.
    function _answer(
        bytes32 requestId,
        bytes32 resultHash,
        uint256 signerBitmap,
        bytes calldata signatures
    ) internal returns (uint8 operation) {
        RequestsStorage storage $ = _requestsStorage();
        RequestRecord storage record = $.records[requestId];
        RequestState state = _stateOf(record);
        if (state != RequestState.Pending) revert RequestsState(requestId, state);
        EPOCH_MANAGER.verifyResult(
            record.epochNumber,
            _domainSeparatorV4(),
            requestId,
            resultHash,
            signerBitmap,
            signatures
        );
        operation = record.operation;
        uint32 deadline = uint32(block.timestamp) + $.attestationWindowSeconds;
        // Side by side, so that they are one write. A quorum's bitmap has no bits beyond the committee.
        record.account = msg.sender;
        record.deadline = deadline;
        record.signers = uint16(signerBitmap);
        $.resultHashes[requestId] = resultHash;
    }

    function _requestState(bytes32 requestId) internal view returns (RequestState) {
        return _stateOf(_requestsStorage().records[requestId]);
    }

    function _requestDeadline(bytes32 requestId) internal view returns (uint64) {
        return _requestsStorage().records[requestId].deadline;
    }

    function _resultHash(bytes32 requestId) internal view returns (bytes32) {
        return _requestsStorage().resultHashes[requestId];
    }

    /// @dev The caller has checked that the request expired and that its fee is there.
    function _refund(bytes32 requestId, RequestRecord storage record) private {
        address payer = record.account;
        record.account = address(0);
        emit RequestExpired(requestId, payer);
        FEE_VAULT.refund(payer, record.operation, record.fee);
    }

    function _answered(
        bytes32 requestId,
        uint16 epochNumber
    ) private view returns (RequestRecord storage record) {
        record = _requestsStorage().records[requestId];
        RequestState state = _stateOf(record);
        if (state != RequestState.Answered) revert RequestsState(requestId, state);
        if (record.epochNumber != epochNumber) revert RequestsMixedEpochs(requestId);
    }

    function _stateOf(RequestRecord storage record) private view returns (RequestState) {
        if (record.deadline == 0) return RequestState.None;
        if (record.signers != 0) return RequestState.Answered;
        return block.timestamp > record.deadline ? RequestState.Expired : RequestState.Pending;
    }

    function _requireBatch(bytes32[] calldata requestIds) private pure {
        if (requestIds.length == 0 || requestIds.length > MAX_BATCH) {
            revert RequestsCount(requestIds.length, MAX_BATCH);
        }
    }

    function _setPaused(bool paused) private {
        if (_requestsStorage().paused == paused) revert RequestsPauseState(paused);
        _requestsStorage().paused = paused;
        emit RequestsPauseSet(paused);
    }

    function _setWindows(uint64 responseWindow, uint64 attestationWindow) private {
        _requireRange(responseWindow, MIN_RESPONSE_WINDOW_SECONDS, MAX_RESPONSE_WINDOW_SECONDS);
        _requireRange(
            attestationWindow,
            MIN_ATTESTATION_WINDOW_SECONDS,
            MAX_ATTESTATION_WINDOW_SECONDS
        );
        RequestsStorage storage $ = _requestsStorage();
        $.responseWindowSeconds = uint32(responseWindow);
        $.attestationWindowSeconds = uint32(attestationWindow);
        emit WindowsSet(responseWindow, attestationWindow);
    }

    function _requireRange(uint64 seconds_, uint64 minimum, uint64 maximum) private pure {
        if (seconds_ < minimum || seconds_ > maximum) {
            revert RequestsWindowRange(seconds_, minimum, maximum);
        }
    }

    /// @dev Constants instead of storage: they are read for every result. The name is the contract's.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }

    function _requestsStorage() private pure returns (RequestsStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
