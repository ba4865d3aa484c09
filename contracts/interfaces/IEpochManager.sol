// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochFollower} from "./IEpochFollower.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";

/// @notice Life of a committee, from proposal to retirement.
/// Proposed → Frozen → Active → Retired; a proposal that is not active by its deadline can be Abandoned.
enum EpochPhase {
    None,
    Proposed,
    Frozen,
    Active,
    Retired,
    Abandoned
}

/// @notice A proposed committee and its set-up.
/// @param phase Phase of the proposal, or of the epoch it became.
/// @param deadline Timestamp in seconds after which anybody may abandon it unless it is active.
/// @param epochId The epoch it became; zero before the set-up is frozen.
/// @param operators Members; the committee index of a member is its position plus one.
/// @param signers Their signers at the time of the proposal.
/// @param roots Dealing root of each member; zero if it has not posted one.
/// @param acknowledgements For each dealer the bitmap of the members that acknowledged its dealing.
struct Proposal {
    EpochPhase phase;
    uint64 deadline;
    bytes32 epochId;
    address[] operators;
    address[] signers;
    bytes32[] roots;
    uint256[] acknowledgements;
}

/// @notice An epoch: a committee with a frozen set-up.
/// @param phase Frozen, Active, Retired or Abandoned; None if there is no such epoch.
/// @param proposalId The proposal it came from.
/// @param number Stands for the epoch within this deployment, from 1.
/// @param setupDigest Digest of the frozen set-up (docs/formats.md).
/// @param confirmations Bitmap of the members that confirmed to hold their keys.
/// @param operators Members; the committee index of a member is its position plus one.
/// @param signers Their signers, for good.
struct Epoch {
    EpochPhase phase;
    uint16 number;
    bytes32 proposalId;
    bytes32 setupDigest;
    uint256 confirmations;
    address[] operators;
    address[] signers;
}

/// @notice When missing work costs the next seat.
/// @param window Requests after which members are judged and counting begins anew.
/// @param maxMissed Requests of a window that a member may miss.
/// @param benchSeconds For how long a member that missed more may not take a seat.
struct ParticipationTerms {
    uint16 window;
    uint16 maxMissed;
    uint32 benchSeconds;
}

/// @title Committees: proposal, set-up, activation, retirement, and their signatures
/// @notice Bit i-1 of every bitmap stands for committee index i.
interface IEpochManager {
    event EpochProposed(
        bytes32 indexed proposalId,
        address[] operators,
        address[] signers,
        bytes32 salt,
        uint64 deadline
    );
    event DealingPosted(bytes32 indexed proposalId, uint8 dealer, bytes32 root);
    event DealingsAcknowledged(bytes32 indexed proposalId, uint8 member, uint256 dealerBitmap);
    event EpochFrozen(
        bytes32 indexed proposalId,
        bytes32 indexed epochId,
        bytes32 setupDigest,
        uint256 standingBitmap
    );
    event EpochConfirmed(bytes32 indexed epochId, uint8 member);
    event EpochActivated(bytes32 indexed epochId);
    event EpochRetired(bytes32 indexed epochId);
    event ProposalAbandoned(bytes32 indexed proposalId, bytes32 epochId);
    event SetupWindowSet(uint64 setupWindowSeconds);
    event ParticipationTermsSet(uint16 window, uint16 maxMissed, uint32 benchSeconds);

