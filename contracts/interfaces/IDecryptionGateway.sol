// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICiphertextRegistry} from "./ICiphertextRegistry.sol";
import {ICrsManager} from "./ICrsManager.sol";
import {IEvaluationKeyManager} from "./IEvaluationKeyManager.sol";
import {IKeyManager} from "./IKeyManager.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IRequests} from "./IRequests.sol";
import {ISlashingManager} from "./ISlashingManager.sol";

/// @notice What a user signs (EIP-712) so that anybody can request decryption to the user's key.
/// Covered are either the handles named, or all ciphertexts of an owner; never both or neither.
/// @param user Who signs, and who may decrypt the ciphertexts.
/// @param publicKeyDigest SHA-256 of the user's canonical public key; not zero.
/// @param handles At most MAX_PERMIT_HANDLES; empty if it is for an owner's ciphertexts.
/// @param owner Whose ciphertexts are covered; zero if handles are named.
/// @param validFrom Timestamp in seconds from which it can be used.
/// @param validUntil Timestamp in seconds until which it can be used; MAX_PERMIT_SECONDS later at most.
struct UserDecryptionPermit {
    address user;
    bytes32 publicKeyDigest;
    bytes32[] handles;
    address owner;
    uint64 validFrom;
    uint64 validUntil;
}

/// @notice Decryption meter of a key. A unit is a ciphertext and a recipient; it is spent once.
/// @param limit Units the key allows in all.
/// @param reserved Units granted to consumers, spent or not; `limit` at most together with commonSpent.
/// @param reservedSpent Units spent out of grants.
/// @param commonSpent Units spent beside grants, and through keys it is a source of.
struct DecryptionMeter {
    uint64 limit;
    uint64 reserved;
    uint64 reservedSpent;
    uint64 commonSpent;
}

/// @title Decryption requests and their results
/// @notice The address of this contract names a deployment: the other contracts are read from it.
interface IDecryptionGateway is IRequests {
    event PublicDecryptionRequested(
        bytes32 indexed requestId,
        bytes32 indexed epochId,
        bytes32 indexed keyId,
        bytes32[] handles,
        uint32[] positions,
        address requester,
        uint64 deadline,
        bytes32 salt
    );
    event PublicDecryptionResponded(bytes32 indexed requestId, bytes result, uint256 signerBitmap);
    event UserDecryptionRequested(
        bytes32 indexed requestId,
        bytes32 indexed epochId,
        bytes32 indexed keyId,
        bytes32[] handles,
        bool packed,
        address user,
        bytes32 publicKeyDigest,
        address requester,
        uint64 deadline,
        bytes32 salt
    );
    event UserDecryptionResponded(bytes32 indexed requestId, bytes result, uint256 signerBitmap);
    event UnitsGranted(bytes32 indexed keyId, address indexed consumer, uint64 units);

    /// @notice The number of handles is 0 or above `maximum`.
    error DecryptionGatewayHandleCount(uint256 count, uint256 maximum);
    /// @notice A handle is named twice.
    error DecryptionGatewayDuplicateHandle(bytes32 handle);
    /// @notice The number of positions is above `maximum`.
    error DecryptionGatewayPositionCount(uint256 count, uint256 maximum);
    /// @notice The position at this array index is not above the one before it.
    error DecryptionGatewayPositionOrder(uint256 index);
    /// @notice The position is not below the degree.
    error DecryptionGatewayPositionRange(uint32 position, uint32 degree);
    /// @notice A result of nothing.
    error DecryptionGatewayEmptyResult(bytes32 requestId);
    /// @notice The permit names a public key of digest zero.
    error DecryptionGatewayZeroPublicKey();
    /// @notice It is not the permit's time.
    error DecryptionGatewayPermitTime(uint64 validFrom, uint64 validUntil, uint256 timestamp);
    /// @notice The permit is valid for more than `maximum` seconds.
    error DecryptionGatewayPermitDuration(uint64 durationSeconds, uint64 maximum);
    /// @notice The permit names both handles and an owner, or neither.
    error DecryptionGatewayPermitScope();
    /// @notice The permit names more than `maximum` handles.
    error DecryptionGatewayPermitHandleCount(uint256 count, uint256 maximum);
    /// @notice The permit does not name this handle.
    error DecryptionGatewayPermitHandle(bytes32 handle);
    /// @notice The permit's user did not sign it for this chain and contract.
    error DecryptionGatewayPermitSignature(address user);
    /// @notice The account did not request the key, so it does not own it.
    error DecryptionGatewayNotKeyOwner(bytes32 keyId, address account);
    /// @notice A consumer of zero.
    error DecryptionGatewayZeroConsumer();
    /// @notice A grant of no units.
    error DecryptionGatewayZeroUnits();
    /// @notice The key has too few units left that are not reserved.
    error DecryptionGatewayMeterSpent(bytes32 keyId, uint64 limit);
    /// @notice The consumer has too few units left of its grant and of what it can have beside it.
    error DecryptionGatewayQuotaSpent(bytes32 keyId, address consumer, uint256 quota);
    /// @notice The ceremonies' contract is one of another deployment.
    error DecryptionGatewayForeignCrsManager(address crsManager);

