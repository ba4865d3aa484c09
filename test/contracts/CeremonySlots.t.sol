// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PowersState} from "../../contracts/ceremony/PowersStates.sol";
import {
    Ceremony,
    CeremonyPhase,
    Contribution,
    ICrsManager
} from "../../contracts/interfaces/ICrsManager.sol";
import {ISlashingManager} from "../../contracts/interfaces/ISlashingManager.sol";
import {Ceremonies} from "./Ceremonies.sol";

/// @notice Whose turn it is, when a ceremony is complete, and what a wrong contribution does to it.
contract CeremonySlotsTest is Ceremonies {
    uint256 private constant N = 7;

    bytes32 private epochId;
    bytes32 private id;
    uint256 private start;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(N, 0);
        id = crs.requestCrs(epochId, POWER, SLOT, 0, 0);
        start = uint256(id) % N;
    }

    // Slots

    function test_slotsGoAroundFromAPlaceThatTheIdNames() public {
        for (uint256 round = 0; round < 3 * N; ++round) {
            expectSlot(member(round), block.timestamp + SLOT);
            vm.warp(block.timestamp + SLOT - 1);
            expectSlot(member(round), block.timestamp + 1);
            vm.warp(block.timestamp + 1);
        }
        assertPhase(id, CeremonyPhase.Contributing);
    }

    function test_aContributionEndsItsSlot() public {
        vm.warp(block.timestamp + 7);
        vm.assertEq(contributeNext(id), member(0), "first");
        expectSlot(member(1), block.timestamp + SLOT);
    }

    function test_whoIsSilentIsPassedOverAndComesAgain() public {
        vm.warp(block.timestamp + 2 * SLOT);
        vm.assertEq(contributeNext(id), member(2), "two are silent");
        // Behind the contributor: 3, 4, 5, 6, and then the silent ones.
        for (uint256 k = 3; k < N; ++k) {
            expectSlot(member(k), block.timestamp + SLOT);
            vm.warp(block.timestamp + SLOT);
        }
        expectSlot(member(0), block.timestamp + SLOT);
        vm.assertEq(contributeNext(id), member(0), "again");
        expectSlot(member(1), block.timestamp + SLOT);
        vm.warp(block.timestamp + SLOT);
        // 2 has contributed.
        expectSlot(member(3), block.timestamp + SLOT);
    }

    function test_everybodyContributesAndThenNobodyWaits() public {
        for (uint256 k = 0; k < N; ++k) vm.assertEq(contributeNext(id), member(k), "order");
        Ceremony memory view_ = crs.ceremony(id);
        vm.assertEq(view_.completeAt, block.timestamp, "at once");
        vm.assertEq(view_.closesAt, block.timestamp + SLOT, "challenge window");
        vm.assertEq(view_.contributed, 127, "all");
        assertPhase(id, CeremonyPhase.Closing);
        expectSlot(0, 0);
        closeCeremony(id);
        finishCeremony(id, 31);
    }

    function test_withTooFewContributionsRoundsGoOn() public {
        contributeNext(id);
        contributeNext(id);
        // Five wait: three rounds of silence.
        vm.warp(block.timestamp + 15 * SLOT);
        assertPhase(id, CeremonyPhase.Contributing);
        vm.assertEq(crs.ceremony(id).completeAt, 0, "not complete");
        expectSlot(member(2), block.timestamp + SLOT);
        contributeNext(id);
        uint256 contributedAt = block.timestamp;
        // Now there are enough: one round for the other four.
        vm.warp(contributedAt + 4 * SLOT - 1);
        expectSlot(member(6), contributedAt + 4 * SLOT);
        assertPhase(id, CeremonyPhase.Contributing);
        vm.warp(contributedAt + 4 * SLOT);
        expectSlot(0, 0);
        assertPhase(id, CeremonyPhase.Closing);
        vm.assertEq(crs.ceremony(id).completeAt, contributedAt + 4 * SLOT, "complete");
        vm.warp(contributedAt + 9 * SLOT);
        vm.assertEq(crs.ceremony(id).completeAt, contributedAt + 4 * SLOT, "it stays so");
        assertPhase(id, CeremonyPhase.Final);
    }

    function test_aCompleteCeremonyTakesNoContribution() public {
        completeCeremony(id);
        for (uint256 i = 0; i < 2; ++i) {
            for (uint8 index = 1; index <= N; ++index) {
                Move memory move = moveOf(id, index, stateOf(id, 3), stateOf(id, 4));
                vm.expectRevert(
                    abi.encodeWithSelector(
                        ICrsManager.CrsManagerPhase.selector,
                        id,
                        i == 0 ? CeremonyPhase.Closing : CeremonyPhase.Final
                    )
                );
                play(move);
            }
            closeCeremony(id);
        }
    }

    // Roll back

    function test_onlyWhatIsProvenWrongIsTakenAway() public {
        contributeNext(id);
        bytes32 first = hashOf(stateOf(id, 1));
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerStateNotWrong.selector, first)
        );
        crs.rollBack(id, 0);
        bytes4 position = ICrsManager.CrsManagerPosition.selector;
        vm.expectRevert(abi.encodeWithSelector(position, 1, 1));
        crs.rollBack(id, 1);
        vm.expectRevert(abi.encodeWithSelector(position, type(uint256).max, 1));
        crs.rollBack(id, type(uint256).max);
    }

    function test_aWrongContributionInTheMiddleTakesWhatIsBuiltOnItAway() public {
        contributeNext(id);
        PowersState memory wrong = wrongStateOf(id, 2);
        play(moveOf(id, member(1), stateOf(id, 1), wrong));
        play(moveOf(id, member(2), wrong, stateOf(id, 3)));
        contributeNext(id);
        proveWrong(id, wrong);
        vm.warp(block.timestamp + 5);
        vm.expectEmit(address(crs));
        emit ICrsManager.ContributionRolledBack(id, 1, member(1), hashOf(wrong));
        vm.prank(stranger);
        crs.rollBack(id, 1);

        Ceremony memory view_ = crs.ceremony(id);
        vm.assertEq(view_.contributed, bit(member(0)), "only what was before");
        vm.assertEq(view_.excluded, bit(member(1)), "excluded");
        vm.assertEq(view_.stateHash, hashOf(stateOf(id, 1)), "state");
        vm.assertEq(crs.contributions(id).length, 1, "length");
        // The slots count anew, after the excluded one: 2, 3, 4, 5, 6, and 2 again.
        for (uint256 k = 2; k < N; ++k) {
            expectSlot(member(k), block.timestamp + SLOT);
            vm.warp(block.timestamp + SLOT);
        }
        expectSlot(member(2), block.timestamp + SLOT);
        // What was built on it is not taken any more, and neither is it.
        Move memory move = moveOf(id, member(2), wrong, stateOf(id, 3));
        vm.expectPartialRevert(ICrsManager.CrsManagerPrevious.selector);
        play(move);
        move = moveOf(id, member(2), stateOf(id, 1), wrong);
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerStateWrong.selector, hashOf(wrong))
        );
        play(move);

        for (uint256 k = 2; k < N; ++k) vm.assertEq(contributeNext(id), member(k), "they go on");
        vm.assertEq(crs.ceremony(id).completeAt, block.timestamp, "all but the excluded one");
        closeCeremony(id);
        finishCeremony(id, 31);
        vm.assertTrue(crs.isUsable(id), "usable");
    }

    function test_aWrongContributionAtTheEndOpensTheCeremonyAgain() public {
        contributeNext(id);
        contributeNext(id);
        PowersState memory wrong = wrongStateOf(id, 3);
        play(moveOf(id, member(2), stateOf(id, 2), wrong));
        vm.warp(block.timestamp + 5 * SLOT - 1);
        assertPhase(id, CeremonyPhase.Closing);
        proveWrong(id, wrong);
        crs.rollBack(id, 2);
        assertPhase(id, CeremonyPhase.Contributing);
        expectSlot(member(3), block.timestamp + SLOT);
        // Two are not enough without a third, however long the others are silent.
        vm.warp(block.timestamp + 8 * SLOT);
        assertPhase(id, CeremonyPhase.Contributing);
        contributeNext(id);
        vm.warp(block.timestamp + 4 * SLOT);
        finishCeremony(id, 31);
    }

    function test_aWrongContributionAtTheBeginningTakesAll() public {
        PowersState memory wrong = wrongStateOf(id, 1);
        play(moveOf(id, member(0), stateOf(id, 0), wrong));
        play(moveOf(id, member(1), wrong, stateOf(id, 2)));
        proveWrong(id, wrong);
        crs.rollBack(id, 0);
        vm.assertEq(crs.contributions(id).length, 0, "none");
        vm.assertEq(crs.ceremony(id).stateHash, 0, "no state");
        vm.assertEq(contributeNext(id), member(1), "it begins with the next one");
    }

    function test_aRecordedCeremonyIsRevoked() public {
        contributeNext(id);
        PowersState memory wrong = wrongStateOf(id, 2);
        play(moveOf(id, member(1), stateOf(id, 1), wrong));
        play(moveOf(id, member(2), wrong, stateOf(id, 3)));
        vm.warp(block.timestamp + 5 * SLOT);
        finishCeremony(id, 31);
        vm.assertTrue(crs.isUsable(id), "usable");
        proveWrong(id, wrong);
        vm.expectEmit(address(crs));
        emit ICrsManager.CrsRevoked(id, 1, hashOf(wrong));
        vm.prank(stranger);
        crs.rollBack(id, 1);
        assertPhase(id, CeremonyPhase.Revoked);
        vm.assertFalse(crs.isUsable(id), "not usable");
        vm.assertEq(crs.contributions(id).length, 3, "the chain stays to be seen");
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerPhase.selector, id, CeremonyPhase.Revoked)
        );
        crs.rollBack(id, 1);
    }

    function test_whatIsProvenWrongBeforeItIsRecordedNeverIs() public {
        PowersState memory wrong = wrongStateOf(id, 1);
        Move memory move = moveOf(id, member(0), stateOf(id, 0), wrong);
        proveWrong(id, wrong);
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerStateWrong.selector, hashOf(wrong))
        );
        play(move);
        contributeNext(id);
    }

    /// @dev More than t are corrupted: nobody waits any more, and there is no honest one for sure.
    function test_withAllButTExcludedItEndsWithoutAResult() public {
        for (uint256 k = 0; k < 5; ++k) {
            PowersState memory wrong = wrongStateOf(bytes32(k), 1);
            play(moveOf(id, member(k), stateOf(id, 0), wrong));
            proveWrong(id, wrong);
            crs.rollBack(id, 0);
        }
        contributeNext(id);
        contributeNext(id);
        expectSlot(0, 0);
        vm.warp(block.timestamp + 3 * SLOT);
        assertPhase(id, CeremonyPhase.Contributing);
        vm.warp(crs.ceremony(id).deadline + 1);
        assertPhase(id, CeremonyPhase.Expired);
        vm.expectPartialRevert(ICrsManager.CrsManagerPhase.selector);
        crs.rollBack(id, 0);
    }

    /// @dev Against a model that knows no cursor arithmetic.
    function testFuzz_slotsFollowTheModel(uint256 seed) public {
        bool[N] memory contributed;
        uint256 count = 0;
        uint256 cursor = N - 1;
        uint256 cursorAt = block.timestamp;
        for (uint256 i = 0; i < 10; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + (seed % (2 * SLOT)));
            // Members after the cursor that wait, in order.
            uint256[] memory waiting = new uint256[](N);
            uint256 length = 0;
            for (uint256 k = 1; k <= N; ++k) {
                if (!contributed[(cursor + k) % N]) waiting[length++] = (cursor + k) % N;
            }
            uint256 elapsed = (block.timestamp - cursorAt) / SLOT;
            if (length == 0 || (count >= 3 && elapsed >= length)) {
                expectSlot(0, 0);
                vm.assertEq(crs.ceremony(id).completeAt, cursorAt + length * SLOT, "complete");
                return;
            }
            uint256 owner = waiting[elapsed % length];
            expectSlot(member(owner), cursorAt + (elapsed + 1) * SLOT);
            vm.assertEq(crs.ceremony(id).completeAt, 0, "not complete");
            if ((seed >> 128) % 2 == 0) continue;
            contributeNext(id);
            contributed[owner] = true;
            ++count;
            (cursor, cursorAt) = (owner, block.timestamp);
        }
    }

    /// @dev Index of member number k in the order of the slots.
    function member(uint256 k) private view returns (uint8) {
        return uint8(((start + k) % N) + 1);
    }

    function bit(uint8 index) private pure returns (uint256) {
        return 1 << (index - 1);
    }

    function expectSlot(uint256 index, uint256 until) private view {
        (uint8 found, uint64 end) = crs.slotOf(id);
        vm.assertEq(found, index, "slot");
        vm.assertEq(end, until, "until");
    }
}