    /// @notice The number of operators is not 4, 7, 10 or 13.
    error EpochManagerCommitteeSize(uint256 size);
    /// @notice An operator is named twice.
    error EpochManagerDuplicateOperator(address operator);
    /// @notice The same operators, signers and salt have been proposed before.
    error EpochManagerProposalExists(bytes32 proposalId);
    /// @notice The proposal is not in the phase that the call needs.
    error EpochManagerProposalPhase(bytes32 proposalId, EpochPhase phase);
    /// @notice The epoch is not in the phase that the call needs.
    error EpochManagerEpochPhase(bytes32 epochId, EpochPhase phase);
    /// @notice The caller is not the signer of a member of this proposal or epoch.
    error EpochManagerNotMember(bytes32 id, address account);
    /// @notice A dealing root of zero.
    error EpochManagerZeroRoot(bytes32 proposalId);
    /// @notice The dealer has posted its dealing already.
    error EpochManagerDealingExists(bytes32 proposalId, uint8 dealer);
    /// @notice An acknowledgement of nothing.
    error EpochManagerNoDealers(bytes32 proposalId);
    /// @notice Bits of dealers that have posted no dealing, or are no members.
    error EpochManagerDealingMissing(bytes32 proposalId, uint256 missingBitmap);
    /// @notice The member has confirmed already.
    error EpochManagerAlreadyConfirmed(bytes32 epochId, uint8 member);
    /// @notice The proposal can be abandoned after `deadline` (seconds).
    error EpochManagerDeadlineNotPassed(bytes32 proposalId, uint64 deadline);
    /// @notice The set-up window is outside [`minimum`, `maximum`] seconds.
    error EpochManagerSetupWindowRange(uint64 windowSeconds, uint64 minimum, uint64 maximum);
    /// @notice The terms of participation are outside their bounds.
    error EpochManagerParticipationRange(uint16 window, uint16 maxMissed, uint32 benchSeconds);
    /// @notice The KeyManager has been named before.
    error EpochManagerKeyManagerSet(address keyManager);
    /// @notice The bitmap has bits beyond the committee.
    error EpochManagerBitmapRange(uint256 signerBitmap, uint256 size);
    /// @notice The bitmap does not name exactly a quorum.
    error EpochManagerQuorumSize(uint256 signers, uint256 quorum);
    /// @notice The signatures are not 65 bytes for each signer.
    error EpochManagerSignaturesLength(uint256 length, uint256 required);
    /// @notice The signature for committee index `index` is not by its signer; `recovered` is zero if
    /// it is malformed or malleable.
    error EpochManagerWrongSigner(uint256 index, address expected, address recovered);

    /// @notice Proposes a committee and seats its operators. Governance.
    /// @dev Signers are fixed here. proposalId = H(chain id, this, operators, signers, salt).
    /// @param operators 4, 7, 10 or 13 different eligible operators, in committee order.
    /// @param salt Tells repeated proposals of one committee apart.
    function proposeEpoch(
        address[] calldata operators,
        bytes32 salt
    ) external returns (bytes32 proposalId);

    /// @notice Posts the caller's dealing: the Merkle root of the hashes of its seeds. Once.
    function postDealing(bytes32 proposalId, bytes32 root) external;

    /// @notice Says that the caller holds every seed it should have of these dealers.
    /// @dev Repeating a dealer is harmless. A dealer stands with a quorum of acknowledgements, its own
    /// included. The call after which a quorum of dealers stands freezes the set-up.
    /// @param dealerBitmap Dealers that have posted; not zero.
    function acknowledge(bytes32 proposalId, uint256 dealerBitmap) external;

    /// @notice Says that the caller holds its keys of the frozen set-up. Once per member.
    /// @dev The epoch becomes active with a quorum; the other members may confirm later.
    function confirm(bytes32 epochId) external;

    /// @notice Ends an active epoch and unseats its operators. Governance.
    /// @dev The KeyManager must have been named. Its operators stop at once and erase their secrets: nothing is answered after it. Whoever
    /// retires an epoch first lets its pending requests end.
    function retire(bytes32 epochId) external;

    /// @notice Ends a proposal that is not active by its deadline and unseats its operators. Anybody.
    function abandonProposal(bytes32 proposalId) external;

    /// @notice Names the KeyManager, which hears of every epoch's end. Governance, once, at deployment.
    function setKeyManager(IEpochFollower manager) external;

    /// @notice Sets the window of proposals from now on. Governance.
    /// @param setupWindowSeconds MIN_ to MAX_SETUP_WINDOW_SECONDS.
    function setSetupWindow(uint64 setupWindowSeconds) external;

