// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeyManager} from "./IKeyManager.sol";
import {IRequests, RequestState} from "./IRequests.sol";

/// @notice What an evaluation key is for.
enum EvaluationKeyKind {
    None,
    Relinearization,
    Galois,
    Switching
}

/// @notice A request for evaluation keys.
/// @param state Where the request is in its life; Answered is recorded.
/// @param kind What the keys are for.
/// @param deadline Timestamp in seconds until which they can be recorded; once they are, until which their
/// committee attests.
/// @param entryCount Number of entries: one per Galois element, otherwise one.
/// @param epochId Committee that makes them.
/// @param keyId Key they belong to; for a switching key the one that ciphertexts come from.
/// @param targetKeyId Key that ciphertexts are switched to; zero unless it is a switching key.
/// @param resultHash Keccak-256 of the entries' digests; zero until they are recorded.
struct EvaluationKeys {
    RequestState state;
    EvaluationKeyKind kind;
    uint64 deadline;
    uint32 entryCount;
    bytes32 epochId;
    bytes32 keyId;
    bytes32 targetKeyId;
    bytes32 resultHash;
}

/// @title Relinearization, Galois and switching keys
/// @notice requestId = H(chain id, this, epoch, key, kind, target key, elements): content only. So the
/// same keys have one request, whoever asks.
/// @dev A switching key hands everything under one key to the rules of another. It takes the consent of
/// both owners: the source's because its ciphertexts become decryptable elsewhere, the target's because
/// whatever is decrypted there is counted against the source as well.
interface IEvaluationKeyManager is IRequests {
    event EvaluationKeysRequested(
        bytes32 indexed requestId,
        bytes32 indexed epochId,
        bytes32 indexed keyId,
        EvaluationKeyKind kind,
        bytes32 targetKeyId,
        uint32[] elements,
        address requester,
        uint64 deadline
    );
    event EvaluationKeysRecorded(bytes32 indexed requestId, bytes digests, uint256 signerBitmap);
    event SwitchingAllowed(
        bytes32 indexed fromKeyId,
        bytes32 indexed toKeyId,
        address indexed owner
    );

    /// @notice The number of Galois elements is 0 or above `maximum`.
    error EvaluationKeyManagerElementCount(uint256 count, uint256 maximum);
    /// @notice Not a Galois element of this degree: even, below 3, or not below twice the degree.
    error EvaluationKeyManagerElement(uint32 element, uint32 degree);
    /// @notice The element at this array index is not above the one before it.
    error EvaluationKeyManagerElementOrder(uint256 index);
    /// @notice The key's requests name `count` elements already: with these there would be too many.
    error EvaluationKeyManagerElementsSpent(bytes32 keyId, uint256 count, uint256 maximum);
    /// @notice The key has as many pending requests as it can have at a time.
    error EvaluationKeyManagerPendingCount(bytes32 keyId, uint256 maximum);
    /// @notice The digests have the wrong length in bytes.
    error EvaluationKeyManagerDigestsLength(uint256 length, uint256 required);
    /// @notice The digest of this entry is zero.
    error EvaluationKeyManagerZeroDigest(uint256 entry);
    /// @notice The account did not request the key, so it does not own it.
    error EvaluationKeyManagerNotOwner(bytes32 keyId, address account);
    /// @notice The owner of the source has not allowed switching to this target.
    error EvaluationKeyManagerSwitchingNotAllowed(bytes32 fromKeyId, bytes32 toKeyId);
    /// @notice Source and target are one key.
    error EvaluationKeyManagerSameKey(bytes32 keyId);
    /// @notice The keys are of different epochs.
    error EvaluationKeyManagerMixedEpochs(bytes32 fromEpochId, bytes32 toEpochId);
    /// @notice The keys have different parameter sets.
    error EvaluationKeyManagerMixedSets(bytes32 fromSetId, bytes32 toSetId);
    /// @notice The source is the target of a switching key, or the target a source.
    error EvaluationKeyManagerSwitchingChain(bytes32 keyId);
    /// @notice The target has as many sources as it can have.
    error EvaluationKeyManagerSourceCount(bytes32 toKeyId, uint256 maximum);

    /// @notice Requests the relinearization key of an active key of an active epoch. Role KEY_REQUESTER
    /// or the key's owner, who requested it; not while paused.
    /// @dev Like all requests here: one that is pending and past its deadline may be made again, with
    /// the same id and a new deadline, and the operators' shares are the same. A key has at most
    /// MAX_PENDING_REQUESTS pending at a time; a switching key's counts for the target, whose owner asks.
    function requestRelinearizationKey(bytes32 keyId) external returns (bytes32 requestId);

    /// @notice Requests Galois keys of an active key of an active epoch. Role KEY_REQUESTER or the key's
    /// owner; not while paused.
    /// @param elements 1 to MAX_ELEMENTS odd numbers in [3, 2N), strictly ascending. At most
    /// MAX_ELEMENTS_PER_KEY over all lists of a key; one that is asked for again counts once.
    function requestGaloisKeys(
        bytes32 keyId,
        uint32[] calldata elements
    ) external returns (bytes32 requestId);

    /// @notice Requests the key that switches ciphertexts from one key to another, both active, different,
    /// of one active epoch and one parameter set. Only the owner of the target, and only once the owner
    /// of the source has allowed it; not while paused.
    /// @dev The source counts as a source of the target from here on, for good: the operators may open
    /// the switching key even if its digest is never recorded. A source is never a target, nor a target a
    /// source, so there are no chains; a target has at most MAX_SOURCES sources.
    function requestSwitchingKey(
        bytes32 fromKeyId,
        bytes32 toKeyId
    ) external returns (bytes32 requestId);

    /// @notice Lets the owner of the target request a switching key, for good. Only the owner of the
    /// source; repeating is harmless.
    function allowSwitching(bytes32 fromKeyId, bytes32 toKeyId) external;

    /// @notice Records the keys of a pending request, once and before its deadline. Anybody, even while
    /// paused. Not once a key they belong to or lead to has been retired: nothing leaves a retired key.
    /// @param digests SHA-256 of each entry, 32 bytes each, in the order of the elements; none zero.
    /// @param signerBitmap Exactly a quorum of the request's epoch.
    /// @param signatures Their signatures of Result, the digests being the result, in ascending order of index.
    function recordEvaluationKeys(
        bytes32 requestId,
        bytes calldata digests,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external;

    /// @notice The request of this id; state None if there is none.
    function evaluationKeys(bytes32 requestId) external view returns (EvaluationKeys memory);

    /// @notice Whether the owner of the source has allowed this switching key.
    function isSwitchingAllowed(bytes32 fromKeyId, bytes32 toKeyId) external view returns (bool);

    /// @notice Whether this switching key has been recorded.
    function isSwitchingRecorded(bytes32 fromKeyId, bytes32 toKeyId) external view returns (bool);

    /// @notice The keys from which ciphertexts may be switched to this one: requested or recorded.
    function sourcesOf(bytes32 keyId) external view returns (bytes32[] memory);

    /// @notice Parameter sets and keys.
    function keyManager() external view returns (IKeyManager);
}
