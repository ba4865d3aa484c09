// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

import {EpochSetup} from "./epochs/EpochSetup.sol";
import {Epoch, EpochPhase, IEpochManager, Proposal} from "./interfaces/IEpochManager.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {Acknowledgements} from "./libraries/Acknowledgements.sol";
import {CommitteeCode} from "./libraries/CommitteeCode.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {Quorum} from "./libraries/Quorum.sol";

/// @title EpochManager
/// @notice Active epochs, their quorums, and what their members sign. The way there is in EpochSetup.
contract EpochManager is EpochSetup, EIP712Upgradeable {
    using Acknowledgements for uint256;
    using CommitteeCode for address;
    using CommitteeCode for bytes;

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
        _unseat(record.committee, record.size);
        emit EpochRetired(epochId);
    }

    /// @inheritdoc IEpochManager
    function verifyQuorum(
        bytes32 epochId,
        bytes32 digest,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external view {
        EpochRecord storage record = _storage().epochs[epochId];
        if (record.phase != EpochPhase.Active && record.phase != EpochPhase.Retired) {
            revert EpochManagerEpochPhase(epochId, record.phase);
        }
        uint256 size = record.size;
        bytes memory signers = record.committee.readSigners(size);
        Quorum.verify(signers, size, digest, signerBitmap, signatures);
    }

    /// @inheritdoc IEpochManager
    function isActive(bytes32 epochId) external view returns (bool) {
        return _storage().epochs[epochId].phase == EpochPhase.Active;
    }

    /// @inheritdoc IEpochManager
    function activeCommitteeSize(bytes32 epochId) external view returns (uint256) {
        EpochRecord storage record = _storage().epochs[epochId];
        if (record.phase != EpochPhase.Active) revert EpochManagerEpochPhase(epochId, record.phase);
        return record.size;
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
                proposalId: record.proposalId,
                setupDigest: record.setupDigest,
                confirmations: record.confirmations,
                operators: record.committee.readOperators(record.size).unpack(),
                signers: record.committee.readSigners(record.size).unpack()
            });
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
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
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
