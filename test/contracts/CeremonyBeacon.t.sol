// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PowersState} from "../../contracts/ceremony/PowersStates.sol";
import {
    Ceremony,
    CeremonyPhase,
    Contribution,
    ICrsManager
} from "../../contracts/interfaces/ICrsManager.sol";
import {Ceremonies} from "./Ceremonies.sol";

/// @notice The beacon: fixed, drawn, contributed, and what happens when it is missed or wrong.
contract CeremonyBeaconTest is Ceremonies {
    bytes32 private epochId;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        id = crs.requestCrs(epochId, POWER, SLOT, 10, 0);
        vm.roll(1000);
    }

    function test_theBeaconIsTheHashOfABlockToCome() public {
        expectPhase(CeremonyPhase.Contributing);
        crs.fixBeacon(id);
        completeCeremony(id);
        expectPhase(CeremonyPhase.Closing);
        crs.fixBeacon(id);
        closeCeremony(id);
        assertPhase(id, CeremonyPhase.Beacon);
        expectPhase(CeremonyPhase.Beacon);
        crs.finish(id, 7, "");
        expectBlock(0, 1000);
        crs.drawBeacon(id);

        vm.expectEmit(address(crs));
        emit ICrsManager.BeaconFixed(id, 1002);
        vm.prank(stranger);
        crs.fixBeacon(id);
        for (uint256 number = 1000; number <= 1002; ++number) {
            vm.roll(number);
            expectBlock(1002, number);
            crs.drawBeacon(id);
            expectBlock(1002, number);
            crs.fixBeacon(id);
        }
        Move memory move = beaconMove();
        vm.expectRevert(drawn(0));
        play(move);
        vm.roll(1003);
        bytes32 beacon = blockhash(1002);
        vm.assertTrue(beacon != 0, "there is a hash");
        vm.expectEmit(address(crs));
        emit ICrsManager.BeaconDrawn(id, beacon);
        vm.prank(stranger);
        crs.drawBeacon(id);
        vm.assertEq(crs.ceremony(id).beacon, beacon, "kept");
        vm.expectRevert(drawn(beacon));
        crs.drawBeacon(id);
        vm.roll(2000);
        vm.expectRevert(drawn(beacon));
        crs.fixBeacon(id);

        // Nobody's slot; only the beacon's own contribution is taken.
        (uint8 index, uint64 until) = crs.slotOf(id);
        vm.assertEq(index + until, 0, "slot");
        Move memory other = moveOf(id, 1, stateOf(id, 2), stateOf(id, 3));
        expectPhase(CeremonyPhase.Beacon);
        play(other);
        vm.expectEmit(address(crs));
        emit ICrsManager.ContributionRecorded(id, 2, 0, hashOf(stateOf(id, 2)), move.next, 7);
        play(move);
        assertPhase(id, CeremonyPhase.Final);
        expectPhase(CeremonyPhase.Final);
        play(move);
        vm.assertEq(crs.contributions(id)[2].index, 0, "the beacon's");
        finishCeremony(id, 7);
        vm.assertTrue(crs.isUsable(id), "usable");
        vm.assertTrue(crs.isResult(id, abi.encode(hashOf(stateOf(id, 3)))), "with the beacon");
    }

    function test_aMissedBeaconIsFixedAgain() public {
        completeCeremony(id);
        closeCeremony(id);
        crs.fixBeacon(id);
        vm.roll(1258);
        expectBlock(1002, 1258);
        crs.fixBeacon(id);
        vm.roll(1259);
        expectBlock(1002, 1259);
        crs.drawBeacon(id);
        vm.expectEmit(address(crs));
        emit ICrsManager.BeaconFixed(id, 1261);
        crs.fixBeacon(id);
        vm.roll(1261 + 256);
        crs.drawBeacon(id);
        vm.assertEq(
            crs.ceremony(id).beacon,
            blockhash(1261),
            "the last one that it can be drawn in"
        );
    }

    function test_withoutABeaconNoneIsFixed() public {
        bytes32 other = crs.requestCrs(epochId, POWER, SLOT, 0, 0);
        completeCeremony(other);
        closeCeremony(other);
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerPhase.selector, other, CeremonyPhase.Final)
        );
        crs.fixBeacon(other);
        Move memory move = moveOf(other, 0, stateOf(other, 2), stateOf(other, 3));
        vm.expectPartialRevert(ICrsManager.CrsManagerPhase.selector);
        play(move);
    }

    function test_aWrongContributionDropsTheBeacon() public {
        PowersState memory wrong = wrongStateOf(id, 1);
        (uint8 first, ) = crs.slotOf(id);
        play(moveOf(id, first, stateOf(id, 0), wrong));
        (uint8 second, ) = crs.slotOf(id);
        play(moveOf(id, second, wrong, stateOf(id, 2)));
        vm.warp(block.timestamp + 3 * SLOT);
        drawBeacon();
        play(beaconMove());
        proveWrong(id, wrong);
        crs.rollBack(id, 0);
        Ceremony memory view_ = crs.ceremony(id);
        assertPhase(id, CeremonyPhase.Contributing);
        vm.assertEq(view_.beacon, 0, "no beacon");
        vm.assertEq(view_.beaconBlock, 0, "none fixed");
        completeCeremony(id);
        closeCeremony(id);
        drawBeacon();
        play(beaconMove());
        finishCeremony(id, 7);
    }

    /// @dev The members' contributions stay, and nobody is excluded. The beacon is another one.
    function test_aWrongContributionOfTheBeaconIsMadeAgain() public {
        completeCeremony(id);
        uint64 completeAt = crs.ceremony(id).completeAt;
        closeCeremony(id);
        drawBeacon();
        PowersState memory wrong = wrongStateOf(id, 3);
        Move memory move = moveOf(id, 0, stateOf(id, 2), wrong);
        play(move);
        proveWrong(id, wrong);
        vm.expectEmit(address(crs));
        emit ICrsManager.ContributionRolledBack(id, 2, 0, hashOf(wrong));
        crs.rollBack(id, 2);
        Ceremony memory view_ = crs.ceremony(id);
        assertPhase(id, CeremonyPhase.Beacon);
        vm.assertEq(view_.completeAt, completeAt, "as before");
        vm.assertEq(view_.excluded, 0, "nobody");
        vm.assertEq(view_.beacon, 0, "dropped");
        vm.assertEq(crs.contributions(id).length, 2, "members' contributions");
        drawBeacon();
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerStateWrong.selector, hashOf(wrong))
        );
        play(move);
        play(beaconMove());
        finishCeremony(id, 7);
    }

    function drawBeacon() private {
        crs.fixBeacon(id);
        vm.roll(crs.ceremony(id).beaconBlock + 1);
        crs.drawBeacon(id);
    }

    function beaconMove() private view returns (Move memory) {
        return moveOf(id, 0, stateOf(id, 2), stateOf(id, 3));
    }

    function expectPhase(CeremonyPhase phase) private {
        vm.expectRevert(abi.encodeWithSelector(ICrsManager.CrsManagerPhase.selector, id, phase));
    }

    function expectBlock(uint256 beaconBlock, uint256 number) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerBeaconBlock.selector, beaconBlock, number)
        );
    }

    function drawn(bytes32 beacon) private view returns (bytes memory) {
        return abi.encodeWithSelector(ICrsManager.CrsManagerBeaconDrawn.selector, id, beacon);
    }
}
