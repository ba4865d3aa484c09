// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecryptionMeters} from "./decryption/DecryptionMeters.sol";
import {ICiphertextRegistry} from "./interfaces/ICiphertextRegistry.sol";
import {ICrsManager} from "./interfaces/ICrsManager.sol";
import {IDecryptionGateway, UserDecryptionPermit} from "./interfaces/IDecryptionGateway.sol";
import {UsableKey} from "./interfaces/IKeyManager.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {ISlashingManager} from "./interfaces/ISlashingManager.sol";
import {DecryptionShape} from "./libraries/DecryptionShape.sol";
import {Operations} from "./libraries/Operations.sol";
import {UserDecryptionPermits} from "./libraries/UserDecryptionPermits.sol";
import {Requests} from "./requests/Requests.sol";

/// @title DecryptionGateway
/// @notice Requests, permits and results. What they spend is counted by DecryptionMeters.
contract DecryptionGateway is Requests, DecryptionMeters {
    uint256 public constant MAX_HANDLES = DecryptionShape.MAX_HANDLES;
    uint256 public constant MAX_POSITIONS = DecryptionShape.MAX_POSITIONS;
    uint256 public constant MAX_PERMIT_HANDLES = UserDecryptionPermits.MAX_PERMIT_HANDLES;
    uint64 public constant MAX_PERMIT_SECONDS = UserDecryptionPermits.MAX_PERMIT_SECONDS;

    /// @custom:storage-location erc7201:keyloom.storage.DecryptionGateway
    struct DecryptionGatewayStorage {
        uint256 deploymentBlock;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.DecryptionGateway");

    ICiphertextRegistry private immutable CIPHERTEXT_REGISTRY;
    IOperatorRegistry private immutable OPERATOR_REGISTRY;
    ISlashingManager private immutable SLASHING_MANAGER;
    ICrsManager private immutable CRS_MANAGER;

    /// @dev The other contracts are read from the registry, so they cannot belong to two deployments; the
    /// slashing manager, which the CrsManager alone knows, must have the same key manager.
    /// @param registry Ciphertexts and access rights.
    /// @param crs Ceremonies, and evidence against the operators.
    constructor(
        ICiphertextRegistry registry,
        ICrsManager crs
    ) Requests(registry.keyManager().feeVault()) DecryptionMeters(registry.evaluationKeyManager()) {
        CIPHERTEXT_REGISTRY = registry;
        OPERATOR_REGISTRY = registry.keyManager().epochManager().operatorRegistry();
        ISlashingManager slashing = crs.slashingManager();
        if (address(slashing.keyManager()) != address(registry.keyManager())) {
            revert DecryptionGatewayForeignCrsManager(address(crs));
        }
        SLASHING_MANAGER = slashing;
        CRS_MANAGER = crs;
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
        _storage().deploymentBlock = block.number;
    }

    /// @inheritdoc IDecryptionGateway
    function requestPublicDecryption(
        bytes32[] calldata handles,
        uint32[] calldata positions,
        bytes32 salt
    ) external whenNotPaused returns (bytes32 requestId) {
        DecryptionShape.validateHandles(handles);
        bytes32 keyId = CIPHERTEXT_REGISTRY.requireDecryptable(handles, msg.sender);
        UsableKey memory usable = keyManager().requireUsable(keyId);
        DecryptionShape.validatePositions(positions, usable.degree);

        requestId = keccak256(
            abi.encode(
                block.chainid,
                address(this),
                usable.epochId,
                handles,
                positions,
                msg.sender,
                salt
            )
        );
        uint64 deadline = _open(
            requestId,
            usable.epochNumber,
            Operations.PUBLIC_DECRYPTION,
            Operations.publicDecryption(handles.length, positions.length, usable.degree)
        );
        _spend(keyId, usable, handles, 0, msg.sender);
        emit PublicDecryptionRequested(
            requestId,
            usable.epochId,
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
    function respond(
        bytes32 requestId,
        bytes calldata result,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external {
        if (result.length == 0) revert DecryptionGatewayEmptyResult(requestId);
        uint8 operation = _answer(requestId, keccak256(result), signerBitmap, signatures);
        if (operation == Operations.USER_DECRYPTION) {
            emit UserDecryptionResponded(requestId, result, signerBitmap);
        } else {
            emit PublicDecryptionResponded(requestId, result, signerBitmap);
        }
    }

    /// @inheritdoc IDecryptionGateway
    function hashUserDecryptionPermit(
        UserDecryptionPermit calldata permit
    ) public view returns (bytes32) {
        return _hashTypedDataV4(UserDecryptionPermits.structHash(permit));
    }

    /// @inheritdoc IDecryptionGateway
    function operatorRegistry() external view returns (IOperatorRegistry) {
        return OPERATOR_REGISTRY;
    }

    /// @inheritdoc IDecryptionGateway
    function ciphertextRegistry() external view returns (ICiphertextRegistry) {
        return CIPHERTEXT_REGISTRY;
    }

    /// @inheritdoc IDecryptionGateway
    function slashingManager() external view returns (ISlashingManager) {
        return SLASHING_MANAGER;
    }

    /// @inheritdoc IDecryptionGateway
    function crsManager() external view returns (ICrsManager) {
        return CRS_MANAGER;
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
        ICiphertextRegistry registry = CIPHERTEXT_REGISTRY;
        keyId = registry.requireDecryptable(handles, permit.user);
        if (permit.owner != address(0)) registry.requireOwned(handles, permit.owner);
        UserDecryptionPermits.verify(permit.user, hashUserDecryptionPermit(permit), signature);
    }

    /// @dev What follows the permit's checks.
    function _requestUserDecryption(
        bytes32 keyId,
        UserDecryptionPermit calldata permit,
        bytes32[] calldata handles,
        bool packed,
        bytes32 salt
    ) private returns (bytes32 requestId) {
        UsableKey memory usable = keyManager().requireUsable(keyId);
        requestId = keccak256(
            abi.encode(
                block.chainid,
                address(this),
                usable.epochId,
                handles,
                packed,
                permit.user,
                permit.publicKeyDigest,
                msg.sender,
                salt
            )
        );
        uint64 deadline = _open(
            requestId,
            usable.epochNumber,
            Operations.USER_DECRYPTION,
            Operations.userDecryption(handles.length, packed, usable.degree)
        );
        _spend(keyId, usable, handles, permit.publicKeyDigest, permit.user);
        emit UserDecryptionRequested(
            requestId,
            usable.epochId,
            keyId,
            handles,
            packed,
            permit.user,
            permit.publicKeyDigest,
            msg.sender,
            deadline,
            salt
        );
    }

    /// @dev Constants instead of storage: they are read for every result.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom DecryptionGateway";
    }

    function _storage() private pure returns (DecryptionGatewayStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
