// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {DecryptionMeters} from "./decryption/DecryptionMeters.sol";
import {RequestWindow} from "./governance/RequestWindow.sol";
import {ICiphertextRegistry} from "./interfaces/ICiphertextRegistry.sol";
import {
    DecryptionRequest,
    IDecryptionGateway,
    RequestState,
    UserDecryptionPermit
} from "./interfaces/IDecryptionGateway.sol";
import {IEpochManager} from "./interfaces/IEpochManager.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {DecryptionShape} from "./libraries/DecryptionShape.sol";
import {UserDecryptionPermits} from "./libraries/UserDecryptionPermits.sol";

/// @title DecryptionGateway
/// @notice Requests, permits and results. What they spend is counted by DecryptionMeters.
contract DecryptionGateway is RequestWindow, EIP712Upgradeable, DecryptionMeters {
    uint256 public constant MAX_HANDLES = DecryptionShape.MAX_HANDLES;
    uint256 public constant MAX_POSITIONS = DecryptionShape.MAX_POSITIONS;
    uint256 public constant MAX_PERMIT_HANDLES = UserDecryptionPermits.MAX_PERMIT_HANDLES;
    uint64 public constant MAX_PERMIT_SECONDS = UserDecryptionPermits.MAX_PERMIT_SECONDS;

    bytes32 private constant PUBLIC_DECRYPTION_RESULT_TYPEHASH = keccak256(
        "PublicDecryptionResult(bytes32 epochId,bytes32 requestId,bytes result)"
    );
    bytes32 private constant USER_DECRYPTION_RESULT_TYPEHASH = keccak256(
        "UserDecryptionResult(bytes32 epochId,bytes32 requestId,bytes result)"
    );

    /// @dev The deadline is never zero for a request that exists.
    struct RequestRecord {
        bytes32 epochId;
        uint64 deadline;
        uint32 resultLength;
        bool forUser;
        bytes32 resultHash;
    }

    /// @custom:storage-location erc7201:keyloom.storage.DecryptionGateway
    struct DecryptionGatewayStorage {
        ICiphertextRegistry ciphertextRegistry;
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
        __DecryptionMeters_init(registry.evaluationKeyManager());
        DecryptionGatewayStorage storage $ = _storage();
        $.ciphertextRegistry = registry;
        $.epochManager = keyManager().epochManager();
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
        bytes32 keyId = _storage().ciphertextRegistry.requireDecryptable(handles, msg.sender);
        bytes32 epochId = _requireReadable(keyId, positions);

        requestId = keccak256(
            abi.encode(block.chainid, address(this), epochId, handles, positions, msg.sender, salt)
        );
        uint64 deadline = _open(
            requestId,
            epochId,
            DecryptionShape.resultLength(handles.length, positions.length),
            false
        );
        _spend(keyId, handles, 0, msg.sender);
        emit PublicDecryptionRequested(
            requestId,
            epochId,
            keyId,
            handles,
            positions,
            msg.sender,
            deadline,
            salt
        );
    }

    /// @inheritdoc IDecryptionGateway
    function requestUserDecryption(
        UserDecryptionPermit calldata permit,
        bytes calldata signature,
        bytes32[] calldata handles,
        bool packed,
        bytes32 salt
    ) external whenNotPaused returns (bytes32 requestId) {
        bytes32 keyId = _requirePermitted(permit, signature, handles);
        return _requestUserDecryption(keyId, permit, handles, packed, salt);
    }

    /// @inheritdoc IDecryptionGateway
    function respondPublicDecryption(
        bytes32 requestId,
        bytes calldata result,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external {
        _respond(requestId, result, signerBitmap, signatures, false);
        emit PublicDecryptionResponded(requestId, result, signerBitmap);
    }

    /// @inheritdoc IDecryptionGateway
    function respondUserDecryption(
        bytes32 requestId,
        bytes calldata result,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external {
        _respond(requestId, result, signerBitmap, signatures, true);
        emit UserDecryptionResponded(requestId, result, signerBitmap);
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
                resultHash: record.resultHash,
                forUser: record.forUser
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
        return
            _resultDigest(PUBLIC_DECRYPTION_RESULT_TYPEHASH, epochId, requestId, keccak256(result));
    }

    /// @inheritdoc IDecryptionGateway
    function hashUserDecryptionResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes calldata result
    ) external view returns (bytes32) {
        return
            _resultDigest(USER_DECRYPTION_RESULT_TYPEHASH, epochId, requestId, keccak256(result));
    }

    /// @inheritdoc IDecryptionGateway
    function hashUserDecryptionPermit(
        UserDecryptionPermit calldata permit
    ) public view returns (bytes32) {
        return _hashTypedDataV4(UserDecryptionPermits.structHash(permit));
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
    function ciphertextRegistry() external view returns (ICiphertextRegistry) {
        return _storage().ciphertextRegistry;
    }

    /// @inheritdoc IDecryptionGateway
    function deploymentBlock() external view returns (uint256) {
        return _storage().deploymentBlock;
    }

    /// @dev Reverts unless the permit covers the handles and is signed by its user, who may decrypt them.
    function _requirePermitted(
        UserDecryptionPermit calldata permit,
        bytes calldata signature,
        bytes32[] calldata handles
    ) private view returns (bytes32 keyId) {
        DecryptionShape.validateHandles(handles);
        UserDecryptionPermits.validate(permit, handles);
        ICiphertextRegistry registry = _storage().ciphertextRegistry;
        keyId = registry.requireDecryptable(handles, permit.user);
        if (permit.owner != address(0)) registry.requireOwned(handles, permit.owner);
        bytes32 digest = hashUserDecryptionPermit(permit);
        if (!SignatureChecker.isValidSignatureNowCalldata(permit.user, digest, signature)) {
            revert DecryptionGatewayPermitSignature(permit.user);
        }
    }

    /// @dev Reverts unless the key is usable and has these positions.
    function _requireReadable(
        bytes32 keyId,
        uint32[] calldata positions
    ) private view returns (bytes32 epochId) {
        uint32 degree;
        (epochId, degree) = keyManager().requireUsable(keyId);
        DecryptionShape.validatePositions(positions, degree);
    }

    /// @dev What follows the permit's checks.
    function _requestUserDecryption(
        bytes32 keyId,
        UserDecryptionPermit calldata permit,
        bytes32[] calldata handles,
        bool packed,
        bytes32 salt
    ) private returns (bytes32 requestId) {
        (bytes32 epochId, ) = keyManager().requireUsable(keyId);
        address user = permit.user;
        bytes32 recipient = permit.publicKeyDigest;
        requestId = keccak256(
            abi.encode(
                block.chainid,
                address(this),
                epochId,
                handles,
                packed,
                user,
                recipient,
                msg.sender,
                salt
            )
        );
        uint32 resultLength = DecryptionShape.userResultLength(handles.length, packed);
        _open(requestId, epochId, resultLength, true);
        _spend(keyId, handles, recipient, user);
        _emitUserDecryptionRequested(requestId, keyId, permit, handles, packed, salt);
    }

    /// @dev On a stack of its own; the rest is in the record.
    function _emitUserDecryptionRequested(
        bytes32 requestId,
        bytes32 keyId,
        UserDecryptionPermit calldata permit,
        bytes32[] calldata handles,
        bool packed,
        bytes32 salt
    ) private {
        RequestRecord storage record = _storage().requests[requestId];
        emit UserDecryptionRequested(
            requestId,
            record.epochId,
            keyId,
            handles,
            packed,
            permit.user,
            permit.publicKeyDigest,
            msg.sender,
            record.deadline,
            salt
        );
    }

    /// @dev Records a new request.
    function _open(
        bytes32 requestId,
        bytes32 epochId,
        uint32 resultLength,
        bool forUser
    ) private returns (uint64 deadline) {
        RequestRecord storage record = _storage().requests[requestId];
        if (record.deadline != 0) revert DecryptionGatewayRequestExists(requestId);
        deadline = _responseDeadline();
        record.epochId = epochId;
        record.deadline = deadline;
        record.resultLength = resultLength;
        record.forUser = forUser;
    }

    function _respond(
        bytes32 requestId,
        bytes calldata result,
        uint256 signerBitmap,
        bytes calldata signatures,
        bool forUser
    ) private {
        RequestRecord storage record = _pending(requestId, result.length, forUser);
        bytes32 resultHash = keccak256(result);
        _storage().epochManager.verifyQuorum(
            record.epochId,
            _resultDigest(
                forUser ? USER_DECRYPTION_RESULT_TYPEHASH : PUBLIC_DECRYPTION_RESULT_TYPEHASH,
                record.epochId,
                requestId,
                resultHash
            ),
            signerBitmap,
            signatures
        );
        record.resultHash = resultHash;
    }

    /// @dev Reverts unless the request waits for a result of this length and kind.
    function _pending(
        bytes32 requestId,
        uint256 resultLength,
        bool forUser
    ) private view returns (RequestRecord storage record) {
        record = _storage().requests[requestId];
        RequestState state = _stateOf(record);
        if (state != RequestState.Pending) revert DecryptionGatewayRequestState(requestId, state);
        if (record.forUser != forUser) revert DecryptionGatewayRequestKind(requestId);
        if (resultLength != record.resultLength) {
            revert DecryptionGatewayResultLength(resultLength, record.resultLength);
        }
    }

    function _resultDigest(
        bytes32 typeHash,
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(typeHash, epochId, requestId, resultHash)));
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
