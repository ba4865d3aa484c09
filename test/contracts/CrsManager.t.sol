// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254, G1Point, G2Point} from "../../contracts/ceremony/Bn254.sol";
import {PowersState} from "../../contracts/ceremony/PowersStates.sol";
import {
    Ceremony,
    CeremonyPhase,
    Contribution,
    ICrsManager
} from "../../contracts/interfaces/ICrsManager.sol";
import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {IFeeVault} from "../../contracts/interfaces/IFeeVault.sol";
import {IRequests, Request, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {Ceremonies} from "./Ceremonies.sol";

/// @notice Requests, what a contribution must be, and results.
contract CrsManagerTest is Ceremonies {
    bytes32 private epochId;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        id = crs.requestCrs(epochId, POWER, SLOT, 0, "salt");
    }

    // Requests

    function test_requestsArePinnedToAnEpoch() public {
        bytes32 expected = keccak256(
            abi.encode(
                block.chainid,
                address(crs),
                epochId,
                uint8(17),
                uint16(50),
                uint8(24),
                stranger,
                bytes32("salt")
            )
        );
        uint64 deadline = uint64(block.timestamp) + RESPONSE_WINDOW;
        vm.expectEmit(address(crs));
        emit ICrsManager.CrsRequested(expected, epochId, 17, 50, 24, stranger, deadline, "salt");
        vm.prank(stranger);
        vm.assertEq(crs.requestCrs(epochId, 17, 50, 24, "salt"), expected, "id");

        Ceremony memory view_ = crs.ceremony(expected);
        assertPhase(expected, CeremonyPhase.Contributing);
        vm.assertEq(view_.epochId, epochId, "epoch");
        vm.assertEq(view_.power, 17, "power");
        vm.assertEq(view_.slotSeconds, 50, "slot");
        vm.assertEq(view_.beaconIterationsExp, 24, "beacon");
        vm.assertEq(view_.size, 4, "size");
        vm.assertEq(view_.deadline, deadline, "deadline");
        vm.assertEq(view_.cursorAt, block.timestamp, "slots from now");
        vm.assertEq(view_.stateHash, 0, "no state");
        vm.assertEq(uint256(view_.cursor % 4), uint256(expected) % 4, "start");
        vm.assertEq(uint256(crs.request(expected).operation), 7, "operation");
        vm.assertTrue(crs.request(expected).state == RequestState.Pending, "pending");
    }

    function test_nothingIsKnownOfNoCeremony() public {
        assertPhase("none", CeremonyPhase.None);
        vm.assertEq(crs.contributions("none").length, 0, "contributions");
        vm.assertFalse(crs.isUsable("none"), "usable");
        (uint8 index, uint64 until) = crs.slotOf("none");
        vm.assertEq(index + until, 0, "slot");
        Move memory move = nextMove(id);
        move.ceremonyId = "none";
        vm.expectRevert(phase("none", CeremonyPhase.None));
        play(move);
        move.index = 0;
        vm.expectRevert(phase("none", CeremonyPhase.None));
        play(move);
        vm.expectRevert(phase("none", CeremonyPhase.None));
        crs.fixBeacon("none");
        vm.expectRevert(phase("none", CeremonyPhase.None));
        crs.drawBeacon("none");
        vm.expectRevert(phase("none", CeremonyPhase.None));
        crs.finish("none", 7, "");
        vm.expectRevert(phase("none", CeremonyPhase.None));
        crs.rollBack("none", 0);
    }

    function test_requestsHaveLimits() public {
        bytes4 power = ICrsManager.CrsManagerPower.selector;
        vm.expectRevert(abi.encodeWithSelector(power, 7, 8, 17));
        crs.requestCrs(epochId, 7, SLOT, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(power, 18, 8, 17));
        crs.requestCrs(epochId, 18, SLOT, 0, 0);

        bytes4 slot = ICrsManager.CrsManagerSlotSeconds.selector;
        vm.expectRevert(abi.encodeWithSelector(slot, 9, 10, 3600));
        crs.requestCrs(epochId, POWER, 9, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(slot, 3601, 10, 3600));
        crs.requestCrs(epochId, POWER, 3601, 0, 0);

        bytes4 exponent = ICrsManager.CrsManagerBeaconIterations.selector;
        vm.expectRevert(abi.encodeWithSelector(exponent, 9, 10, 24));
        crs.requestCrs(epochId, POWER, SLOT, 9, 0);
        vm.expectRevert(abi.encodeWithSelector(exponent, 25, 10, 24));
        crs.requestCrs(epochId, POWER, SLOT, 25, 0);
        crs.requestCrs(epochId, POWER, SLOT, 10, 0);

        // 12 slots of 50 seconds are the window.
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerWindow.selector, 612, RESPONSE_WINDOW)
        );
        crs.requestCrs(epochId, POWER, 51, 0, 0);
        crs.requestCrs(epochId, POWER, 50, 0, 0);
    }

    function test_requestsAreForActiveEpochsAndNotWhilePaused() public {
        vm.expectPartialRevert(IEpochManager.EpochManagerEpochPhase.selector);
        crs.requestCrs("no epoch", POWER, SLOT, 0, 0);
        Move memory move = nextMove(id);
        vm.prank(governor);
        crs.pauseRequests();
        vm.expectRevert(IRequests.RequestsPaused.selector);
        crs.requestCrs(epochId, POWER, SLOT, 0, "another");
        // What was asked for goes on.
        play(move);
        contributeNext(id);
        vm.warp(block.timestamp + 3 * SLOT);
        finishCeremony(id, 7);
        vm.assertTrue(crs.isUsable(id), "usable");
    }

    function test_aPendingCeremonyIsNotAskedForAgain() public {
        vm.expectRevert(exists(id));
        crs.requestCrs(epochId, POWER, SLOT, 0, "salt");
        vm.prank(stranger);
        vm.assertTrue(crs.requestCrs(epochId, POWER, SLOT, 0, "salt") != id, "another's");
    }

    function test_theFeeIsByPower() public {
        vault.setPrice(Operations.CRS, 30, 2);
        token.mint(address(this), 100_000);
        token.approve(address(vault), 100_000);
        vault.deposit(stranger, 100_000);
        vm.prank(user);
        vm.expectPartialRevert(IFeeVault.FeeVaultBalance.selector);
        crs.requestCrs(epochId, 8, SLOT, 0, 0);
        vm.startPrank(stranger);
        bytes32 small = crs.requestCrs(epochId, 8, SLOT, 0, 0);
        bytes32 large = crs.requestCrs(epochId, 17, SLOT, 0, 0);
        vm.stopPrank();
        vm.assertEq(crs.request(small).feeWei, 32 * FEE_QUANTUM, "2^8");
        vm.assertEq(crs.request(large).feeWei, (30 + 2 * 128) * FEE_QUANTUM, "2^17");
    }

    // Contributions

    function test_aContributionIsRecorded() public {
        Move memory move = nextMove(id);
        vm.expectEmit(address(crs));
        emit ICrsManager.ContributionRecorded(id, 0, move.index, 0, move.next, 7);
        vm.prank(stranger);
        play(move);
        bytes32 first = hashOf(move.next);
        vm.assertEq(crs.ceremony(id).stateHash, first, "state");
        vm.assertEq(crs.ceremony(id).contributed, 1 << (move.index - 1), "contributed");

        Move memory second = nextMove(id);
        vm.assertTrue(second.index == (move.index % 4) + 1, "the next one's turn");
        vm.expectEmit(address(crs));
        emit ICrsManager.ContributionRecorded(id, 1, second.index, first, second.next, 7);
        play(second);
        Contribution[] memory chain = crs.contributions(id);
        vm.assertEq(chain.length, 2, "length");
        vm.assertEq(chain[0].index, move.index, "first");
        vm.assertEq(chain[0].stateHash, first, "first state");
        vm.assertEq(chain[1].index, second.index, "second");
        vm.assertEq(chain[1].stateHash, hashOf(second.next), "second state");
    }

    function test_onlyTheLastStateIsContinued() public {
        Move memory first = nextMove(id);
        Move memory other = moveOf(id, first.index, first.previous, stateOf("other", 1));
        play(first);
        bytes32 given = keccak256(abi.encode(other.previous));
        Move memory move = moveOf(id, nextMove(id).index, other.previous, stateOf("other", 1));
        vm.expectRevert(previousOf(given, hashOf(first.next)));
        play(move);
        move = moveOf(id, move.index, other.next, stateOf("other", 2));
        vm.expectRevert(previousOf(hashOf(other.next), hashOf(first.next)));
        play(move);
    }

    function test_theFirstStateIsTheGeneratorsAndNothingElse() public {
        Move memory move = nextMove(id);
        bytes32 expected = keccak256(abi.encode(initialState()));
        PowersState memory previous = initialState();
        previous.digest = "file";
        Move memory wrong = moveOf(id, move.index, previous, move.next);
        vm.expectRevert(previousOf(hashOf(previous), expected));
        play(wrong);
        previous = initialState();
        previous.tauG1 = g1(2);
        wrong = moveOf(id, move.index, previous, stateOf(id, 2));
        vm.expectRevert(previousOf(keccak256(abi.encode(previous)), expected));
        play(wrong);
    }

    function test_aContributionHasOneTurn() public {
        Move memory move = nextMove(id);
        for (uint8 index = 1; index <= 5; ++index) {
            if (index == move.index) continue;
            Move memory other = moveOf(id, index, move.previous, move.next);
            vm.expectRevert(turn(index, move.index));
            play(other);
        }
        // A proof is of its contributor: nobody takes another's contribution for its own.
        vm.warp(block.timestamp + SLOT);
        uint8 owner = (move.index % 4) + 1;
        vm.expectRevert(turn(move.index, owner));
        play(move);
        move.index = owner;
        vm.expectRevert(ICrsManager.CrsManagerProof.selector);
        play(move);
        move.index = 0;
        vm.expectRevert(phase(id, CeremonyPhase.Contributing));
        play(move);
    }

    function test_aContributionIsOfItsCeremony() public {
        bytes32 twin = id;
        for (
            uint256 salt = 0;
            twin == id || crs.ceremony(twin).cursor != crs.ceremony(id).cursor;
            ++salt
        ) {
            twin = crs.requestCrs(epochId, POWER, SLOT, 0, bytes32(salt));
        }
        Move memory move = nextMove(id);
        move.ceremonyId = twin;
        sign(move, epochId);
        vm.expectRevert(ICrsManager.CrsManagerProof.selector);
        play(move);
    }

    function test_theProofHolds() public {
        Move memory move = nextMove(id);
        for (uint256 i = 0; i < 4; ++i) {
            Move memory wrong = nextMove(id);
            if (i == 0) wrong.proof.challenge = addmod(wrong.proof.challenge, 1, Bn254.R);
            if (i == 1) wrong.proof.tau = addmod(wrong.proof.tau, 1, Bn254.R);
            if (i == 2) wrong.proof.alpha = addmod(wrong.proof.alpha, 1, Bn254.R);
            if (i == 3) wrong.proof.beta = addmod(wrong.proof.beta, 1, Bn254.R);
            vm.expectRevert(ICrsManager.CrsManagerProof.selector);
            play(wrong);
            // The same numbers in another form.
            wrong = nextMove(id);
            if (i == 0) wrong.proof.challenge += Bn254.R;
            if (i == 1) wrong.proof.tau += Bn254.R;
            if (i == 2) wrong.proof.alpha += Bn254.R;
            if (i == 3) wrong.proof.beta += Bn254.R;
            vm.expectRevert(ICrsManager.CrsManagerProof.selector);
            play(wrong);
        }
        play(move);
    }

    function test_theProofIsOfTheWholeState() public {
        Move memory move = nextMove(id);
        move.next.digest = "another file";
        sign(move, epochId);
        vm.expectRevert(ICrsManager.CrsManagerProof.selector);
        play(move);
    }

    function test_pointsAreCanonicalAndOnTheirCurves() public {
        uint256 p = Bn254.P;
        G1Point[4] memory bad = [
            G1Point(0, 0),
            G1Point(1, 3),
            G1Point(1 + p, 2),
            G1Point(1, 2 + p)
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            for (uint256 number = 1; number <= 3; ++number) {
                Move memory move = nextMove(id);
                if (number == 1) move.next.tauG1 = bad[i];
                if (number == 2) move.next.alphaG1 = bad[i];
                if (number == 3) move.next.betaG1 = bad[i];
                vm.expectRevert(point(number));
                play(move);
            }
        }
        for (uint256 i = 0; i < 6; ++i) {
            for (uint256 number = 4; number <= 5; ++number) {
                Move memory move = nextMove(id);
                G2Point memory q = number == 4 ? move.next.tauG2 : move.next.betaG2;
                if (i == 0) q.x[0] += p;
                if (i == 1) q.x[1] += p;
                if (i == 2) q.y[0] += p;
                if (i == 3) q.y[1] += p;
                if (i == 4) q.y[1] = addmod(q.y[1], 1, p);
                if (i == 5) (q.x, q.y) = ([uint256(0), 0], [uint256(0), 0]);
                // The two share their memory where they are equal.
                if (number == 4) move.next.betaG2 = g2(1);
                else (move.next.betaG2, move.next.tauG2) = (q, g2(1));
                vm.expectRevert(point(number));
                play(move);
            }
        }
    }

    function test_noFactorIsOneNorTheirProduct() public {
        contributeNext(id);
        for (uint256 number = 1; number <= 3; ++number) {
            Move memory move = nextMove(id);
            if (number == 1) move.next.tauG1 = move.previous.tauG1;
            if (number == 2) move.next.alphaG1 = move.previous.alphaG1;
            if (number == 3) move.next.betaG1 = move.previous.betaG1;
            vm.expectRevert(unchanged(number));
            play(move);
            move = nextMove(id);
            if (number == 1) move.next.tauG1 = G1Point(1, 2);
            if (number == 2) move.next.alphaG1 = G1Point(1, 2);
            if (number == 3) move.next.betaG1 = G1Point(1, 2);
            vm.expectRevert(unchanged(number));
            play(move);
        }
    }

    function test_pointsOfBothGroupsFitTogether() public {
        Move memory move = nextMove(id);
        PowersState memory next = stateOf(id, 1);
        next.tauG2 = g2(2);
        Move memory wrong = moveOf(id, move.index, move.previous, next);
        vm.expectRevert(ICrsManager.CrsManagerPairing.selector);
        play(wrong);
        next.tauG2 = g2(1);
        next.betaG2 = g2(2);
        wrong = moveOf(id, move.index, move.previous, next);
        vm.expectRevert(ICrsManager.CrsManagerPairing.selector);
        play(wrong);
        play(move);
    }

    function test_thePowerIsTheCeremonys() public {
        Move memory move = nextMove(id);
        move.next.power = POWER + 1;
        move = moveOf(id, move.index, move.previous, move.next);
        vm.expectRevert(
            abi.encodeWithSelector(ICrsManager.CrsManagerPower.selector, POWER + 1, POWER, POWER)
        );
        play(move);
        // The initial state of another power is not this ceremony's.
        move = nextMove(id);
        move.previous.power = POWER + 1;
        vm.expectPartialRevert(ICrsManager.CrsManagerPrevious.selector);
        play(move);
    }

    function test_aQuorumHasSigned() public {
        Move memory move = nextMove(id);
        move.bitmap = 3;
        sign(move, epochId);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerQuorumSize.selector, 2, 3)
        );
        play(move);
        move.bitmap = 15;
        sign(move, epochId);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerQuorumSize.selector, 4, 3)
        );
        play(move);
        move.bitmap = 19;
        sign(move, epochId);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerBitmapRange.selector, 19, 4)
        );
        play(move);
        move.bitmap = 7;
        sign(move, "another epoch");
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        play(move);
        // One of them signed something else.
        sign(move, epochId);
        bytes memory right = move.signatures;
        move.signatures[70] ^= 0x01;
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        play(move);
        move.signatures[70] ^= 0x01;
        move.signatures = bytes.concat(right, hex"00");
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerSignaturesLength.selector, 196, 195)
        );
        play(move);
        move.bitmap = 14;
        sign(move, epochId);
        play(move);
    }

    function test_aRetiredEpochsSignaturesAreStillTaken() public {
        Move memory move = nextMove(id);
        retire(epochId);
        play(move);
    }

    function test_nothingIsTakenAfterTheDeadline() public {
        Move memory move = nextMove(id);
        vm.warp(crs.ceremony(id).deadline + 1);
        vm.expectRevert(phase(id, CeremonyPhase.Expired));
        play(move);
        vm.expectRevert(phase(id, CeremonyPhase.Expired));
        crs.finish(id, 7, "");
        (uint8 index, uint64 until) = crs.slotOf(id);
        vm.assertEq(index + until, 0, "slot");
    }

    /// @dev It would have another result, and who has signed the first one would be guilty.
    function test_anExpiredCeremonyIsNotMadeAgain() public {
        completeCeremony(id);
        closeCeremony(id);
        vm.warp(crs.ceremony(id).deadline + 1);
        vm.expectRevert(exists(id));
        crs.requestCrs(epochId, POWER, SLOT, 0, "salt");
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = id;
        crs.expire(ids);
        vm.expectRevert(exists(id));
        crs.requestCrs(epochId, POWER, SLOT, 0, "salt");
        assertPhase(id, CeremonyPhase.Expired);
        vm.assertEq(crs.contributions(id).length, 2, "the chain stays to be seen");
    }

    // Results

    function test_theResultIsTheLastState() public {
        completeCeremony(id);
        closeCeremony(id);
        assertPhase(id, CeremonyPhase.Final);
        bytes32 last = hashOf(stateOf(id, 2));
        bytes32 typed = crs.hashResult(epochId, id, keccak256(abi.encode(last)));
        bytes memory signed = signatures(typed, 11);
        vm.expectEmit(address(crs));
        emit ICrsManager.CrsRecorded(id, last, 11);
        vm.prank(stranger);
        crs.finish(id, 11, signed);
        assertPhase(id, CeremonyPhase.Recorded);
        vm.assertTrue(crs.isUsable(id), "usable");
        vm.assertTrue(crs.isResult(id, abi.encode(last)), "result");
        Request memory request = crs.request(id);
        vm.assertTrue(request.state == RequestState.Answered, "answered");
        vm.assertEq(request.signers, 11, "signers");
        vm.assertEq(request.account, stranger, "submitter");
        vm.expectRevert(phase(id, CeremonyPhase.Recorded));
        crs.finish(id, 11, signed);
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = id;
        vm.prank(signerOf(3));
        crs.attest(ids);
        vm.assertEq(crs.request(id).signers, 15, "attested");
    }

    function test_theResultIsNotAnEarlierState() public {
        completeCeremony(id);
        closeCeremony(id);
        bytes32 typed = crs.hashResult(epochId, id, keccak256(abi.encode(hashOf(stateOf(id, 1)))));
        bytes memory signed = signatures(typed, 7);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        crs.finish(id, 7, signed);
    }

    function test_theChallengeWindowComesFirst() public {
        contributeNext(id);
        vm.expectRevert(phase(id, CeremonyPhase.Contributing));
        crs.finish(id, 7, "");
        contributeNext(id);
        vm.expectRevert(phase(id, CeremonyPhase.Contributing));
        crs.finish(id, 7, "");
        vm.warp(block.timestamp + 2 * SLOT);
        vm.expectRevert(phase(id, CeremonyPhase.Closing));
        crs.finish(id, 7, "");
        vm.warp(block.timestamp + SLOT - 1);
        vm.expectRevert(phase(id, CeremonyPhase.Closing));
        crs.finish(id, 7, "");
        vm.warp(block.timestamp + 1);
        finishCeremony(id, 7);
    }

    function phase(bytes32 ceremonyId, CeremonyPhase found) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICrsManager.CrsManagerPhase.selector, ceremonyId, found);
    }

    function exists(bytes32 ceremonyId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICrsManager.CrsManagerExists.selector, ceremonyId);
    }

    function turn(uint8 index, uint8 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICrsManager.CrsManagerTurn.selector, index, expected);
    }

    function point(uint256 number) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICrsManager.CrsManagerPoint.selector, number);
    }

    function unchanged(uint256 number) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICrsManager.CrsManagerUnchanged.selector, number);
    }

    function previousOf(bytes32 given, bytes32 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICrsManager.CrsManagerPrevious.selector, given, expected);
    }
}
