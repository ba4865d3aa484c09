// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICiphertextRegistry} from "./ICiphertextRegistry.sol";
import {IEpochManager} from "./IEpochManager.sol";
import {IKeyManager} from "./IKeyManager.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";

/// @notice Life of a decryption request; Expired is Pending after the deadline.
enum RequestState {
    None,
    Pending,
    Answered,
    Expired
}

/// @notice A decryption request.
/// @param state Where the request is in its life.
/// @param deadline Timestamp in seconds until which it can be answered.
/// @param resultLength Length of its result in bytes.
/// @param epochId Committee that answers it.
/// @param resultHash Keccak-256 of the result; zero until it is answered.
struct DecryptionRequest {
    RequestState state;
    uint64 deadline;
    uint32 resultLength;
    bytes32 epochId;
    bytes32 resultHash;
}

/// @title Decryption requests and their results
/// @notice The address of this contract names a deployment: the other contracts are read from it.
interface IDecryptionGateway {
    event PublicDecryptionRequested(
        bytes32 indexed requestId,
        bytes32 indexed epochId,
        bytes32 indexed keyId,
        bytes32[] handles,
        uint32[] positions,
        address requester,
        uint64 deadline
    );
    event PublicDecryptionResponded(bytes32 indexed requestId, bytes result, uint256 signerBitmap);

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
    /// @notice The same request has been made before.
    error DecryptionGatewayRequestExists(bytes32 requestId);
    /// @notice The request is not pending.
    error DecryptionGatewayRequestState(bytes32 requestId, RequestState state);
    /// @notice The result has the wrong length.
    error DecryptionGatewayResultLength(uint256 length, uint256 required);

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

    /// @notice Answers a pending request, once and before its deadline. Anybody, even while paused.
    /// @param result 8 bytes per handle and position, or 32 bytes per handle (docs/formats.md).
    /// @param signerBitmap Exactly a quorum of the request's epoch.
    /// @param signatures Their signatures of PublicDecryptionResult, in ascending order of index.
    function respondPublicDecryption(
        bytes32 requestId,
        bytes calldata result,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external;

    /// @notice The request of this id; state None if there is none.
    function request(bytes32 requestId) external view returns (DecryptionRequest memory);

    /// @notice Whether these bytes are the recorded result of the request.
    function isResult(bytes32 requestId, bytes calldata result) external view returns (bool);

    /// @notice EIP-712 digest of a public decryption result.
    function hashPublicDecryptionResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes calldata result
    ) external view returns (bytes32);

    /// @notice EIP-712 domain separator of this contract.
    function domainSeparator() external view returns (bytes32);

    /// @notice Operators and bonds.
    function operatorRegistry() external view returns (IOperatorRegistry);

    /// @notice Committees.
    function epochManager() external view returns (IEpochManager);

    /// @notice Parameter sets and keys.
    function keyManager() external view returns (IKeyManager);

    /// @notice Ciphertexts and access rights.
    function ciphertextRegistry() external view returns (ICiphertextRegistry);

    /// @notice Block number in which this contract was initialised: logs are read from here on.
    /// @dev The value of `block.number`. On Arbitrum that is the number of an L1 block.
    function deploymentBlock() external view returns (uint256);
}
