// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {EpochSetup} from "./epochs/EpochSetup.sol";
import {IEpochFollower} from "./interfaces/IEpochFollower.sol";
import {
    Epoch,
    EpochPhase,
    IEpochManager,
    ParticipationTerms,
    Proposal
} from "./interfaces/IEpochManager.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {Acknowledgements} from "./libraries/Acknowledgements.sol";
import {CommitteeCode} from "./libraries/CommitteeCode.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {ContributionStatement} from "./libraries/ContributionStatement.sol";
import {Participation} from "./libraries/Participation.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {ResultStatement} from "./libraries/ResultStatement.sol";

/// @title EpochManager
/// @notice Active epochs, their quorums, and what their members sign. The way there is in EpochSetup.
contract EpochManager is EpochSetup, EIP712Upgradeable {
    using Acknowledgements for uint256;
    using CommitteeCode for address;
    using CommitteeCode for bytes;

    uint16 public constant MIN_PARTICIPATION_WINDOW = 10;
    uint16 public constant MAX_PARTICIPATION_WINDOW = 10_000;
    uint32 public constant MAX_BENCH_SECONDS = 30 days;

    bytes32 private constant SHARE_COMMITMENT_TYPEHASH = keccak256(
        "ShareCommitment(bytes32 epochId,bytes32 openingId,bytes32 root)"
    );
    bytes32 private constant CHAIN_VIEW_TYPEHASH = keccak256(
        "ChainView(bytes32 epochId,uint64 height,bytes32 blockHash,bytes32 logsDigest)"
    );

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param registry Registry of the operators, which lets this contract seat them.
    /// @param setupWindow In seconds.
    function initialize(
        address authority,
        IOperatorRegistry registry,
        uint64 setupWindow
    ) external initializer {
        __Governed_init(authority);
        __EpochSetup_init(registry, setupWindow);
        _setParticipationTerms(
            ParticipationTerms({window: 100, maxMissed: 50, benchSeconds: 7 days})
        );
    }

    /// @inheritdoc IEpochManager
    function confirm(bytes32 epochId) external {
        EpochRecord storage record = _storage().epochs[epochId];
        if (record.phase != EpochPhase.Frozen && record.phase != EpochPhase.Active) {
            revert EpochManagerEpochPhase(epochId, record.phase);
        }
        uint256 member = _memberIndex(epochId, record.committee, record.size);
        uint16 bit = uint16(1 << (member - 1));
        if (record.confirmations & bit != 0) {
            revert EpochManagerAlreadyConfirmed(epochId, uint8(member));
        }
        uint16 confirmations = record.confirmations | bit;
        record.confirmations = confirmations;
        emit EpochConfirmed(epochId, uint8(member));

        bool quorate = CommitteeSize.count(confirmations) >= CommitteeSize.quorum(record.size);
        if (quorate && record.phase == EpochPhase.Frozen) {
            record.phase = EpochPhase.Active;
            emit EpochActivated(epochId);
        }
    }

    /// @inheritdoc IEpochManager
    function retire(bytes32 epochId) external restricted {
        EpochRecord storage record = _storage().epochs[epochId];
        if (record.phase != EpochPhase.Active) revert EpochManagerEpochPhase(epochId, record.phase);
        record.phase = EpochPhase.Retired;
        _storage().keyManager.endEpoch(record.number);
        _unseat(record.committee, record.size);
        emit EpochRetired(epochId);
    }

    /// @inheritdoc IEpochManager
    function setKeyManager(IEpochFollower manager) external restricted {
        address named = address(_storage().keyManager);
        if (named != address(0)) revert EpochManagerKeyManagerSet(named);
        _storage().keyManager = manager;
    }

    /// @inheritdoc IEpochManager
    function verifyResult(
        uint16 number,
        bytes32 domain,
        bytes32 requestId,
        bytes32 resultHash,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external view {
        bytes32 epochId = _storage().epochIds[number];
        bytes32 structHash = ResultStatement.structHash(epochId, requestId, resultHash);
        _verifyQuorum(epochId, domain, structHash, signerBitmap, signatures);
    }

    /// @inheritdoc IEpochManager
    function verifyContribution(
        uint16 number,
        bytes32 ceremonyId,
        bytes32 previous,
        bytes32 next,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external view {
        bytes32 epochId = _storage().epochIds[number];
        bytes32 structHash = ContributionStatement.structHash(epochId, ceremonyId, previous, next);
        _verifyQuorum(epochId, _domainSeparatorV4(), structHash, signerBitmap, signatures);
    }

    /// @inheritdoc IEpochManager
    function recordService(uint16 number, uint16[] calldata signers) external restricted {
        EpochManagerStorage storage $ = _storage();
        EpochRecord storage record = $.epochs[$.epochIds[number]];
        uint256 size = record.size;
        uint256 window = $.participationTerms.window;
        uint256 word = $.participation[number];
        // Only if the window was shortened: what it counted would be judged by the terms of fewer requests.
        if (Participation.total(word) >= window) word = 0;
        for (uint256 i = 0; i < signers.length; ++i) {
            word = Participation.add(word, signers[i], size);
            if (Participation.total(word) < window) continue;
            _bench(record, word);
            word = 0;
        }
        $.participation[number] = word;
    }

    /// @inheritdoc IEpochManager
    function setParticipationTerms(ParticipationTerms calldata terms) external restricted {
        _setParticipationTerms(terms);
    }

    /// @inheritdoc IEpochManager
    function keyManager() external view returns (IEpochFollower) {
        return _storage().keyManager;
    }

    /// @inheritdoc IEpochManager
    function epochIdOf(uint16 number) external view returns (bytes32) {
        return _storage().epochIds[number];
    }

    /// @inheritdoc IEpochManager
    function operatorsOf(
        uint16 number
    ) external view returns (address[] memory operators, address[] memory signers) {
        EpochRecord storage record = _storage().epochs[_storage().epochIds[number]];
        operators = record.committee.readOperators(record.size).unpack();
        signers = record.committee.readSigners(record.size).unpack();
    }

    /// @inheritdoc IEpochManager
    function memberIndex(uint16 number, address signer) external view returns (uint256 index) {
        bytes32 epochId = _storage().epochIds[number];
        EpochRecord storage record = _storage().epochs[epochId];
        index = record.committee.readSigners(record.size).indexOf(signer);
        if (index == 0) revert EpochManagerNotMember(epochId, signer);
    }

    /// @inheritdoc IEpochManager
    function participation(
        bytes32 epochId
    ) external view returns (uint256 requests, uint256[] memory missed) {
        EpochRecord storage record = _storage().epochs[epochId];
        uint256 word = _storage().participation[record.number];
        requests = Participation.total(word);
        missed = new uint256[](record.size);
        for (uint256 i = 0; i < missed.length; ++i) missed[i] = Participation.missed(word, i + 1);
    }

    /// @inheritdoc IEpochManager
    function participationTerms() external view returns (ParticipationTerms memory) {
        return _storage().participationTerms;
    }

    /// @inheritdoc IEpochManager
    function activeCommittee(bytes32 epochId) external view returns (uint256 size, uint16 number) {
        EpochRecord storage record = _storage().epochs[epochId];
        if (record.phase != EpochPhase.Active) revert EpochManagerEpochPhase(epochId, record.phase);
        return (record.size, record.number);
    }

    /// @inheritdoc IEpochManager
    function proposal(bytes32 proposalId) external view returns (Proposal memory view_) {
        ProposalRecord storage record = _storage().proposals[proposalId];
        uint256 size = record.size;
        view_.phase = _phaseOf(record);
        view_.deadline = record.deadline;
        view_.epochId = record.epochId;
        view_.operators = record.committee.readOperators(size).unpack();
        view_.signers = record.committee.readSigners(size).unpack();
        view_.roots = new bytes32[](size);
        view_.acknowledgements = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            view_.roots[i] = record.roots[i + 1];
            view_.acknowledgements[i] = record.acknowledgements.byDealer(i + 1);
        }
    }

    /// @inheritdoc IEpochManager
    function epoch(bytes32 epochId) external view returns (Epoch memory) {
        EpochRecord storage record = _storage().epochs[epochId];
        return
            Epoch({
                phase: record.phase,
                number: record.number,
                proposalId: record.proposalId,
                setupDigest: record.setupDigest,
                confirmations: record.confirmations,
                operators: record.committee.readOperators(record.size).unpack(),
                signers: record.committee.readSigners(record.size).unpack()
            });
    }

    /// @inheritdoc IEpochManager
    function membersOf(
        bytes32 epochId
    ) external view returns (bytes32 separator, bytes32 setupDigest, bytes memory members) {
        EpochRecord storage record = _storage().epochs[epochId];
        separator = _domainSeparatorV4();
        setupDigest = record.setupDigest;
        members = record.committee.readMembers(record.size);
    }

    /// @inheritdoc IEpochManager
    function hashShareCommitment(
        bytes32 epochId,
        bytes32 openingId,
        bytes32 root
    ) external view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(SHARE_COMMITMENT_TYPEHASH, epochId, openingId, root))
            );
    }

    /// @inheritdoc IEpochManager
    function hashChainView(
        bytes32 epochId,
        uint64 height,
        bytes32 blockHash,
        bytes32 logsDigest
    ) external view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(CHAIN_VIEW_TYPEHASH, epochId, height, blockHash, logsDigest))
            );
    }

    /// @inheritdoc IEpochManager
    function hashContribution(
        bytes32 epochId,
        bytes32 ceremonyId,
        bytes32 previous,
        bytes32 next
    ) external view returns (bytes32) {
        return
            _hashTypedDataV4(ContributionStatement.structHash(epochId, ceremonyId, previous, next));
    }

    /// @inheritdoc IEpochManager
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev Reverts unless a quorum of the epoch, active or retired, signed the struct in the domain.
    function _verifyQuorum(
        bytes32 epochId,
        bytes32 domain,
        bytes32 structHash,
        uint256 signerBitmap,
        bytes calldata signatures
    ) private view {
        EpochRecord storage record = _storage().epochs[epochId];
        if (record.phase != EpochPhase.Active && record.phase != EpochPhase.Retired) {
            revert EpochManagerEpochPhase(epochId, record.phase);
        }
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, structHash);
        uint256 size = record.size;
        bytes memory signers = record.committee.readSigners(size);
        Quorum.verify(signers, size, digest, signerBitmap, signatures);
    }

    function _setParticipationTerms(ParticipationTerms memory terms) private {
        if (
            terms.window < MIN_PARTICIPATION_WINDOW ||
            terms.window > MAX_PARTICIPATION_WINDOW ||
            terms.maxMissed >= terms.window ||
            terms.benchSeconds > MAX_BENCH_SECONDS
        ) {
            revert EpochManagerParticipationRange(
                terms.window,
                terms.maxMissed,
                terms.benchSeconds
            );
        }
        _storage().participationTerms = terms;
        emit ParticipationTermsSet(terms.window, terms.maxMissed, terms.benchSeconds);
    }

    /// @dev Benches the members that missed too much of the window that the word has counted.
    function _bench(EpochRecord storage record, uint256 word) private {
        ParticipationTerms memory terms = _storage().participationTerms;
        address[] memory benched = record.committee.readOperators(record.size).unpack();
        uint256 count = 0;
        for (uint256 i = 0; i < benched.length; ++i) {
            if (Participation.missed(word, i + 1) > terms.maxMissed) benched[count++] = benched[i];
        }
        if (count == 0) return;
        assembly ("memory-safe") {
            mstore(benched, count)
        }
        _storage().operatorRegistry.bench(benched, uint64(block.timestamp) + terms.benchSeconds);
    }

    /// @dev Constants instead of storage: they are read for every signature that is verified.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom EpochManager";
    }

    /// @dev See {_EIP712Name}.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }
}
