// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PowersState, PowersStates} from "./ceremony/PowersStates.sol";
import {Governed} from "./governance/Governed.sol";
import {IEpochManager} from "./interfaces/IEpochManager.sol";
import {IKeyManager} from "./interfaces/IKeyManager.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {IRecordedResults} from "./interfaces/IRecordedResults.sol";
import {
    Accused,
    Flaw,
    ISlashingManager,
    Offence,
    OpeningPreimage,
    Penalty,
    ShareProof,
    SignedRoot
} from "./interfaces/ISlashingManager.sol";
import {CommitteeCode} from "./libraries/CommitteeCode.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {Flaws} from "./slashing/Flaws.sol";
import {OpeningShape, Place} from "./slashing/OpeningShape.sol";
import {SharePolynomial} from "./slashing/SharePolynomial.sol";
import {ShareTree} from "./slashing/ShareTree.sol";
import {Statements} from "./slashing/Statements.sol";

/// @title SlashingManager
/// @notice Puts evidence together out of what contracts/slashing/ checks. The OperatorRegistry does the money.
contract SlashingManager is Governed, ISlashingManager {
    using OpeningShape for OpeningPreimage;
    using Statements for bytes;

    /// @dev An offence that costs less than this could be a price worth paying.
    uint64 public constant MIN_SLASH_WAD = 0.1e18;

    /// @dev Who commits an offence can always report it first, so this part is never really lost.
    uint64 public constant MAX_REWARD_WAD = 0.1e18;

    uint64 private constant WAD = 1e18;
    uint64 private constant DEFAULT_REWARD_WAD = 0.05e18;

    /// @custom:storage-location erc7201:keyloom.storage.SlashingManager
    struct SlashingManagerStorage {
        IKeyManager keyManager;
        IEpochManager epochManager;
        IOperatorRegistry operatorRegistry;
        address treasury;
        mapping(Offence offence => Penalty) penalties;
        mapping(bytes32 offenceId => bool) punished;
        mapping(bytes32 stateHash => bool) wrongStates;
    }

    /// @dev What the checks of a share need: it is the same for all shares.
    struct Opening {
        bytes32 domain;
        bytes32 epochId;
        bytes32 id;
        uint256 prime;
        Place place;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.SlashingManager");

    /// @notice Sets up the proxy.
    /// @dev The other contracts are read from the key manager, so they cannot belong to two deployments.
    /// @param authority AccessManager of the deployment.
    /// @param manager Parameter sets.
    /// @param initialTreasury Who gets what is slashed beyond rewards.
    function initialize(
        address authority,
        IKeyManager manager,
        address initialTreasury
    ) external initializer {
        __Governed_init(authority);
        SlashingManagerStorage storage $ = _storage();
        $.keyManager = manager;
        $.epochManager = manager.epochManager();
        $.operatorRegistry = $.epochManager.operatorRegistry();
        _setTreasury(initialTreasury);
        _setPenalty(Offence.WrongShare, WAD, DEFAULT_REWARD_WAD);
        _setPenalty(Offence.Equivocation, WAD, DEFAULT_REWARD_WAD);
        _setPenalty(Offence.WrongResult, WAD, DEFAULT_REWARD_WAD);
        _setPenalty(Offence.WrongContribution, WAD / 2, DEFAULT_REWARD_WAD);
    }

    /// @inheritdoc ISlashingManager
    function proveWrongShare(
        bytes32 epochId,
        OpeningPreimage calldata opening,
        uint256 position,
        ShareProof[] calldata accusers,
        ShareProof calldata accused,
        address beneficiary
    ) external {
        SlashingManagerStorage storage $ = _storage();
        Opening memory opened;
        bytes32 setupDigest;
        bytes memory members;
        (opened.domain, setupDigest, members) = _membersOf($, epochId);
        opened.epochId = epochId;
        opened.id = opening.id(setupDigest);
        opened.place = opening.locate(position);
        opened.prime = _primeOf($, opening, opened.place.limb);
        _requireWrong(members, opened, accusers, accused);
        _punish($, Offence.WrongShare, epochId, members, opened.id, accused.index, beneficiary);
    }

    /// @inheritdoc ISlashingManager
    function proveEquivocation(
        bytes32 epochId,
        bytes32 openingId,
        uint8 index,
        SignedRoot calldata first,
        SignedRoot calldata second,
        address beneficiary
    ) external {
        if (first.root == second.root) revert SlashingManagerSameRoot(first.root);
        SlashingManagerStorage storage $ = _storage();
        (bytes32 domain, , bytes memory members) = _membersOf($, epochId);
        bytes32 digest = Statements.shareCommitment(domain, epochId, openingId, first.root);
        members.requireSigned(index, digest, first.signature);
        digest = Statements.shareCommitment(domain, epochId, openingId, second.root);
        members.requireSigned(index, digest, second.signature);
        _punish($, Offence.Equivocation, epochId, members, openingId, index, beneficiary);
    }

    /// @inheritdoc ISlashingManager
    function proveWrongResult(
        IRecordedResults source,
        bytes32 requestId,
        uint8 index,
        bytes32 resultHash,
        bytes calldata signature,
        address beneficiary
    ) external {
        (bytes32 epochId, bytes32 recordedHash) = source.recordedResult(requestId);
        if (recordedHash == 0) revert SlashingManagerNoResult(requestId);
        if (recordedHash == resultHash) revert SlashingManagerResultRight(requestId);
        SlashingManagerStorage storage $ = _storage();
        (, , bytes memory members) = _membersOf($, epochId);
        bytes32 digest = Statements.result(source, epochId, requestId, resultHash);
        members.requireSigned(index, digest, signature);
        _punish($, Offence.WrongResult, epochId, members, requestId, index, beneficiary);
    }

    /// @inheritdoc ISlashingManager
    function proveWrongContribution(
        bytes32 epochId,
        bytes32 ceremonyId,
        bytes32 previous,
        PowersState calldata next,
        Flaw calldata flaw,
        Accused[] calldata accused,
        address beneficiary
    ) external {
        bytes32 stateHash = PowersStates.hash(next);
        Flaws.requireWrong(next, stateHash, flaw);
        if (!_storage().wrongStates[stateHash]) {
            _storage().wrongStates[stateHash] = true;
            emit StateProvenWrong(stateHash);
        } else if (accused.length == 0) {
            revert SlashingManagerStateKnown(stateHash);
        }
        (bytes32 domain, , bytes memory members) = _membersOf(_storage(), epochId);
        bytes32 digest = Statements.contribution(domain, epochId, ceremonyId, previous, stateHash);
        _punishSigners(epochId, members, stateHash, digest, accused, beneficiary);
    }

    /// @inheritdoc ISlashingManager
    function setPenalty(Offence offence, uint64 slashWad, uint64 rewardWad) external restricted {
        _setPenalty(offence, slashWad, rewardWad);
    }

    /// @inheritdoc ISlashingManager
    function setTreasury(address newTreasury) external restricted {
        _setTreasury(newTreasury);
    }

    /// @inheritdoc ISlashingManager
    function payTreasury() external {
        SlashingManagerStorage storage $ = _storage();
        $.operatorRegistry.payTreasury($.treasury);
    }

    /// @inheritdoc ISlashingManager
    function penalty(Offence offence) external view returns (Penalty memory) {
        return _storage().penalties[offence];
    }

    /// @inheritdoc ISlashingManager
    function treasury() external view returns (address) {
        return _storage().treasury;
    }

    /// @inheritdoc ISlashingManager
    function isPunished(bytes32 id) external view returns (bool) {
        return _storage().punished[id];
    }

    /// @inheritdoc ISlashingManager
    function isWrongState(bytes32 stateHash) external view returns (bool) {
        return _storage().wrongStates[stateHash];
    }

    /// @inheritdoc ISlashingManager
    function operatorRegistry() external view returns (IOperatorRegistry) {
        return _storage().operatorRegistry;
    }

    /// @inheritdoc ISlashingManager
    function epochManager() external view returns (IEpochManager) {
        return _storage().epochManager;
    }

    /// @inheritdoc ISlashingManager
    function keyManager() external view returns (IKeyManager) {
        return _storage().keyManager;
    }

    /// @inheritdoc ISlashingManager
    function offenceId(
        Offence offence,
        bytes32 epochId,
        bytes32 subject,
        uint8 index
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(offence, epochId, subject, index));
    }

    /// @dev Has the operator slashed. The registry reverts if there is no bond: nobody pays for evidence
    /// that changes nothing. What leaves no bond need not be recorded: see {isPunished}.
    function _punish(
        SlashingManagerStorage storage $,
        Offence offence,
        bytes32 epochId,
        bytes memory members,
        bytes32 subject,
        uint8 index,
        address beneficiary
    ) private {
        if (beneficiary == address(0)) revert SlashingManagerZeroAccount();
        bytes32 id = offenceId(offence, epochId, subject, index);
        if ($.punished[id]) revert SlashingManagerPunished(id);
        address operator = CommitteeCode.nth(members, members.length / 40 + index - 1);
        Penalty memory due = $.penalties[offence];
        emit OffenceProven(id, operator, epochId, offence, subject, beneficiary);
        uint256 leftWei = $.operatorRegistry.slash(
            operator,
            due.slashWad,
            beneficiary,
            due.rewardWad
        );
        if (leftWei != 0) $.punished[id] = true;
    }

    /// @dev Has all slashed who signed a contribution. Nobody of them twice: see {_punish}.
    function _punishSigners(
        bytes32 epochId,
        bytes memory members,
        bytes32 stateHash,
        bytes32 digest,
        Accused[] calldata accused,
        address beneficiary
    ) private {
        for (uint256 i = 0; i < accused.length; ++i) {
            uint8 index = accused[i].index;
            members.requireSigned(index, digest, accused[i].signature);
            _punish(
                _storage(),
                Offence.WrongContribution,
                epochId,
                members,
                stateHash,
                index,
                beneficiary
            );
        }
    }

    function _setPenalty(Offence offence, uint64 slashWad, uint64 rewardWad) private {
        if (slashWad < MIN_SLASH_WAD || slashWad > WAD || rewardWad > MAX_REWARD_WAD) {
            revert SlashingManagerPenaltyRange(slashWad, rewardWad);
        }
        _storage().penalties[offence] = Penalty({slashWad: slashWad, rewardWad: rewardWad});
        emit PenaltySet(offence, slashWad, rewardWad);
    }

    function _setTreasury(address newTreasury) private {
        if (newTreasury == address(0)) revert SlashingManagerZeroAccount();
        _storage().treasury = newTreasury;
        emit TreasurySet(newTreasury);
    }

    /// @dev Reverts unless a quorum without the accused, each with a share it signed, stands against it.
    function _requireWrong(
        bytes memory members,
        Opening memory opened,
        ShareProof[] calldata accusers,
        ShareProof calldata accused
    ) private view {
        uint256 size = members.length / 40;
        uint256 quorum = CommitteeSize.quorum(size);
        if (accusers.length != quorum) revert SlashingManagerAccusers(accusers.length);
        uint256[] memory indices = new uint256[](quorum + 1);
        uint256[] memory values = new uint256[](quorum + 1);
        uint256 previous = 0;
        for (uint256 i = 0; i < quorum; ++i) {
            uint256 index = accusers[i].index;
            if (index <= previous || index == accused.index) revert SlashingManagerAccusers(i);
            previous = index;
            indices[i] = index;
            values[i] = _signedValue(members, opened, accusers[i]);
        }
        indices[quorum] = accused.index;
        values[quorum] = _signedValue(members, opened, accused);
        SharePolynomial.requireWrong(size, indices, values, opened.prime);
    }

    /// @dev The residue at the opening's place in a share, which its operator signed.
    function _signedValue(
        bytes memory members,
        Opening memory opened,
        ShareProof calldata proof
    ) private view returns (uint256 value) {
        bytes32 root;
        (root, value) = ShareTree.open(proof, opened.place);
        members.requireSigned(
            proof.index,
            Statements.shareCommitment(opened.domain, opened.epochId, opened.id, root),
            proof.signature
        );
    }

    /// @dev Of an epoch with a set-up. It may be over: what was signed in it stays signed.
    function _membersOf(
        SlashingManagerStorage storage $,
        bytes32 epochId
    ) private view returns (bytes32 domain, bytes32 setupDigest, bytes memory members) {
        (domain, setupDigest, members) = $.epochManager.membersOf(epochId);
        if (setupDigest == 0) revert SlashingManagerEpoch(epochId);
    }

    function _primeOf(
        SlashingManagerStorage storage $,
        OpeningPreimage calldata opening,
        uint256 limb
    ) private view returns (uint256) {
        (uint64 prime, uint256 count) = $.keyManager.primeOf(opening.parameterSetId, limb);
        if (opening.limbs > count) revert SlashingManagerShape();
        return prime;
    }

    function _storage() private pure returns (SlashingManagerStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
