// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Epoch,
    EpochPhase,
    IEpochManager,
    Proposal
} from "../../contracts/interfaces/IEpochManager.sol";
import {EpochManager} from "../../contracts/EpochManager.sol";
import {IEpochFollower} from "../../contracts/interfaces/IEpochFollower.sol";
import {IOperatorRegistry} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {Deployment} from "./Deployment.sol";

contract EpochManagerTest is Deployment {
    function test_proposeSeatsTheCommitteeAndFixesItsSigners() public {
        address[] memory operators = committee(4);
        address[] memory signers = new address[](4);
        for (uint256 i = 0; i < 4; ++i) signers[i] = signerOf(i + 1);
        bytes32 expected = keccak256(
            abi.encode(block.chainid, address(epochs), operators, signers, bytes32("salt"))
        );
        uint64 deadline = uint64(block.timestamp) + SETUP_WINDOW;

        vm.expectEmit(address(epochs));
        emit IEpochManager.EpochProposed(expected, operators, signers, "salt", deadline);
        bytes32 proposalId = propose(4, "salt");

        vm.assertEq(proposalId, expected, "proposal id");
        Proposal memory proposal = epochs.proposal(proposalId);
        assertPhase(proposal.phase, EpochPhase.Proposed);
        vm.assertEq(proposal.deadline, deadline, "deadline");
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(proposal.operators[i], operators[i], "operator");
            vm.assertEq(proposal.signers[i], signers[i], "signer");
            vm.assertEq(proposal.roots[i], bytes32(0), "root");
            vm.assertEq(registry.getOperator(operators[i]).seats, 1, "seats");
        }
    }

    function test_proposeIsForTheGovernor() public {
        address[] memory operators = committee(4);
        vm.expectRevert(unauthorized(stranger));
        vm.prank(stranger);
        epochs.proposeEpoch(operators, 0);
    }

    function test_committeesHaveFourSizes() public {
        address[] memory all = committee(13);
        for (uint256 n = 0; n <= 14; ++n) {
            address[] memory operators = new address[](n);
            for (uint256 i = 0; i < n; ++i) operators[i] = i < 13 ? all[i] : stranger;
            bool supported = n == 4 || n == 7 || n == 10 || n == 13;
            if (!supported) {
                vm.expectRevert(
                    abi.encodeWithSelector(IEpochManager.EpochManagerCommitteeSize.selector, n)
                );
            }
            vm.prank(governor);
            epochs.proposeEpoch(operators, 0);
        }
    }

    function test_membersAreDifferentAndEligible() public {
        address[] memory operators = committee(4);
        operators[3] = operators[1];
        vm.expectRevert(
            abi.encodeWithSelector(
                IEpochManager.EpochManagerDuplicateOperator.selector,
                operators[1]
            )
        );
        vm.prank(governor);
        epochs.proposeEpoch(operators, 0);

        operators[3] = stranger;
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.OperatorRegistryNotEligible.selector, stranger)
        );
        vm.prank(governor);
        epochs.proposeEpoch(operators, 0);

        operators = committee(4);
        vm.prank(ownerOf(2));
        registry.beginUnbonding();
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryNotEligible.selector,
                ownerOf(2)
            )
        );
        vm.prank(governor);
        epochs.proposeEpoch(operators, 0);
    }

    function test_theSameProposalIsMadeOnce() public {
        bytes32 proposalId = propose(4, "salt");
        address[] memory operators = committee(4);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerProposalExists.selector, proposalId)
        );
        vm.prank(governor);
        epochs.proposeEpoch(operators, "salt");
    }

    function test_dealingsArePostedOnceByMembersAndNotZero() public {
        bytes32 proposalId = propose(4, 0);
        vm.expectRevert(notMember(proposalId, stranger));
        vm.prank(stranger);
        epochs.postDealing(proposalId, rootOf(1));
        vm.expectRevert(notMember(proposalId, ownerOf(1)));
        vm.prank(ownerOf(1));
        epochs.postDealing(proposalId, rootOf(1));

        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerZeroRoot.selector, proposalId)
        );
        vm.prank(signerOf(3));
        epochs.postDealing(proposalId, 0);

        vm.expectEmit(address(epochs));
        emit IEpochManager.DealingPosted(proposalId, 3, rootOf(3));
        vm.prank(signerOf(3));
        epochs.postDealing(proposalId, rootOf(3));
        vm.assertEq(epochs.proposal(proposalId).roots[2], rootOf(3), "root");

        vm.expectRevert(
            abi.encodeWithSelector(
                IEpochManager.EpochManagerDealingExists.selector,
                proposalId,
                uint8(3)
            )
        );
        vm.prank(signerOf(3));
        epochs.postDealing(proposalId, rootOf(4));
    }

    function test_acknowledgementsAreForPostedDealings() public {
        bytes32 proposalId = propose(4, 0);
        postDealings(proposalId, 2);

        vm.expectRevert(notMember(proposalId, stranger));
        vm.prank(stranger);
        epochs.acknowledge(proposalId, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerNoDealers.selector, proposalId)
        );
        vm.prank(signerOf(1));
        epochs.acknowledge(proposalId, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IEpochManager.EpochManagerDealingMissing.selector,
                proposalId,
                0x14
            )
        );
        vm.prank(signerOf(1));
        epochs.acknowledge(proposalId, 0x16);
        uint256 far = 1 << 255;
        vm.expectRevert(
            abi.encodeWithSelector(
                IEpochManager.EpochManagerDealingMissing.selector,
                proposalId,
                far
            )
        );
        vm.prank(signerOf(1));
        epochs.acknowledge(proposalId, far | 1);

        vm.expectEmit(address(epochs));
        emit IEpochManager.DealingsAcknowledged(proposalId, 4, 3);
        vm.prank(signerOf(4));
        epochs.acknowledge(proposalId, 3);
        vm.prank(signerOf(4));
        epochs.acknowledge(proposalId, 2);
        uint256[] memory acknowledgements = epochs.proposal(proposalId).acknowledgements;
        vm.assertEq(acknowledgements[0], 8, "dealer 1");
        vm.assertEq(acknowledgements[1], 8, "dealer 2");
        vm.assertEq(acknowledgements[2], 0, "dealer 3");
    }

    /// @dev A repeated acknowledgement counts once: one member cannot make a dealer stand.
    function test_aMemberCountsOncePerDealer() public {
        bytes32 proposalId = propose(4, 0);
        postDealings(proposalId, 4);
        for (uint256 i = 0; i < 5; ++i) {
            vm.prank(signerOf(1));
            epochs.acknowledge(proposalId, 0xf);
        }
        vm.prank(signerOf(2));
        epochs.acknowledge(proposalId, 0xf);
        assertPhase(epochs.proposal(proposalId).phase, EpochPhase.Proposed);
    }

    function test_theSetupFreezesWhenAQuorumOfDealersStands() public {
        bytes32 proposalId = propose(7, 0);
        postDealings(proposalId, 7);
        // Dealers 2, 3, 5, 7 reach five acknowledgements at member 5, then dealer 6 joins them.
        for (uint256 i = 1; i <= 5; ++i) {
            vm.prank(signerOf(i));
            epochs.acknowledge(proposalId, i < 5 ? 0x76 : 0x56);
        }
        assertPhase(epochs.proposal(proposalId).phase, EpochPhase.Proposed);

        bytes32[] memory roots = new bytes32[](5);
        roots[0] = rootOf(2);
        roots[1] = rootOf(3);
        roots[2] = rootOf(5);
        roots[3] = rootOf(6);
        roots[4] = rootOf(7);
        bytes32 setupDigest = keccak256(abi.encode(proposalId, uint256(0x76), roots));
        address[] memory signers = epochs.proposal(proposalId).signers;
        bytes32 epochId = keccak256(
            abi.encode(block.chainid, address(epochs), keccak256(abi.encode(signers)), setupDigest)
        );
        vm.expectEmit(address(epochs));
        emit IEpochManager.EpochFrozen(proposalId, epochId, setupDigest, 0x76);
        vm.prank(signerOf(6));
        epochs.acknowledge(proposalId, 0x20);

        Epoch memory epoch = epochs.epoch(epochId);
        assertPhase(epoch.phase, EpochPhase.Frozen);
        vm.assertEq(epoch.proposalId, proposalId, "proposal id");
        vm.assertEq(epoch.setupDigest, setupDigest, "setup digest");
        vm.assertEq(epoch.operators[6], ownerOf(7), "operators");
        vm.assertEq(epoch.signers[6], signerOf(7), "signers");
        vm.assertEq(epochs.proposal(proposalId).epochId, epochId, "epoch id");
    }

    function test_nothingIsAddedToAFrozenSetup() public {
        bytes32 proposalId = epochs.epoch(frozenEpoch(4, 0)).proposalId;
        vm.expectRevert(proposalPhase(proposalId, EpochPhase.Frozen));
        vm.prank(signerOf(4));
        epochs.postDealing(proposalId, rootOf(4));
        vm.expectRevert(proposalPhase(proposalId, EpochPhase.Frozen));
        vm.prank(signerOf(4));
        epochs.acknowledge(proposalId, 1);
    }

    function test_aQuorumOfConfirmationsActivates() public {
        bytes32 epochId = frozenEpoch(4, 0);
        vm.expectRevert(notMember(epochId, stranger));
        vm.prank(stranger);
        epochs.confirm(epochId);

        confirmBy(epochId, 1);
        confirmBy(epochId, 4);
        vm.expectRevert(
            abi.encodeWithSelector(
                IEpochManager.EpochManagerAlreadyConfirmed.selector,
                epochId,
                uint8(4)
            )
        );
        confirmBy(epochId, 4);
        vm.assertFalse(isActive(epochId), "two of four");
        vm.expectRevert(epochPhase(epochId, EpochPhase.Frozen));
        epochs.activeCommittee(epochId);

        vm.expectEmit(address(epochs));
        emit IEpochManager.EpochConfirmed(epochId, 2);
        vm.expectEmit(address(epochs));
        emit IEpochManager.EpochActivated(epochId);
        confirmBy(epochId, 2);
        vm.assertTrue(isActive(epochId), "three of four");
        (uint256 size, uint16 number) = epochs.activeCommittee(epochId);
        vm.assertEq(size, 4, "size");
        vm.assertEq(number, epochs.epoch(epochId).number, "number");
        vm.assertEq(epochs.epochIdOf(number), epochId, "the number stands for the epoch");

        // A slow member still joins, and nothing else happens.
        vm.recordLogs();
        confirmBy(epochId, 3);
        vm.assertEq(vm.getRecordedLogs().length, 1, "one event");
        vm.assertEq(epochs.epoch(epochId).confirmations, 0xf, "confirmations");
        assertPhase(epochs.epoch(epochId).phase, EpochPhase.Active);
    }

    function test_confirmNeedsAFrozenOrActiveEpoch() public {
        vm.expectRevert(epochPhase("none", EpochPhase.None));
        confirmBy("none", 1);
        bytes32 epochId = activeEpoch(4, 0);
        retire(epochId);
        vm.expectRevert(epochPhase(epochId, EpochPhase.Retired));
        confirmBy(epochId, 4);
    }

    function test_retireUnseatsAnActiveEpochOnly() public {
        bytes32 epochId = frozenEpoch(4, 0);
        vm.expectRevert(epochPhase(epochId, EpochPhase.Frozen));
        retire(epochId);
        for (uint256 i = 1; i <= 3; ++i) confirmBy(epochId, i);

        vm.expectRevert(unauthorized(stranger));
        vm.prank(stranger);
        epochs.retire(epochId);

        vm.expectEmit(address(epochs));
        emit IEpochManager.EpochRetired(epochId);
        retire(epochId);
        assertPhase(epochs.epoch(epochId).phase, EpochPhase.Retired);
        for (uint256 i = 1; i <= 4; ++i) {
            vm.assertEq(registry.getOperator(ownerOf(i)).seats, 0, "seats");
        }
        vm.expectRevert(epochPhase(epochId, EpochPhase.Retired));
        retire(epochId);
    }

    /// @dev Whoever is named hears of the end of epochs, so it is named by the admin, and once.
    function test_theKeyManagerIsNamedOnce() public {
        vm.assertEq(address(epochs.keyManager()), address(keys), "named at deployment");
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerKeyManagerSet.selector, address(keys))
        );
        epochs.setKeyManager(IEpochFollower(stranger));
        vm.expectRevert(unauthorized(governor));
        vm.prank(governor);
        epochs.setKeyManager(keys);
    }

    /// @dev An epoch that the KeyManager did not hear the end of would keep its keys.
    function test_noEpochIsRetiredBeforeTheKeyManagerIsNamed() public {
        epochs = EpochManager(
            proxyOf(
                address(new EpochManager()),
                abi.encodeCall(
                    EpochManager.initialize,
                    (address(authority), registry, SETUP_WINDOW)
                )
            )
        );
        authority.grantRole(EPOCH_MANAGER, address(epochs), 0);
        // No functions of this one have been assigned to roles.
        authority.grantRole(0, governor, 0);
        bytes32 epochId = activeEpoch(4, 0);
        vm.expectRevert(new bytes(0));
        retire(epochId);
        vm.assertTrue(isActive(epochId), "active");
        epochs.setKeyManager(keys);
        retire(epochId);
        vm.assertFalse(isActive(epochId), "retired");
    }

    function test_anybodyAbandonsAProposalAfterItsDeadline() public {
        bytes32 proposalId = propose(4, 0);
        uint64 deadline = epochs.proposal(proposalId).deadline;
        vm.warp(deadline);
        vm.expectRevert(
            abi.encodeWithSelector(
                IEpochManager.EpochManagerDeadlineNotPassed.selector,
                proposalId,
                deadline
            )
        );
        epochs.abandonProposal(proposalId);

        vm.warp(deadline + 1);
        vm.expectEmit(address(epochs));
        emit IEpochManager.ProposalAbandoned(proposalId, 0);
        vm.prank(stranger);
        epochs.abandonProposal(proposalId);
        assertPhase(epochs.proposal(proposalId).phase, EpochPhase.Abandoned);
        vm.assertEq(registry.getOperator(ownerOf(1)).seats, 0, "seats");

        vm.expectRevert(proposalPhase(proposalId, EpochPhase.Abandoned));
        epochs.abandonProposal(proposalId);
        vm.expectRevert(proposalPhase(proposalId, EpochPhase.Abandoned));
        vm.prank(signerOf(1));
        epochs.postDealing(proposalId, rootOf(1));
        vm.expectRevert(proposalPhase("none", EpochPhase.None));
        epochs.abandonProposal("none");
    }

    function test_aFrozenEpochIsAbandonedToo() public {
        bytes32 epochId = frozenEpoch(4, 0);
        bytes32 proposalId = epochs.epoch(epochId).proposalId;
        vm.warp(block.timestamp + SETUP_WINDOW + 1);
        vm.expectEmit(address(epochs));
        emit IEpochManager.ProposalAbandoned(proposalId, epochId);
        epochs.abandonProposal(proposalId);
        assertPhase(epochs.epoch(epochId).phase, EpochPhase.Abandoned);
        assertPhase(epochs.proposal(proposalId).phase, EpochPhase.Abandoned);
        vm.expectRevert(epochPhase(epochId, EpochPhase.Abandoned));
        confirmBy(epochId, 1);
    }

    function test_anActiveOrRetiredEpochIsNotAbandoned() public {
        bytes32 epochId = activeEpoch(4, 0);
        bytes32 proposalId = epochs.epoch(epochId).proposalId;
        vm.warp(block.timestamp + SETUP_WINDOW + 1);
        vm.expectRevert(proposalPhase(proposalId, EpochPhase.Active));
        epochs.abandonProposal(proposalId);
        retire(epochId);
        vm.expectRevert(proposalPhase(proposalId, EpochPhase.Retired));
        epochs.abandonProposal(proposalId);
    }

    /// @dev Late is not wrong: until somebody abandons it, a proposal goes on after its deadline.
    function test_aLateSetupStillCompletes() public {
        bytes32 proposalId = propose(4, 0);
        vm.warp(block.timestamp + SETUP_WINDOW + 1);
        postDealings(proposalId, 3);
        for (uint256 i = 1; i <= 3; ++i) {
            vm.prank(signerOf(i));
            epochs.acknowledge(proposalId, 7);
        }
        bytes32 epochId = epochs.proposal(proposalId).epochId;
        for (uint256 i = 1; i <= 3; ++i) confirmBy(epochId, i);
        vm.assertTrue(isActive(epochId), "active");
    }

    function test_activeEpochsCoexist() public {
        bytes32 first = activeEpoch(4, "first");
        bytes32 second = activeEpoch(7, "second");
        vm.assertTrue(isActive(first) && isActive(second), "both");
        retire(first);
        vm.assertTrue(isActive(second), "second");
    }

    function test_theSetupWindowHasBounds() public {
        bytes4 range = IEpochManager.EpochManagerSetupWindowRange.selector;
        vm.expectRevert(abi.encodeWithSelector(range, 59, 60, 7 days));
        epochs.setSetupWindow(59);
        vm.expectRevert(abi.encodeWithSelector(range, 7 days + 1, 60, 7 days));
        epochs.setSetupWindow(7 days + 1);
        vm.expectEmit(address(epochs));
        emit IEpochManager.SetupWindowSet(60);
        epochs.setSetupWindow(60);
        vm.assertEq(epochs.setupWindowSeconds(), 60, "window");
        vm.expectRevert(unauthorized(governor));
        vm.prank(governor);
        epochs.setSetupWindow(60);
    }

    function assertPhase(EpochPhase actual, EpochPhase expected) private pure {
        vm.assertEq(uint256(actual), uint256(expected), "phase");
    }

    function notMember(bytes32 id, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEpochManager.EpochManagerNotMember.selector, id, account);
    }

    function proposalPhase(bytes32 id, EpochPhase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEpochManager.EpochManagerProposalPhase.selector, id, phase);
    }

    function epochPhase(bytes32 id, EpochPhase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEpochManager.EpochManagerEpochPhase.selector, id, phase);
    }
}
