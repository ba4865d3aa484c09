// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch, EpochPhase, Proposal} from "../../contracts/interfaces/IEpochManager.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Random calls by members, governor and strangers, in random order and time, over two
/// overlapping proposals. After each call the invariants of the state machine are checked.
contract EpochStateMachineTest is Deployment {
    uint256 private constant STEPS = 60;
    uint256 private constant PROPOSALS = 2;
    uint256 private constant SIZE = 4;

    bytes32[PROPOSALS] private ids;
    EpochPhase[PROPOSALS] private phases;
    bytes32[PROPOSALS] private setupDigests;

    function setUp() public override {
        super.setUp();
        ids[0] = propose(SIZE, "a");
        ids[1] = propose(SIZE, "b");
        for (uint256 k = 0; k < PROPOSALS; ++k) phases[k] = EpochPhase.Proposed;
    }

    function testFuzz_phasesOnlyAdvanceAndSeatsAgree(uint256 seed) public {
        for (uint256 step = 0; step < STEPS; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            act(seed);
            for (uint256 k = 0; k < PROPOSALS; ++k) checkProposal(k);
            checkSeats();
        }
    }

    /// @dev Biased towards progress, so that runs reach the later phases.
    function act(uint256 seed) private {
        bytes32 proposalId = ids[seed % PROPOSALS];
        uint256 action = (seed >> 8) % 32;
        address caller = (seed >> 16) % 8 == 0 ? stranger : signerOf(1 + ((seed >> 24) % SIZE));
        bytes32 epochId = epochs.proposal(proposalId).epochId;

        if (action < 8) {
            vm.prank(caller);
            try epochs.postDealing(proposalId, bytes32(seed)) {} catch {}
        } else if (action < 17) {
            uint256 posted = 0;
            bytes32[] memory roots = epochs.proposal(proposalId).roots;
            for (uint256 i = 0; i < roots.length; ++i) if (roots[i] != 0) posted |= 1 << i;
            uint256 dealers = (seed >> 32) % 4 == 0 ? (seed >> 40) & 0x1ff : posted;
            vm.prank(caller);
            try epochs.acknowledge(proposalId, dealers) {} catch {}
        } else if (action < 27) {
            vm.prank(caller);
            try epochs.confirm(epochId) {} catch {}
        } else if (action < 30) {
            vm.warp(block.timestamp + ((seed >> 48) % 10 minutes));
            vm.prank(caller);
            try epochs.abandonProposal(proposalId) {} catch {}
        } else if (action == 30) {
            vm.prank(caller);
            try epochs.retire(epochId) {
                vm.assertTrue(false, "only the governor retires");
            } catch {}
        } else {
            vm.prank(governor);
            try epochs.retire(epochId) {} catch {}
        }
    }

    function checkProposal(uint256 k) private {
        Proposal memory proposal = epochs.proposal(ids[k]);
        EpochPhase before = phases[k];
        vm.assertTrue(isStep(before, proposal.phase), "a phase advances along its path");
        phases[k] = proposal.phase;
        if (proposal.phase == EpochPhase.Abandoned && before != EpochPhase.Abandoned) {
            vm.assertTrue(block.timestamp > proposal.deadline, "abandoned after the deadline only");
        }

        uint256 size = proposal.signers.length;
        uint256 standing = 0;
        for (uint256 i = 0; i < size; ++i) {
            vm.assertTrue(proposal.acknowledgements[i] >> size == 0, "only members acknowledge");
            vm.assertTrue(
                proposal.roots[i] != 0 || proposal.acknowledgements[i] == 0,
                "only posted dealings are acknowledged"
            );
            if (members(proposal.acknowledgements[i]) >= quorumOf(size)) ++standing;
        }
        vm.assertTrue(
            (proposal.epochId != 0) == (standing >= quorumOf(size)),
            "frozen exactly when a quorum of dealers stands"
        );
        if (proposal.epochId == 0) return;

        Epoch memory epoch = epochs.epoch(proposal.epochId);
        vm.assertEq(epoch.proposalId, ids[k], "epoch and proposal name each other");
        vm.assertTrue(epoch.phase == proposal.phase, "epoch and proposal have one phase");
        if (setupDigests[k] == 0) setupDigests[k] = epoch.setupDigest;
        vm.assertEq(epoch.setupDigest, setupDigests[k], "a frozen set-up never changes");
        if (epoch.phase == EpochPhase.Frozen || epoch.phase == EpochPhase.Active) {
            bool quorate = members(epoch.confirmations) >= quorumOf(size);
            vm.assertTrue(
                quorate == (epoch.phase == EpochPhase.Active),
                "active exactly with a quorum of confirmations"
            );
        }
    }

    /// @dev Every operator has a seat for each live proposal or epoch it is in, and no other.
    function checkSeats() private view {
        for (uint256 i = 1; i <= SIZE; ++i) {
            uint256 seats = 0;
            for (uint256 k = 0; k < PROPOSALS; ++k) {
                bool live = phases[k] != EpochPhase.Retired && phases[k] != EpochPhase.Abandoned;
                if (live) ++seats;
            }
            vm.assertEq(registry.getOperator(ownerOf(i)).seats, seats, "seats");
        }
    }

    function isStep(EpochPhase from, EpochPhase to) private pure returns (bool) {
        if (from == to) return true;
        if (from == EpochPhase.Proposed)
            return to == EpochPhase.Frozen || to == EpochPhase.Abandoned;
        if (from == EpochPhase.Frozen) return to == EpochPhase.Active || to == EpochPhase.Abandoned;
        return from == EpochPhase.Active && to == EpochPhase.Retired;
    }

    function members(uint256 bitmap) private pure returns (uint256 count) {
        for (; bitmap != 0; bitmap >>= 1) count += bitmap & 1;
    }
}