    /// @notice Requests the plaintexts of ciphertexts, for everybody to see. Not while paused.
    /// @dev requestId = H(chain id, this, epoch, handles, positions, caller, salt).
    /// @param handles 1 to MAX_HANDLES different ciphertexts under one active key of an active epoch,
    /// each of which the caller may decrypt.
    /// @param positions Coefficients wanted of each, strictly ascending and below the degree, at most
    /// MAX_POSITIONS; none means all coefficients, and the result is then digests of plaintexts.
    /// @param salt Tells repeated requests apart.
    function requestPublicDecryption(
        bytes32[] calldata handles,
        uint32[] calldata positions,
        bytes32 salt
    ) external returns (bytes32 requestId);

    /// @notice Requests ciphertexts re-encrypted to a user's public key. Anybody, with the user's permit;
    /// not while paused.
    /// @dev requestId = H(chain id, this, epoch, handles, packed, user, public key digest, caller, salt).
    /// The permit's signature is of an account's key or of a contract (ERC-1271). A permit may be used any
    /// number of times while it is valid: for the same content the operators' shares are the same, and
    /// what is new costs units of the user's. A user that wants it void must wait for its end.
    /// @param permit Covers all handles.
    /// @param signature Of the permit, by its user.
    /// @param handles 1 to MAX_HANDLES different ciphertexts under one active key of an active epoch,
    /// each of which the permit's user may decrypt.
    /// @param packed Whether coefficient 0 of all ciphertexts goes into one answer; otherwise each
    /// ciphertext has an answer of its own with all coefficients.
    /// @param salt Tells repeated requests apart.
    function requestUserDecryption(
        UserDecryptionPermit calldata permit,
        bytes calldata signature,
        bytes32[] calldata handles,
        bool packed,
        bytes32 salt
    ) external returns (bytes32 requestId);

    /// @notice Answers a pending request, once and before its deadline. Anybody, even while paused.
    /// @dev Its form is not checked here beyond not being empty: a quorum does not sign one of another form.
    /// @param result Of a public decryption, 8 bytes per handle and position, or 32 bytes per handle; of a
    /// user decryption the SHA-256 of each answer, one if packed, otherwise one per handle
    /// (docs/formats.md, Results).
    /// @param signerBitmap Exactly a quorum of the request's epoch.
    /// @param signatures Their signatures of Result, in ascending order of index.
    function respond(
        bytes32 requestId,
        bytes calldata result,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external;

    /// @notice Reserves units of a key for a consumer, on top of what it was granted before. Only the
    /// key's owner, who requested it. What is granted cannot be taken back.
    /// @dev A unit is (handle, recipient); the recipient is zero for public decryption and the digest of
    /// the public key for a user. The first request of it costs one unit of the key, and one of each of
    /// the key's sources; repeating it costs none, also after it expired. The consumer is the caller of a
    /// public decryption or the user of a permit. It spends its grant first. Beside grants all share what
    /// is not reserved, COMMON_QUOTA each at most. What a source pays comes out of what is not reserved
    /// there, whoever the consumer is.
    function grantUnits(bytes32 keyId, address consumer, uint64 units) external;

    /// @notice EIP-712 digest of a permit.
    function hashUserDecryptionPermit(
        UserDecryptionPermit calldata permit
    ) external view returns (bytes32);

    /// @notice The decryption meter of a key; all zero if there is none.
    function meter(bytes32 keyId) external view returns (DecryptionMeter memory);

    /// @notice What a consumer can spend under a key in all, its grant and COMMON_QUOTA, and what it has
    /// spent of that.
    /// @dev Only the grant is its own: others may spend the common units first.
    function quotaOf(
        bytes32 keyId,
        address consumer
    ) external view returns (uint256 quota, uint256 spent);

    /// @notice Whether this unit has been spent, so that asking again is free.
    /// @param recipient Zero for public decryption, otherwise the digest of the user's public key.
    function isUnitSpent(bytes32 handle, bytes32 recipient) external view returns (bool);

    /// @notice Operators and bonds.
    function operatorRegistry() external view returns (IOperatorRegistry);

    /// @notice Parameter sets and keys.
    function keyManager() external view returns (IKeyManager);

    /// @notice Relinearization, Galois and switching keys.
    function evaluationKeyManager() external view returns (IEvaluationKeyManager);

    /// @notice Ciphertexts and access rights.
    function ciphertextRegistry() external view returns (ICiphertextRegistry);

    /// @notice Evidence against the operators.
    function slashingManager() external view returns (ISlashingManager);

    /// @notice Ceremonies.
    function crsManager() external view returns (ICrsManager);

    /// @notice Block number in which this contract was initialised: logs are read from here on.
    /// @dev The value of `block.number`. On Arbitrum that is the number of an L1 block.
    function deploymentBlock() external view returns (uint256);
}
