// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

import {RequestWindow} from "./governance/RequestWindow.sol";
import {ICiphertextRegistry} from "./interfaces/ICiphertextRegistry.sol";
import {
    DecryptionRequest,
    IDecryptionGateway,
    RequestState
} from "./interfaces/IDecryptionGateway.sol";
import {IEpochManager} from "./interfaces/IEpochManager.sol";
import {IKeyManager} from "./interfaces/IKeyManager.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {DecryptionShape} from "./libraries/DecryptionShape.sol";

/// @title DecryptionGateway
contract DecryptionGateway is RequestWindow, EIP712Upgradeable, IDecryptionGateway {
    uint256 public constant MAX_HANDLES = DecryptionShape.MAX_HANDLES;
    uint256 public constant MAX_POSITIONS = DecryptionShape.MAX_POSITIONS;

    bytes32 private constant PUBLIC_DECRYPTION_RESULT_TYPEHASH = keccak256(
        "PublicDecryptionResult(bytes32 epochId,bytes32 requestId,bytes result)"
    );

    /// @dev The deadline is never zero for a request that exists.
    struct RequestRecord {
        bytes32 epochId;
        uint64 deadline;
        uint32 resultLength;
        bytes32 resultHash;
    }

    /// @custom:storage-location erc7201:keyloom.storage.DecryptionGateway
    struct DecryptionGatewayStorage {
        ICiphertextRegistry ciphertextRegistry;
        IKeyManager keyManager;
        IEpochManager epochManager;
        IOperatorRegistry operatorRegistry;
        uint256 deploymentBlock;
        mapping(bytes32 requestId => RequestRecord) requests;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.DecryptionGateway");

    /// @notice Sets up the proxy.
    /// @dev The other contracts are read from the registry, so they cannot belong to two deployments.
    /// @param authority AccessManager of the deployment.
    /// @param registry Ciphertexts and access rights.
    /// @param responseWindow In seconds.
    function initialize(
        address authority,
        ICiphertextRegistry registry,
        uint64 responseWindow
    ) external initializer {
        __Governed_init(authority);
        __RequestWindow_init(responseWindow);
        DecryptionGatewayStorage storage $ = _storage();
        $.ciphertextRegistry = registry;
        $.keyManager = registry.keyManager();
        $.epochManager = $.keyManager.epochManager();
        $.operatorRegistry = $.epochManager.operatorRegistry();
        $.deploymentBlock = block.number;
    }

    /// @inheritdoc IDecryptionGateway
    function requestPublicDecryption(
        bytes32[] calldata handles,
        uint32[] calldata positions,
        bytes32 salt
    ) external whenNotPaused returns (bytes32 requestId) {
        DecryptionShape.validateHandles(handles);
        DecryptionGatewayStorage storage $ = _storage();
        bytes32 keyId = $.ciphertextRegistry.requireDecryptable(handles, msg.sender);
        (bytes32 epochId, uint32 degree) = $.keyManager.requireUsable(keyId);
        DecryptionShape.validatePositions(positions, degree);

        requestId = keccak256(
            abi.encode(block.chainid, address(this), epochId, handles, positions, msg.sender, salt)
        );
        RequestRecord storage record = $.requests[requestId];
        if (record.deadline != 0) revert DecryptionGatewayRequestExists(requestId);
        uint64 deadline = _responseDeadline();
        record.epochId = epochId;
        record.deadline = deadline;
        record.resultLength = DecryptionShape.resultLength(handles.length, positions.length);
        emit PublicDecryptionRequested(
            requestId,
            epochId,
            keyId,
            handles,
            positions,
            msg.sender,
            deadline
        );
    }

    /// @inheritdoc IDecryptionGateway
    function respondPublicDecryption(
        bytes32 requestId,
        bytes calldata result,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external {
        DecryptionGatewayStorage storage $ = _storage();
        RequestRecord storage record = $.requests[requestId];
        RequestState state = _stateOf(record);
        if (state != RequestState.Pending) revert DecryptionGatewayRequestState(requestId, state);
        if (result.length != record.resultLength) {
            revert DecryptionGatewayResultLength(result.length, record.resultLength);
        }
        bytes32 epochId = record.epochId;
        bytes32 resultHash = keccak256(result);
        $.epochManager.verifyQuorum(
            epochId,
            _resultDigest(epochId, requestId, resultHash),
            signerBitmap,
            signatures
        );
        record.resultHash = resultHash;
        emit PublicDecryptionResponded(requestId, result, signerBitmap);
    }

    /// @inheritdoc IDecryptionGateway
    function request(bytes32 requestId) external view returns (DecryptionRequest memory) {
        RequestRecord storage record = _storage().requests[requestId];
        return
            DecryptionRequest({
                state: _stateOf(record),
                deadline: record.deadline,
                resultLength: record.resultLength,
                epochId: record.epochId,
                resultHash: record.resultHash
            });
    }

    /// @inheritdoc IDecryptionGateway
    function isResult(bytes32 requestId, bytes calldata result) external view returns (bool) {
        return _storage().requests[requestId].resultHash == keccak256(result);
    }

    /// @inheritdoc IDecryptionGateway
    function hashPublicDecryptionResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes calldata result
    ) external view returns (bytes32) {
        return _resultDigest(epochId, requestId, keccak256(result));
    }

    /// @inheritdoc IDecryptionGateway
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IDecryptionGateway
    function operatorRegistry() external view returns (IOperatorRegistry) {
        return _storage().operatorRegistry;
    }

    /// @inheritdoc IDecryptionGateway
    function epochManager() external view returns (IEpochManager) {
        return _storage().epochManager;
    }

    /// @inheritdoc IDecryptionGateway
    function keyManager() external view returns (IKeyManager) {
        return _storage().keyManager;
    }

    /// @inheritdoc IDecryptionGateway
    function ciphertextRegistry() external view returns (ICiphertextRegistry) {
        return _storage().ciphertextRegistry;
    }

    /// @inheritdoc IDecryptionGateway
    function deploymentBlock() external view returns (uint256) {
        return _storage().deploymentBlock;
    }

    function _resultDigest(
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) private view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(PUBLIC_DECRYPTION_RESULT_TYPEHASH, epochId, requestId, resultHash)
                )
            );
    }

    function _stateOf(RequestRecord storage record) private view returns (RequestState) {
        if (record.deadline == 0) return RequestState.None;
        if (record.resultHash != 0) return RequestState.Answered;
        return block.timestamp > record.deadline ? RequestState.Expired : RequestState.Pending;
    }

    /// @dev Constants instead of storage: they are read for every result.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom DecryptionGateway";
    }

    /// @dev See {_EIP712Name}.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }

    function _storage() private pure returns (DecryptionGatewayStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
