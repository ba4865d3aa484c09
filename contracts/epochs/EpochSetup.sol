// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "../governance/Governed.sol";
import {IEpochFollower} from "../interfaces/IEpochFollower.sol";
import {EpochPhase, IEpochManager, ParticipationTerms} from "../interfaces/IEpochManager.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Acknowledgements} from "../libraries/Acknowledgements.sol";
import {CommitteeCode} from "../libraries/CommitteeCode.sol";
import {CommitteeSize} from "../libraries/CommitteeSize.sol";

/// @title From a proposed committee to a frozen set-up, or to nothing
abstract contract EpochSetup is Governed, IEpochManager {
    using Acknowledgements for uint256;
    using CommitteeCode for address;
    using CommitteeCode for bytes;

    uint64 public constant MIN_SETUP_WINDOW_SECONDS = 1 minutes;
    uint64 public constant MAX_SETUP_WINDOW_SECONDS = 7 days;

    /// @dev The first five members share a slot. Once frozen, the phase is that of the epoch.
    struct ProposalRecord {
        address committee;
        uint8 size;
        bool abandoned;
        uint16 posted;
        uint64 deadline;
        bytes32 epochId;
        uint256 acknowledgements;
        mapping(uint256 dealer => bytes32) roots;
    }

    /// @dev The first five members share a slot: it and the committee's code are all that verifying a
    /// quorum reads. The number stands for the epoch where 32 bytes are too many; it means nothing
    /// outside this deployment.
    struct EpochRecord {
        address committee;
        uint8 size;
        EpochPhase phase;
        uint16 confirmations;
        uint16 number;
        bytes32 proposalId;
        bytes32 setupDigest;
    }

    /// @custom:storage-location erc7201:keyloom.storage.EpochManager
    struct EpochManagerStorage {
        IOperatorRegistry operatorRegistry;
        uint64 setupWindowSeconds;
        mapping(bytes32 proposalId => ProposalRecord) proposals;
        mapping(bytes32 epochId => EpochRecord) epochs;
        uint16 epochCount;
        mapping(uint16 number => bytes32 epochId) epochIds;
        ParticipationTerms participationTerms;
        mapping(uint16 number => uint256 word) participation;
        IEpochFollower keyManager;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.EpochManager");

    // solhint-disable-next-line func-name-mixedcase
    function __EpochSetup_init(
        IOperatorRegistry registry,
        uint64 setupWindow
    ) internal onlyInitializing {
        _storage().operatorRegistry = registry;
        _setSetupWindow(setupWindow);
    }

    /// @inheritdoc IEpochManager
    function proposeEpoch(
        address[] calldata operators,
        bytes32 salt
    ) external restricted returns (bytes32 proposalId) {
        uint256 size = operators.length;
        if (!CommitteeSize.isSupported(size)) revert EpochManagerCommitteeSize(size);
        for (uint256 i = 1; i < size; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (operators[i] == operators[j])
                    revert EpochManagerDuplicateOperator(operators[i]);
            }
        }

        EpochManagerStorage storage $ = _storage();
        address[] memory signers = $.operatorRegistry.seat(operators);
        proposalId = keccak256(abi.encode(block.chainid, address(this), operators, signers, salt));
        ProposalRecord storage record = $.proposals[proposalId];
        if (record.size != 0) revert EpochManagerProposalExists(proposalId);

        uint64 deadline = uint64(block.timestamp) + $.setupWindowSeconds;
        record.committee = CommitteeCode.write(signers, operators);
        record.size = uint8(size);
        record.deadline = deadline;
        emit EpochProposed(proposalId, operators, signers, salt, deadline);
    }

    /// @inheritdoc IEpochManager
    function postDealing(bytes32 proposalId, bytes32 root) external {
        ProposalRecord storage record = _proposed(proposalId);
        uint256 dealer = _memberIndex(proposalId, record.committee, record.size);
        if (root == 0) revert EpochManagerZeroRoot(proposalId);
        if (record.roots[dealer] != 0) {
            revert EpochManagerDealingExists(proposalId, uint8(dealer));
        }
        record.roots[dealer] = root;
        record.posted |= uint16(1 << (dealer - 1));
        emit DealingPosted(proposalId, uint8(dealer), root);
    }

    /// @inheritdoc IEpochManager
    function acknowledge(bytes32 proposalId, uint256 dealerBitmap) external {
        ProposalRecord storage record = _proposed(proposalId);
        uint256 size = record.size;
        uint256 member = _memberIndex(proposalId, record.committee, size);
        if (dealerBitmap == 0) revert EpochManagerNoDealers(proposalId);
        uint256 missing = dealerBitmap & ~uint256(record.posted);
        if (missing != 0) revert EpochManagerDealingMissing(proposalId, missing);

        uint256 acknowledgements = record.acknowledgements.add(member, dealerBitmap);
        record.acknowledgements = acknowledgements;
        emit DealingsAcknowledged(proposalId, uint8(member), dealerBitmap);

        uint256 standing = acknowledgements.standing(size);
        if (CommitteeSize.count(standing) >= CommitteeSize.quorum(size)) {
            _freeze(proposalId, record, standing);
        }
    }

    /// @inheritdoc IEpochManager
    function abandonProposal(bytes32 proposalId) external {
        EpochManagerStorage storage $ = _storage();
        ProposalRecord storage record = $.proposals[proposalId];
        EpochPhase phase = _phaseOf(record);
        if (phase != EpochPhase.Proposed && phase != EpochPhase.Frozen) {
            revert EpochManagerProposalPhase(proposalId, phase);
        }
        if (block.timestamp <= record.deadline) {
            revert EpochManagerDeadlineNotPassed(proposalId, record.deadline);
        }
        bytes32 epochId = record.epochId;
        if (epochId == 0) record.abandoned = true;
        else $.epochs[epochId].phase = EpochPhase.Abandoned;
        _unseat(record.committee, record.size);
        emit ProposalAbandoned(proposalId, epochId);
    }

    /// @inheritdoc IEpochManager
    function setSetupWindow(uint64 setupWindow) external restricted {
        _setSetupWindow(setupWindow);
    }

    /// @inheritdoc IEpochManager
    function operatorRegistry() external view returns (IOperatorRegistry) {
        return _storage().operatorRegistry;
    }

    /// @inheritdoc IEpochManager
    function setupWindowSeconds() external view returns (uint64) {
        return _storage().setupWindowSeconds;
    }

    /// @dev Takes the seats of a committee back.
    function _unseat(address committee, uint256 size) internal {
        _storage().operatorRegistry.unseat(committee.readOperators(size).unpack());
    }

    function _phaseOf(ProposalRecord storage record) internal view returns (EpochPhase) {
        if (record.size == 0) return EpochPhase.None;
        if (record.abandoned) return EpochPhase.Abandoned;
        if (record.epochId == 0) return EpochPhase.Proposed;
        return _storage().epochs[record.epochId].phase;
    }

    /// @dev Committee index of the caller, from 1.
    function _memberIndex(
        bytes32 id,
        address committee,
        uint256 size
    ) internal view returns (uint256 index) {
        index = committee.readSigners(size).indexOf(msg.sender);
        if (index == 0) revert EpochManagerNotMember(id, msg.sender);
    }

    function _storage() internal pure returns (EpochManagerStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }

    /// @dev Makes the epoch out of the dealers that stand. From here on no dealing and no
    /// acknowledgement is taken, so everybody derives the same keys.
    function _freeze(bytes32 proposalId, ProposalRecord storage record, uint256 standing) private {
        uint256 size = record.size;
        bytes32[] memory roots = new bytes32[](CommitteeSize.count(standing));
        uint256 next = 0;
        for (uint256 i = 0; i < size; ++i) {
            if ((standing >> i) & 1 != 0) roots[next++] = record.roots[i + 1];
        }
        bytes32 setupDigest = keccak256(abi.encode(proposalId, standing, roots));
        address[] memory signers = record.committee.readSigners(size).unpack();
        bytes32 epochId = keccak256(
            abi.encode(block.chainid, address(this), keccak256(abi.encode(signers)), setupDigest)
        );

        record.epochId = epochId;
        EpochRecord storage epochRecord = _storage().epochs[epochId];
        epochRecord.committee = record.committee;
        epochRecord.size = uint8(size);
        epochRecord.phase = EpochPhase.Frozen;
        // From 1, and checked: 65535 epochs are enough for two centuries of daily ones.
        uint16 number = ++_storage().epochCount;
        epochRecord.number = number;
        _storage().epochIds[number] = epochId;
        epochRecord.proposalId = proposalId;
        epochRecord.setupDigest = setupDigest;
        emit EpochFrozen(proposalId, epochId, setupDigest, standing);
    }

    function _setSetupWindow(uint64 setupWindow) private {
        if (setupWindow < MIN_SETUP_WINDOW_SECONDS || setupWindow > MAX_SETUP_WINDOW_SECONDS) {
            revert EpochManagerSetupWindowRange(
                setupWindow,
                MIN_SETUP_WINDOW_SECONDS,
                MAX_SETUP_WINDOW_SECONDS
            );
        }
        _storage().setupWindowSeconds = setupWindow;
        emit SetupWindowSet(setupWindow);
    }

    function _proposed(bytes32 proposalId) private view returns (ProposalRecord storage record) {
        record = _storage().proposals[proposalId];
        EpochPhase phase = _phaseOf(record);
        if (phase != EpochPhase.Proposed) revert EpochManagerProposalPhase(proposalId, phase);
    }
}
