// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IOperatorRegistry,
    Operator,
    OperatorState
} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {Deployment} from "./Deployment.sol";

/// @notice When an operator that has seats, or had some, gets its bond back; and who gets no seat.
contract LeavingTest is Deployment {
    function test_theDelayOfASeatedOperatorCountsFromItsLastSeat() public {
        bytes32 first = activeEpoch(4, "first");
        bytes32 second = activeEpoch(4, "second");
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.UnbondingBegun(ownerOf(1), 0);
        begin(1);
        Operator memory operator = registry.getOperator(ownerOf(1));
        vm.assertTrue(operator.state == OperatorState.Unbonding, "state");
        vm.assertEq(operator.seats, 2, "keeps its seats");
        vm.assertEq(operator.withdrawableAt, 0, "no date yet");
        vm.assertFalse(registry.isEligible(ownerOf(1)), "no new seat");

        vm.warp(block.timestamp + 100 days);
        expectSeated(1, 2);
        retire(first);
        expectSeated(1, 1);
        uint64 date = uint64(block.timestamp) + UNBONDING_DELAY;
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.UnbondingDated(ownerOf(1), date);
        retire(second);
        vm.assertEq(registry.getOperator(ownerOf(1)).withdrawableAt, date, "date");

        vm.warp(date - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryStillUnbonding.selector,
                ownerOf(1),
                date
            )
        );
        vm.prank(ownerOf(1));
        registry.withdraw();
        vm.warp(date);
        vm.prank(ownerOf(1));
        registry.withdraw();
        vm.assertEq(token.balanceOf(ownerOf(1)), MINIMUM_BOND, "paid back");
    }

    function test_anAbandonedProposalReleasesSeatsToo() public {
        bytes32 proposalId = propose(4, 0);
        begin(2);
        vm.warp(block.timestamp + SETUP_WINDOW + 1);
        epochs.abandonProposal(proposalId);
        vm.assertEq(
            registry.getOperator(ownerOf(2)).withdrawableAt,
            block.timestamp + UNBONDING_DELAY,
            "date"
        );
    }

    function test_whoseDelayHasPassedLeavesAtOnce() public {
        bytes32 epochId = activeEpoch(4, 0);
        retire(epochId);
        uint64 date = uint64(block.timestamp) + UNBONDING_DELAY;
        vm.warp(date + 5 days);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.UnbondingBegun(ownerOf(1), date);
        begin(1);
        vm.prank(ownerOf(1));
        registry.withdraw();
        vm.assertEq(token.balanceOf(ownerOf(1)), MINIMUM_BOND, "paid back");
    }

    function test_governanceDoesNotProlongAnExitThatHasBegun() public {
        bytes32 epochId = activeEpoch(4, 0);
        begin(1);
        registry.setUnbondingDelay(90 days);
        retire(epochId);
        vm.assertEq(
            registry.getOperator(ownerOf(1)).withdrawableAt,
            block.timestamp + UNBONDING_DELAY,
            "the delay when it began"
        );
        begin(2);
        vm.assertEq(
            registry.getOperator(ownerOf(2)).withdrawableAt,
            block.timestamp + 90 days,
            "the delay since"
        );
        registry.setUnbondingDelay(1 days);
        vm.assertEq(
            registry.getOperator(ownerOf(2)).withdrawableAt,
            block.timestamp + 90 days,
            "nor is it cut short"
        );
    }

    function test_anUnbondingOperatorFinishesItsSetUp() public {
        bytes32 proposalId = propose(4, 0);
        begin(1);
        postDealings(proposalId, 3);
        for (uint256 i = 1; i <= 3; ++i) {
            vm.prank(signerOf(i));
            epochs.acknowledge(proposalId, 7);
        }
        bytes32 epochId = epochs.proposal(proposalId).epochId;
        for (uint256 i = 1; i <= 3; ++i) confirmBy(epochId, i);
        vm.assertTrue(isActive(epochId), "active");
        vm.assertEq(registry.getOperator(ownerOf(1)).withdrawableAt, 0, "seated");
    }

    function test_aBenchedOperatorTakesNoSeatUntilThen() public {
        bytes32 epochId = activeEpoch(4, "before");
        uint64 until = uint64(block.timestamp) + 1 days;
        address[] memory benched = new address[](2);
        (benched[0], benched[1]) = (ownerOf(2), ownerOf(3));
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OperatorBenched(ownerOf(2), until);
        bench(benched, until);
        vm.assertEq(registry.getOperator(ownerOf(3)).benchedUntil, until, "record");
        vm.assertTrue(isActive(epochId), "the running epoch goes on");

        // An earlier date does not free anybody.
        bench(benched, until - 1);
        vm.warp(until - 1);
        vm.assertFalse(registry.isEligible(ownerOf(2)), "benched");
        address[] memory operators = committee(4);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryNotEligible.selector,
                ownerOf(2)
            )
        );
        vm.prank(governor);
        epochs.proposeEpoch(operators, "while benched");

        vm.warp(until);
        vm.assertTrue(registry.isEligible(ownerOf(2)), "back");
        propose(4, "afterwards");
    }

    function test_benchingIsBoundedAndForOperatorsOnly() public {
        address[] memory benched = committee(4);
        uint64 most = uint64(block.timestamp) + 90 days;
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryBenchTooLong.selector,
                most + 1,
                most
            )
        );
        bench(benched, most + 1);
        bench(benched, most);

        benched[3] = stranger;
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryUnknownOperator.selector,
                stranger
            )
        );
        bench(benched, most);

        vm.expectRevert(unauthorized(governor));
        vm.prank(governor);
        registry.bench(benched, most);
    }

    function begin(uint256 i) private {
        vm.prank(ownerOf(i));
        registry.beginUnbonding();
    }

    function bench(address[] memory benched, uint64 until) private {
        vm.prank(address(epochs));
        registry.bench(benched, until);
    }

    function expectSeated(uint256 i, uint16 seats) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryStillSeated.selector,
                ownerOf(i),
                seats
            )
        );
        vm.prank(ownerOf(i));
        registry.withdraw();
    }
}
