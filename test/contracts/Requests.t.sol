// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFeeVault} from "../../contracts/interfaces/IFeeVault.sol";
import {IKeyManager, KeyState} from "../../contracts/interfaces/IKeyManager.sol";
import {IRequests, Request, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {FeeDeployment} from "./FeeDeployment.sol";

/// @notice Requests of every kind and their fees: made, expired, made again. Answered ones are in
/// Attestations.t.sol.
contract RequestsTest is FeeDeployment {
    // Fees

    function test_aRequestTakesItsFee() public {
        uint256[KINDS] memory escrows = [uint256(6000), 2500, 1000, 2300, 3500];
        uint8[KINDS] memory operations = [
            Operations.KEY_GENERATION,
            Operations.GALOIS_KEYS,
            Operations.PUBLIC_DECRYPTION,
            Operations.USER_DECRYPTION,
            Operations.CRS
        ];
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            uint256 beforeWei = vault.balanceOf(payerOf(kind));
            bytes32 requestId = ask(kind, 1);
            vm.assertEq(beforeWei - vault.balanceOf(payerOf(kind)), feeOf(kind), "paid");
            // The gateway holds the fees of both its kinds.
            vm.assertEq(escrowOf(kind), escrows[kind], "escrow");

            Request memory request = contractOf(kind).request(requestId);
            vm.assertTrue(request.state == RequestState.Pending, "state");
            vm.assertEq(request.operation, operations[kind], "operation");
            vm.assertEq(request.deadline, block.timestamp + RESPONSE_WINDOW, "deadline");
            vm.assertEq(request.epochId, epochId, "epoch");
            vm.assertEq(request.resultHash, bytes32(0), "result hash");
            vm.assertEq(request.feeWei, feeOf(kind), "fee");
            vm.assertEq(request.account, payerOf(kind), "payer");
            vm.assertEq(request.signers, 0, "signers");
        }
        Request memory none = gateway.request("none");
        vm.assertTrue(none.state == RequestState.None, "no request");
        vm.assertEq(none.epochId, bytes32(0), "no epoch");
    }

    /// @dev What a request costs follows from how much of a result is asked for.
    function test_feesFollowTheSize() public {
        handles.push(registerCiphertext(keyId, 2));
        uint32[] memory positions = new uint32[](0);
        // Two handles of 1024 coefficients.
        uint256 beforeWei = vault.balanceOf(user);
        vm.prank(user);
        gateway.requestPublicDecryption(handles, positions, 0);
        vm.assertEq(beforeWei - vault.balanceOf(user), 11 * FEE_QUANTUM, "all coefficients");
        vm.assertEq(vault.quote(Operations.PUBLIC_DECRYPTION, 2048), 11 * FEE_QUANTUM, "two kilos");

        uint32[] memory elements = new uint32[](3);
        for (uint32 i = 0; i < 3; ++i) elements[i] = 3 + 2 * i;
        beforeWei = vault.balanceOf(requester);
        vm.startPrank(requester);
        evaluationKeys.requestGaloisKeys(keyId, elements);
        vm.assertEq(beforeWei - vault.balanceOf(requester), 35 * FEE_QUANTUM, "three elements");
        beforeWei = vault.balanceOf(requester);
        evaluationKeys.requestRelinearizationKey(keyId);
        vm.stopPrank();
        vm.assertEq(beforeWei - vault.balanceOf(requester), 40 * FEE_QUANTUM, "one key");
    }

    function testFuzz_sizesOfDecryptions(
        uint8 handleCount,
        uint8 positions,
        bool packed
    ) public pure {
        uint256 count = handleCount;
        uint256 all = positions == 0 ? 8192 : positions;
        uint256 size = Operations.publicDecryption(count, positions, 8192);
        vm.assertEq(size, count * all, "public");
        size = Operations.userDecryption(count, packed, 8192);
        vm.assertEq(size, packed ? 8192 + count : count * 16384, "user");
    }

    /// @dev Nothing of a request that cannot be paid remains: no record, no unit, no source of a key.
    function test_withoutADepositNothingChanges() public {
        bytes32 target = activeTarget();
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            address payer = payerOf(kind);
            withdrawAll(payer);
            expectUnpaid(payer, 0, feeOf(kind));
            ask(kind, 1);
            deposit(payer, feeOf(kind) - 1);
            expectUnpaid(payer, feeOf(kind) - 1, feeOf(kind));
            ask(kind, 1);
            vm.assertEq(escrowOf(kind), 0, "escrow");
        }
        vm.assertEq(gateway.meter(keyId).commonSpent, 0, "no unit is spent");
        vm.assertFalse(gateway.isUnitSpent(handles[0], 0), "not this one");

        withdrawAll(requester);
        expectUnpaid(requester, 0, 4000);
        vm.prank(requester);
        evaluationKeys.requestSwitchingKey(keyId, target);
        vm.assertEq(evaluationKeys.sourcesOf(target).length, 0, "no source");
        vm.assertFalse(keys.requireUsable(target).isTarget, "no target");

        // The same requests are new once they can be paid.
        deposit(requester, DEPOSIT);
        deposit(user, DEPOSIT);
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            assertState(kind, ask(kind, 1), RequestState.Pending);
        }
        vm.assertEq(gateway.meter(keyId).commonSpent, 2, "a unit for each recipient");
    }

    /// @dev What was agreed when it was asked holds: the fee, not the price.
    function test_aNewPriceIsForNewRequests() public {
        bytes32 requestId = ask(2, 1);
        vault.setPrice(Operations.PUBLIC_DECRYPTION, 1000, 1000);
        vm.assertEq(gateway.request(requestId).feeWei, 1000, "fee");
        passDeadline(2, requestId);
        gateway.expire(list(requestId));
        vm.assertEq(vault.balanceOf(user), DEPOSIT - 100, "a tenth of what was paid");
        bytes32 next = ask(2, 2);
        vm.assertEq(gateway.request(next).feeWei, 200_000, "new fee");
    }

    // Expiry

    function test_anExpiredRequestIsRefundedOnce() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            address payer = payerOf(kind);
            uint256 beforeWei = vault.balanceOf(payer);
            uint256 treasuryWei = vault.balanceOf(treasury);
            bytes32 requestId = ask(kind, 1);
            vm.warp(contractOf(kind).request(requestId).deadline);
            IRequests target = contractOf(kind);
            vm.expectRevert(requestState(requestId, RequestState.Pending));
            target.expire(list(requestId));

            passDeadline(kind, requestId);
            vm.expectEmit(address(target));
            emit IRequests.RequestExpired(requestId, payer);
            vm.expectEmit(address(vault));
            emit IFeeVault.FeeRefunded(payer, refundOf(kind), feeOf(kind) - refundOf(kind));
            vm.prank(stranger);
            target.expire(list(requestId));
            uint256 keptWei = feeOf(kind) - refundOf(kind);
            vm.assertEq(vault.balanceOf(payer), beforeWei - keptWei, "refunded");
            vm.assertEq(vault.balanceOf(treasury) - treasuryWei, keptWei, "retained");
            vm.assertEq(escrowOf(kind), 0, "escrow");
            assertState(kind, requestId, RequestState.Expired);
            vm.assertEq(target.request(requestId).account, address(0), "nobody's any more");

            vm.expectRevert(feeSpent(requestId));
            target.expire(list(requestId));
        }
    }

    function test_onlyWhatHasExpiredIsRefunded() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            IRequests target = contractOf(kind);
            vm.expectRevert(requestState("none", RequestState.None));
            target.expire(list("none"));

            bytes32 requestId = ask(kind, 1);
            answer(kind, requestId, 7, stranger);
            vm.expectRevert(requestState(requestId, RequestState.Answered));
            target.expire(list(requestId));
            passDeadline(kind, requestId);
            vm.expectRevert(requestState(requestId, RequestState.Answered));
            target.expire(list(requestId));
            target.settle(list(requestId));
            vm.expectRevert(requestState(requestId, RequestState.Answered));
            target.expire(list(requestId));
        }
    }

    function test_manyExpireTogether() public {
        bytes32[] memory ids = new bytes32[](128);
        for (uint32 i = 0; i < 128; ++i) ids[i] = ask(2, i);
        uint256 beforeWei = vault.balanceOf(user);
        passDeadline(2, ids[0]);
        bytes32 pending = ask(2, 128);
        vm.expectRevert(requestCount(0));
        gateway.expire(new bytes32[](0));
        vm.expectRevert(requestCount(129));
        gateway.expire(new bytes32[](129));
        vm.assertEq(vault.balanceOf(user), beforeWei - 1000, "nothing yet");
        gateway.expire(ids);
        vm.assertEq(vault.balanceOf(user), beforeWei - 1000 + 128 * 900, "all of them");
        vm.assertEq(escrowOf(2), 1000, "the pending one");
    }

    /// @dev Others refund one of a batch first, or make it again: the rest is refunded, and nothing twice.
    function test_aBatchExpiresAlthoughOthersWereFaster() public {
        bytes32[] memory ids = new bytes32[](5);
        for (uint32 i = 0; i < 4; ++i) ids[i] = ask(2, i);
        ids[4] = ids[3];
        passDeadline(2, ids[3]);
        gateway.expire(list(ids[0]));
        ask(2, 1);
        bytes32 answered = ask(2, 2);
        answer(2, answered, 7, stranger);
        uint256 beforeWei = vault.balanceOf(user);
        vm.expectEmit(address(gateway));
        emit IRequests.RequestExpired(ids[3], user);
        gateway.expire(ids);
        vm.assertEq(vault.balanceOf(user), beforeWei + 900, "the last one, once");
        vm.assertEq(escrowOf(2), 2000, "what was made again");

        // Nothing is left to do.
        vm.expectRevert(feeSpent(ids[0]));
        gateway.expire(list(ids[0], ids[3]));
        vm.expectRevert(requestState(ids[1], RequestState.Pending));
        gateway.expire(list(ids[1], ids[0]));
        vm.expectRevert(requestState(answered, RequestState.Answered));
        gateway.expire(list(answered, ids[0]));
        vm.expectRevert(requestState("none", RequestState.None));
        gateway.expire(list(ids[0], "none"));
    }

    function test_aFreeRequestExpiresToo() public {
        vault.setPrice(Operations.PUBLIC_DECRYPTION, 0, 0);
        bytes32 requestId = ask(2, 1);
        passDeadline(2, requestId);
        gateway.expire(list(requestId));
        vm.expectRevert(feeSpent(requestId));
        gateway.expire(list(requestId));
        vm.assertEq(vault.balanceOf(user), DEPOSIT, "nothing moved");
    }

    // Once more

    /// @dev With expire() in between or without it: one refund for each life that ended, one fee for each.
    /// Ceremonies, the last kind, have one life.
    function test_anExpiredRequestIsMadeAgainAndPaidAgain() public {
        for (uint256 i = 0; i < 2 * (KINDS - 1); ++i) {
            uint256 kind = i / 2;
            address payer = payerOf(kind);
            uint256 beforeWei = vault.balanceOf(payer);
            bytes32 requestId = ask(kind, uint32(i));
            passDeadline(kind, requestId);
            if (i % 2 == 0) contractOf(kind).expire(list(requestId));
            vm.assertEq(ask(kind, uint32(i)), requestId, "same id");

            assertState(kind, requestId, RequestState.Pending);
            uint256 paidWei = 2 * feeOf(kind) - refundOf(kind);
            vm.assertEq(vault.balanceOf(payer), beforeWei - paidWei, "one refund, two fees");
            vm.assertEq(escrowOf(kind), feeOf(kind), "one in escrow");
            Request memory request = contractOf(kind).request(requestId);
            vm.assertEq(request.account, payer, "payer");
            vm.assertEq(request.deadline, block.timestamp + RESPONSE_WINDOW, "deadline");
            IRequests target = contractOf(kind);
            vm.expectRevert(requestState(requestId, RequestState.Pending));
            target.expire(list(requestId));

            // The second life ends like a first one.
            answer(kind, requestId, 7, stranger);
            passDeadline(kind, requestId);
            target.settle(list(requestId));
            vm.assertEq(escrowOf(kind), 0, "settled");
            vm.assertEq(vault.balanceOf(payer), beforeWei - paidWei, "no other refund");
        }
    }

    function test_aRequestExpiresAsOftenAsItIsMade() public {
        for (uint256 i = 1; i <= 3; ++i) {
            bytes32 requestId = ask(3, 1);
            passDeadline(3, requestId);
            gateway.expire(list(requestId));
            vm.assertEq(vault.balanceOf(user), DEPOSIT - i * 130, "a tenth each time");
        }
        vm.assertEq(gateway.meter(keyId).commonSpent, 1, "one unit");
    }

    /// @dev The refund counts before the new fee is taken.
    function test_theRefundPaysForTheNextRequest() public {
        withdrawAll(user);
        deposit(user, 1000);
        bytes32 requestId = ask(2, 1);
        passDeadline(2, requestId);
        expectUnpaid(user, 900, 1000);
        ask(2, 1);
        deposit(user, 100);
        ask(2, 1);
        vm.assertEq(vault.balanceOf(user), 0, "all of it");
        assertState(2, requestId, RequestState.Pending);
    }

    /// @dev Evaluation keys have one request whoever asks. Who asks again pays; the first gets its own back.
    function test_anotherAccountMakesTheRequestAgain() public {
        address other = address(0x73);
        authority.grantRole(KEY_REQUESTER, other, 0);
        deposit(other, 2500);
        bytes32 requestId = ask(1, 1);
        vm.expectPartialRevert(IRequests.RequestsExists.selector);
        askAs(other, 1, 1);
        passDeadline(1, requestId);
        vm.expectRevert(unauthorized(stranger));
        askAs(stranger, 1, 1);
        vm.assertEq(askAs(other, 1, 1), requestId, "same id");
        vm.assertEq(vault.balanceOf(requester), DEPOSIT - 250, "refunded");
        vm.assertEq(vault.balanceOf(other), 0, "paid");
        vm.assertEq(evaluationKeys.request(requestId).account, other, "payer");
        passDeadline(1, requestId);
        evaluationKeys.expire(list(requestId));
        vm.assertEq(vault.balanceOf(requester), DEPOSIT - 250, "once");
        vm.assertEq(vault.balanceOf(other), 2250, "the second payer's");
    }

    /// @dev Ids of keys, decryptions and ceremonies contain the caller: nobody takes another's.
    function test_nobodyMakesTheRequestOfAnother() public {
        authority.grantRole(KEY_REQUESTER, user, 0);
        bytes32 requestId = ask(0, 1);
        vm.assertTrue(askAs(user, 0, 1) != requestId, "another key");
        vm.prank(user);
        ciphertexts.allow(handles[0], requester);
        for (uint256 kind = 2; kind < KINDS; ++kind) {
            requestId = ask(kind, 1);
            vm.assertTrue(askAs(requester, kind, 1) != requestId, "another request");
            vm.assertEq(contractOf(kind).request(requestId).account, user, "still the user's");
        }
    }

    // Retired keys and epochs, pauses

    function test_aRetiredPendingKeyIsRefundedAfterItsDeadline() public {
        bytes32 requestId = ask(0, 1);
        vm.prank(governor);
        keys.retireKey(requestId);
        bytes memory retired = abi.encodeWithSelector(
            IKeyManager.KeyManagerKeyState.selector,
            requestId,
            KeyState.Retired
        );
        vm.expectRevert(retired);
        keys.recordPublicKey(requestId, "digest", 7, "");
        vm.expectRevert(requestState(requestId, RequestState.Pending));
        keys.expire(list(requestId));
        passDeadline(0, requestId);
        vm.expectRevert(retired);
        ask(0, 1);
        keys.expire(list(requestId));
        vm.assertEq(vault.balanceOf(requester), DEPOSIT - 600, "refunded");
    }

    function test_aRequestUnderARetiredKeyIsRefundedToo() public {
        bytes32 requestId = ask(1, 1);
        vm.prank(governor);
        keys.retireKey(keyId);
        passDeadline(1, requestId);
        evaluationKeys.expire(list(requestId));
        vm.assertEq(vault.balanceOf(requester), DEPOSIT - 250, "refunded");
    }

    /// @dev Its committee stopped. What it answered before is paid, the rest is refunded.
    function test_requestsOfARetiredEpochEnd() public {
        bytes32 answered = ask(2, 1);
        bytes32 pending = ask(2, 2);
        answer(2, answered, 7, stranger);
        retire(epochId);
        attest(2, answered, 4);
        passDeadline(2, pending);
        gateway.expire(list(pending));
        gateway.settle(list(answered));
        vm.assertEq(vault.balanceOf(ownerOf(4)), 200, "paid");
        vm.assertEq(vault.balanceOf(user), DEPOSIT - 1000 - 100, "refunded");
    }

    function test_aPauseStopsRequestsAndNothingElse() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            bytes32 expired = ask(kind, 2);
            passDeadline(kind, expired);
            bytes32 pending = ask(kind, 1);
            vm.prank(governor);
            contractOf(kind).pauseRequests();
            vm.expectRevert(IRequests.RequestsPaused.selector);
            ask(kind, 3);
            vm.expectRevert(IRequests.RequestsPaused.selector);
            ask(kind, 2);
            contractOf(kind).expire(list(expired));
            answer(kind, pending, 7, stranger);
            attest(kind, pending, 4);
            passDeadline(kind, pending);
            contractOf(kind).settle(list(pending));
            vm.assertEq(escrowOf(kind), 0, "nothing is kept");
            vm.prank(governor);
            contractOf(kind).unpauseRequests();
        }
    }

    // Storage

    /// @dev A request takes one new slot, an answer one more. Without fees, meters and keys, which are
    /// counted elsewhere: here the ciphertext was asked for before.
    function test_aRequestTakesOneSlotAndAnAnswerOneMore() public {
        ask(2, 1);
        vm.record();
        bytes32 requestId = ask(2, 2);
        vm.assertEq(slotsWritten(), 1, "a request");
        vm.record();
        answer(2, requestId, 7, stranger);
        vm.assertEq(slotsWritten(), 2, "an answer: that slot and one more");
        vm.record();
        attest(2, requestId, 4);
        vm.assertEq(slotsWritten(), 1, "an attestation");
        passDeadline(2, requestId);
        vm.record();
        gateway.settle(list(requestId));
        vm.assertEq(slotsWritten(), 1, "a settlement");
    }

    /// @dev Different slots of the gateway written since vm.record.
    function slotsWritten() private returns (uint256 count) {
        (, bytes32[] memory writes) = vm.accesses(address(gateway));
        for (uint256 i = 0; i < writes.length; ++i) {
            bool known = false;
            for (uint256 j = 0; j < i; ++j) known = known || writes[j] == writes[i];
            if (!known) ++count;
        }
    }

    function activeTarget() private returns (bytes32 target) {
        vault.setPrice(Operations.KEY_GENERATION, 0, 0);
        target = activeKey(epochId, setId, "target");
        setPrices();
        passDeadline(0, target);
        keys.settle(list(target));
        vm.prank(requester);
        evaluationKeys.allowSwitching(keyId, target);
    }

    function expectUnpaid(address payer, uint256 balanceWei, uint256 neededWei) private {
        bytes4 selector = IFeeVault.FeeVaultBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, payer, balanceWei, neededWei));
    }
}
