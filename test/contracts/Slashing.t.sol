// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {
    IOperatorRegistry,
    Operator,
    OperatorState
} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {Deployment} from "./Deployment.sol";
import {ReentrantToken} from "./tokens/ReentrantToken.sol";

/// @notice What slashing does to a bond, and that the money reconciles whatever happens.
contract SlashingTest is Deployment {
    uint256 private constant OPERATORS = 5;

    address private constant reporter = address(0x77);

    /// @dev Sequences only: what must never change back.
    mapping(uint256 operator => bool) private wasRemoved;
    bytes32 private live;

    function test_aPartIsTakenAndSplit() public {
        registerOperator(1, 1237);
        // floor(1237 · 0.3) = 371, floor(371 · 0.07) = 25.
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OperatorSlashed(ownerOf(1), reporter, 371, 25, 866);
        slash(1, 0.3e18, 0.07e18);
        vm.assertEq(registry.owedWei(reporter), 25, "reward");
        vm.assertEq(registry.treasuryWei(), 346, "rest");
        vm.assertEq(registry.totalOwedWei(), 371, "owed");
        vm.assertEq(registry.totalBondsWei(), 866, "bonds");
        vm.assertEq(token.balanceOf(address(registry)), 1237, "balance");
    }

    function test_whoWasSlashedIsRemovedAndLeavesWithTheRest() public {
        bytes32 epochId = activeEpoch(4, 0);
        slash(1, 0.1e18, 0);
        Operator memory operator = registry.getOperator(ownerOf(1));
        vm.assertTrue(operator.removed, "removed");
        vm.assertEq(operator.bondWei, 900, "what is left");
        vm.assertEq(operator.seats, 1, "stays in the running epoch");

        registry.setMinimumBond(1);
        vm.assertFalse(registry.isEligible(ownerOf(1)), "no seat, whatever its bond");
        fund(ownerOf(1), 500);
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.OperatorRegistryRemoved.selector, ownerOf(1))
        );
        vm.prank(ownerOf(1));
        registry.topUp(500);

        vm.prank(ownerOf(1));
        registry.beginUnbonding();
        retire(epochId);
        // Until it is withdrawn it can be slashed for more.
        slash(1, 0.5e18, 0);
        vm.warp(block.timestamp + UNBONDING_DELAY);
        slash(1, 0.5e18, 0);
        vm.prank(ownerOf(1));
        registry.withdraw();
        vm.assertEq(token.balanceOf(ownerOf(1)), 500 + 225, "the rest");
        expectNothingToSlash(1);
    }

    function test_withoutABondThereIsNothingToSlash() public {
        expectNothingToSlash(1);
        registerOperator(1, MINIMUM_BOND);
        slash(1, 1e18, 0.05e18);
        expectNothingToSlash(1);

        // Who has lost everything can still go.
        vm.prank(ownerOf(1));
        registry.beginUnbonding();
        vm.warp(block.timestamp + UNBONDING_DELAY);
        vm.prank(ownerOf(1));
        registry.withdraw();
        vm.assertEq(token.balanceOf(ownerOf(1)), 0, "with nothing");
    }

    function test_noPartIsMoreThanTheWhole() public {
        registerOperator(1, MINIMUM_BOND);
        bytes memory underflow = abi.encodeWithSignature("Panic(uint256)", 0x11);
        vm.expectRevert(underflow);
        slash(1, 1.001e18, 0);
        vm.expectRevert(underflow);
        slash(1, 1e18, 1.001e18);
    }

    function test_whatIsOwedIsCollectedOnce() public {
        registerOperator(1, MINIMUM_BOND);
        registerOperator(2, MINIMUM_BOND);
        slash(1, 1e18, 0.1e18);
        slash(2, 1e18, 0.1e18);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OwedCollected(reporter, 200);
        vm.prank(reporter);
        registry.collect();
        vm.assertEq(token.balanceOf(reporter), 200, "reward");
        vm.assertEq(registry.totalOwedWei(), 1800, "the treasury's");
        slashing.payTreasury();
        vm.assertEq(token.balanceOf(treasury), 1800, "paid out");
        vm.assertEq(registry.totalOwedWei(), 0, "nothing owed");
        bytes4 nothing = IOperatorRegistry.OperatorRegistryNothingOwed.selector;
        vm.expectRevert(abi.encodeWithSelector(nothing, reporter));
        vm.prank(reporter);
        registry.collect();
        vm.expectRevert(abi.encodeWithSelector(nothing, stranger));
        vm.prank(stranger);
        registry.collect();
    }

    function test_onlyTheSlashingManagerSlashes() public {
        registerOperator(1, MINIMUM_BOND);
        vm.expectRevert(unauthorized(governor));
        vm.prank(governor);
        registry.slash(ownerOf(1), 1e18, reporter, 0);
        vm.expectRevert(unauthorized(governor));
        vm.prank(governor);
        registry.payTreasury(governor);
    }

    function test_aTokenThatCallsBackCannotCollectTwice() public {
        ReentrantToken reentrant = new ReentrantToken();
        token = reentrant;
        deployWith(reentrant);
        registerOperator(1, MINIMUM_BOND);
        slash(1, 1e18, 0.1e18);
        bytes4 reentrancy = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        reentrant.onNextTransfer(address(registry), abi.encodeCall(registry.collect, ()));
        vm.expectRevert(reentrancy);
        vm.prank(reporter);
        registry.collect();
        reentrant.onNextTransfer(address(slashing), abi.encodeCall(slashing.payTreasury, ()));
        vm.expectRevert(reentrancy);
        slashing.payTreasury();
    }

    /// @dev Bonds, what is owed and the balance of the token reconcile under any mix of calls, and nobody
    /// who was removed gets a seat, or leaves before its delay has passed since its last seat.
    function testFuzz_moneyReconciles(uint256 seed) public {
        for (uint256 step = 0; step < 50; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            act(seed);
            check();
        }
    }

    function act(uint256 seed) private {
        uint256 i = 1 + (seed % OPERATORS);
        uint256 amount = (seed >> 32) % 3000;
        uint256 action = (seed >> 8) % 16;
        if (action < 3) {
            fund(ownerOf(i), amount);
            address signer = signerOf(i);
            vm.prank(ownerOf(i));
            try registry.register(signer, peerIdOf(i), "/a", "", amount) {} catch {}
        } else if (action < 5) {
            fund(ownerOf(i), amount);
            vm.prank(ownerOf(i));
            try registry.topUp(amount) {} catch {}
        } else if (action == 5) {
            vm.prank(ownerOf(i));
            try registry.beginUnbonding() {} catch {}
        } else if (action < 9) {
            vm.warp(block.timestamp + ((seed >> 64) % 2 days));
            withdraw(i);
        } else if (action < 11) {
            slashAny(seed, i);
        } else if (action == 11) {
            if ((seed >> 64) % 2 == 0) {
                try slashing.payTreasury() {} catch {}
            } else {
                vm.prank(reporter);
                try registry.collect() {} catch {}
            }
        } else if (action == 12) {
            registry.setUnbondingDelay(1 days + uint64((seed >> 64) % 3 days));
        } else if (action < 15) {
            proposeAny(seed);
        } else if (live != 0) {
            vm.warp(block.timestamp + SETUP_WINDOW + 1);
            epochs.abandonProposal(live);
            live = 0;
        }
    }

    function withdraw(uint256 i) private {
        Operator memory before = registry.getOperator(ownerOf(i));
        uint256 balance = token.balanceOf(ownerOf(i));
        vm.prank(ownerOf(i));
        try registry.withdraw() {
            vm.assertTrue(before.state == OperatorState.Unbonding, "announced");
            vm.assertEq(before.seats, 0, "unseated");
            vm.assertTrue(block.timestamp >= before.withdrawableAt, "not early");
            vm.assertEq(token.balanceOf(ownerOf(i)), balance + before.bondWei, "the bond");
        } catch {}
    }

    function slashAny(uint256 seed, uint256 i) private {
        uint256 part = 0.1e18 + ((seed >> 64) % 0.9e18);
        uint256 before = registry.getOperator(ownerOf(i)).bondWei;
        vm.prank(address(slashing));
        try registry.slash(ownerOf(i), part, reporter, (seed >> 128) % 0.1e18) returns (
            uint256 leftWei
        ) {
            vm.assertEq(registry.getOperator(ownerOf(i)).bondWei, leftWei, "what is left");
            vm.assertTrue(before != 0, "there was a bond");
            wasRemoved[i] = true;
        } catch {
            vm.assertEq(before, 0, "there was no bond");
        }
    }

    /// @dev Four of the five, whoever they are.
    function proposeAny(uint256 seed) private {
        if (live != 0) return;
        uint256 without = 1 + ((seed >> 64) % OPERATORS);
        address[] memory operators = new address[](4);
        bool removed = false;
        uint256 next = 0;
        for (uint256 j = 1; j <= OPERATORS; ++j) {
            if (j == without) continue;
            removed = removed || wasRemoved[j];
            operators[next++] = ownerOf(j);
        }
        vm.prank(governor);
        try epochs.proposeEpoch(operators, bytes32(seed)) returns (bytes32 proposalId) {
            vm.assertFalse(removed, "nobody who was slashed takes a seat");
            live = proposalId;
        } catch {}
    }

    function check() private view {
        uint256 bonds = 0;
        for (uint256 j = 1; j <= OPERATORS; ++j) {
            Operator memory operator = registry.getOperator(ownerOf(j));
            bonds += operator.bondWei;
            vm.assertTrue(operator.removed == wasRemoved[j], "removed for good");
        }
        uint256 owed = registry.owedWei(reporter) + registry.treasuryWei();
        vm.assertEq(bonds, registry.totalBondsWei(), "sum of bonds");
        vm.assertEq(owed, registry.totalOwedWei(), "sum of what is owed");
        vm.assertEq(bonds + owed, token.balanceOf(address(registry)), "balance");
    }

    function slash(uint256 i, uint256 slashWad, uint256 rewardWad) private {
        vm.prank(address(slashing));
        registry.slash(ownerOf(i), slashWad, reporter, rewardWad);
    }

    function expectNothingToSlash(uint256 i) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryNothingToSlash.selector,
                ownerOf(i)
            )
        );
        slash(i, 1e18, 0);
    }
}
