// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochManager, ParticipationTerms} from "../../contracts/interfaces/IEpochManager.sol";
import {Participation} from "../../contracts/libraries/Participation.sol";
import {FeeDeployment} from "./FeeDeployment.sol";

/// @notice Who served the latest requests, and what missing them costs.
contract ParticipationTest is FeeDeployment {
    uint16 private number;
    uint32 private nextSalt = 100;

    /// @dev A window of ten, of which three may be missed.
    function setUp() public override {
        super.setUp();
        number = epochs.epoch(epochId).number;
        setTerms(10, 3);
    }

    // Terms

    function test_termsHaveBounds() public {
        ParticipationTerms[4] memory wrong = [
            ParticipationTerms({window: 9, maxMissed: 3, benchSeconds: 1}),
            ParticipationTerms({window: 10_001, maxMissed: 3, benchSeconds: 1}),
            ParticipationTerms({window: 10, maxMissed: 10, benchSeconds: 1}),
            ParticipationTerms({window: 10, maxMissed: 3, benchSeconds: 30 days + 1})
        ];
        bytes4 range = IEpochManager.EpochManagerParticipationRange.selector;
        for (uint256 i = 0; i < 4; ++i) {
            ParticipationTerms memory terms = wrong[i];
            vm.expectRevert(
                abi.encodeWithSelector(range, terms.window, terms.maxMissed, terms.benchSeconds)
            );
            epochs.setParticipationTerms(terms);
        }
        vm.expectEmit(address(epochs));
        emit IEpochManager.ParticipationTermsSet(10_000, 9999, 30 days);
        epochs.setParticipationTerms(
            ParticipationTerms({window: 10_000, maxMissed: 9999, benchSeconds: 30 days})
        );
        ParticipationTerms memory stored = epochs.participationTerms();
        vm.assertEq(stored.window, 10_000, "window");
        vm.assertEq(stored.maxMissed, 9999, "missed");
        vm.assertEq(stored.benchSeconds, 30 days, "bench");
    }

    function test_termsAreGovernedAndOnlyTheVaultRecords() public {
        ParticipationTerms memory terms = epochs.participationTerms();
        address[4] memory callers = [governor, stranger, address(gateway), signerOf(1)];
        uint16[] memory signers = new uint16[](1);
        for (uint256 i = 0; i < 4; ++i) {
            vm.startPrank(callers[i]);
            vm.expectRevert(unauthorized(callers[i]));
            epochs.setParticipationTerms(terms);
            vm.expectRevert(unauthorized(callers[i]));
            epochs.recordService(number, signers);
            vm.stopPrank();
        }
        // Not even the admin.
        vm.expectRevert(unauthorized(address(this)));
        epochs.recordService(number, signers);
    }

    // Counting

    function test_signersAndAttestersHaveServed() public {
        bytes32[] memory ids = new bytes32[](3);
        uint256[3] memory bitmaps = [uint256(7), 11, 7];
        for (uint32 i = 0; i < 3; ++i) {
            ids[i] = ask(2, i);
            answer(2, ids[i], bitmaps[i], stranger);
        }
        attest(2, ids[2], 4);
        assertCounted(0, [uint256(0), 0, 0, 0]);
        passDeadline(2, ids[2]);
        gateway.settle(ids);
        assertCounted(3, [uint256(0), 0, 1, 1]);
    }

    /// @dev Every kind of request is counted; whose fee is zero too; expired ones are not.
    function test_eachAnsweredRequestIsCountedOnce() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            bytes32 requestId = ask(kind, 1);
            bytes32 expired = ask(kind, 2);
            answer(kind, requestId, 7, stranger);
            passDeadline(kind, expired);
            contractOf(kind).expire(list(expired));
            contractOf(kind).settle(list(requestId));
            vm.expectRevert(feeSpent(requestId));
            contractOf(kind).settle(list(requestId));
            assertCounted(kind + 1, [uint256(0), 0, 0, kind + 1]);
        }
        // The key of the set-up was free.
        keys.settle(list(keyId));
        assertCounted(KINDS + 1, [uint256(0), 0, 0, KINDS + 1]);
    }

    function test_eachEpochIsCountedByItself() public {
        serve(2, 7);
        bytes32 first = epochId;
        vault.setPrice(1, 0, 0);
        epochId = activeEpoch(7, "other");
        useKey(activeKey(epochId, setId, "other"));
        bytes32 requestId = ask(2, 1000);
        answer(2, requestId, 0x1f, stranger);
        passDeadline(2, requestId);
        gateway.settle(list(requestId));
        (uint256 requests, uint256[] memory missed) = epochs.participation(epochId);
        vm.assertEq(requests, 1, "one");
        vm.assertEq(missed.length, 7, "members");
        vm.assertEq(missed[4] + missed[5] + missed[6], 2, "two missed it");
        epochId = first;
        assertCounted(2, [uint256(0), 0, 0, 2]);
        (requests, missed) = epochs.participation("none");
        vm.assertEq(requests + missed.length, 0, "no epoch");
    }

    // Judgement

    /// @dev Three of ten may be missed, four may not.
    function test_whoMissedTooMuchOfAWindowIsBenched() public {
        serve(3, 7);
        serve(4, 11);
        serve(2, 15);
        assertCounted(9, [uint256(0), 0, 4, 3]);
        expectBenched(settlement(), listOf(ownerOf(3)));
        serve(1, 15);
        assertCounted(0, [uint256(0), 0, 0, 0]);
    }

    function test_severalAreBenchedTogether() public {
        serve(5, 7);
        serve(4, 11);
        address[] memory benched = new address[](2);
        (benched[0], benched[1]) = (ownerOf(3), ownerOf(4));
        expectBenched(settlement(), benched);
        serve(1, 11);
    }

    function test_whoServedEnoughIsNot() public {
        serve(3, 7);
        serve(3, 11);
        serve(3, 13);
        vm.expectCall(address(registry), abi.encodePacked(registry.bench.selector), 0);
        serve(1, 15);
        assertCounted(0, [uint256(0), 0, 0, 0]);
    }

    /// @dev What a window has counted is not carried into the next.
    function test_everyWindowIsJudgedByItself() public {
        serve(7, 15);
        serve(3, 7);
        serve(3, 7);
        assertCounted(3, [uint256(0), 0, 0, 3]);
        vm.expectCall(address(registry), abi.encodePacked(registry.bench.selector), 0);
        serve(7, 15);
        assertCounted(0, [uint256(0), 0, 0, 0]);
    }

    /// @dev One settlement can end several windows, each with its own judgement.
    function test_aBatchSpansWindows() public {
        bytes32[] memory ids = new bytes32[](25);
        for (uint32 i = 0; i < 25; ++i) {
            ids[i] = ask(2, i);
            answer(
                2,
                ids[i],
                i < 10
                    ? 7
                    : i < 20
                        ? 13
                        : 14,
                stranger
            );
        }
        passDeadline(2, ids[24]);
        expectBenched(block.timestamp, listOf(ownerOf(4)));
        expectBenched(block.timestamp, listOf(ownerOf(2)));
        gateway.settle(ids);
        assertCounted(5, [uint256(5), 0, 0, 0]);
    }

    /// @dev A shorter window does not judge what a longer one has counted.
    function test_aShorterWindowBeginsAnew() public {
        setTerms(30, 15);
        serve(14, 7);
        setTerms(10, 3);
        vm.expectCall(address(registry), abi.encodePacked(registry.bench.selector), 0);
        serve(1, 15);
        assertCounted(1, [uint256(0), 0, 0, 0]);
    }

    /// @dev The lanes of the word against a count of each.
    function testFuzz_theWordCounts(uint256 seed, uint8 n) public pure {
        uint256 size = 4 + 3 * (n % 4);
        uint256[14] memory served;
        uint256 word = 0;
        for (uint256 i = 1; i <= 60; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            word = Participation.add(word, seed & 0xffff, size);
            for (uint256 j = 1; j <= size; ++j) served[j] += (seed >> (j - 1)) & 1;
            vm.assertEq(Participation.total(word), i, "requests");
            for (uint256 j = 1; j <= size; ++j) {
                vm.assertEq(Participation.missed(word, j), i - served[j], "missed");
            }
            vm.assertEq(word >> (16 * (size + 1)), 0, "nothing beyond the committee");
        }
    }

    /// @dev A lane holds the longest window.
    function test_theLongestWindowFits() public pure {
        uint256 word = 0;
        for (uint256 i = 0; i < 10_000; ++i) word = Participation.add(word, 0x1001, 13);
        vm.assertEq(Participation.total(word), 10_000, "requests");
        vm.assertEq(Participation.missed(word, 1), 0, "first");
        vm.assertEq(Participation.missed(word, 2), 10_000, "second");
        vm.assertEq(Participation.missed(word, 13), 0, "last");
    }

    /// @dev So many requests, served by these members, answered and settled.
    function serve(uint256 count, uint256 bitmap) private {
        bytes32[] memory ids = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = ask(2, nextSalt++);
            // A quorum is three; who else served attests.
            uint256 quorum = bitmap == 15 ? 7 : bitmap;
            answer(2, ids[i], quorum, stranger);
            if (bitmap == 15) attest(2, ids[i], 4);
        }
        passDeadline(2, ids[count - 1]);
        gateway.settle(ids);
    }

    /// @dev When the next {serve} settles.
    function settlement() private view returns (uint256) {
        return block.timestamp + ATTESTATION_WINDOW + 1;
    }

    function listOf(address operator) private pure returns (address[] memory operators) {
        operators = new address[](1);
        operators[0] = operator;
    }

    function setTerms(uint16 window, uint16 maxMissed) private {
        epochs.setParticipationTerms(
            ParticipationTerms({window: window, maxMissed: maxMissed, benchSeconds: 7 days})
        );
    }

    /// @dev By a settlement at this time.
    function expectBenched(uint256 settledAt, address[] memory benched) private {
        uint64 untilTimestamp = uint64(settledAt) + 7 days;
        vm.expectCall(
            address(registry),
            abi.encodeCall(registry.bench, (benched, untilTimestamp)),
            1
        );
    }

    function assertCounted(uint256 requests, uint256[4] memory missed) private view {
        (uint256 counted, uint256[] memory lacking) = epochs.participation(epochId);
        vm.assertEq(counted, requests, "requests");
        for (uint256 i = 0; i < 4; ++i) vm.assertEq(lacking[i], missed[i], "missed");
    }
}