    /// @notice Reverts unless a quorum of the epoch with this number, active or retired, signed a result:
    /// Result(epochId, requestId, result) in the domain of the caller.
    /// @param domain EIP-712 domain separator of the contract that took the request.
    /// @param resultHash Keccak-256 of the result.
    /// @param signerBitmap Who signed.
    /// @param signatures 65 bytes r ‖ s ‖ v for each bit, in ascending order of index.
    function verifyResult(
        uint16 number,
        bytes32 domain,
        bytes32 requestId,
        bytes32 resultHash,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external view;

    /// @notice Reverts unless a quorum of the epoch with this number, active or retired, signed a contribution
    /// to a ceremony: Contribution(epochId, ceremonyId, previous, next) in this contract's domain.
    /// @param previous Hash of the state before it; 0 if it is the first one.
    /// @param next Hash of the state after it.
    /// @param signerBitmap Who signed.
    /// @param signatures 65 bytes r ‖ s ‖ v for each bit, in ascending order of index.
    function verifyContribution(
        uint16 number,
        bytes32 ceremonyId,
        bytes32 previous,
        bytes32 next,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external view;

    /// @notice Counts who served these answered requests. Only for the fee vault.
    /// @dev After a window of requests, members that missed more than they may are benched: delay cannot
    /// be told from malice, so it costs the next seat and no bond.
    /// @param signers For each request the bitmap of who signed or attested.
    function recordService(uint16 number, uint16[] calldata signers) external;

    /// @notice Sets when missing work costs the next seat. Governance.
    /// @param terms window MIN_ to MAX_PARTICIPATION_WINDOW, maxMissed below it, benchSeconds at most
    /// MAX_BENCH_SECONDS.
    function setParticipationTerms(ParticipationTerms calldata terms) external;

    /// @notice The epoch with this number; zero if there is none.
    function epochIdOf(uint16 number) external view returns (bytes32);

    /// @notice Operators of the epoch with this number and their signers, in committee order.
    function operatorsOf(
        uint16 number
    ) external view returns (address[] memory operators, address[] memory signers);

    /// @notice Committee index, from 1, of a signer in the epoch with this number; reverts if it is not
    /// a member's.
    function memberIndex(uint16 number, address signer) external view returns (uint256);

    /// @notice Keys of the epochs; zero until it is named.
    function keyManager() external view returns (IEpochFollower);

    /// @notice Requests of the current window, and for each member how many of them it missed.
    function participation(
        bytes32 epochId
    ) external view returns (uint256 requests, uint256[] memory missed);

    /// @notice When missing work costs the next seat.
    function participationTerms() external view returns (ParticipationTerms memory);

    /// @notice Size n of the committee of an active epoch, and its number; reverts for any other.
    function activeCommittee(bytes32 epochId) external view returns (uint256 size, uint16 number);

    /// @notice Everything about a proposal; phase None if there is none.
    function proposal(bytes32 proposalId) external view returns (Proposal memory);

    /// @notice Everything about an epoch; phase None if there is none.
    function epoch(bytes32 epochId) external view returns (Epoch memory);

    /// @notice All that evidence about an epoch is checked against, in one cheap call.
    /// @return separator EIP-712 domain separator of this contract.
    /// @return setupDigest Digest of the frozen set-up; zero if there is no such epoch.
    /// @return members The signers, then the operators, in order of committee index, 20 bytes each.
    function membersOf(
        bytes32 epochId
    ) external view returns (bytes32 separator, bytes32 setupDigest, bytes memory members);

    /// @notice EIP-712 digest of a share commitment, as operators sign it for each other.
    function hashShareCommitment(
        bytes32 epochId,
        bytes32 openingId,
        bytes32 root
    ) external view returns (bytes32);

    /// @notice EIP-712 digest of a chain view, as operators sign it for each other.
    function hashChainView(
        bytes32 epochId,
        uint64 height,
        bytes32 blockHash,
        bytes32 logsDigest
    ) external view returns (bytes32);

    /// @notice EIP-712 digest of a contribution to a ceremony, as operators sign it.
    function hashContribution(
        bytes32 epochId,
        bytes32 ceremonyId,
        bytes32 previous,
        bytes32 next
    ) external view returns (bytes32);

    /// @notice EIP-712 domain separator of this contract.
    function domainSeparator() external view returns (bytes32);

    /// @notice Registry of the operators.
    function operatorRegistry() external view returns (IOperatorRegistry);

    /// @notice Seconds from a proposal to its deadline.
    function setupWindowSeconds() external view returns (uint64);
}
