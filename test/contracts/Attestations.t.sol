// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {IFeeVault} from "../../contracts/interfaces/IFeeVault.sol";
import {IRequests, Request, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {FeeDeployment} from "./FeeDeployment.sol";

/// @notice Answered requests of every kind: who attests to them, and how their fees are settled.
contract AttestationsTest is FeeDeployment {
    // What is paid

    function test_anAnswerIsSettledAfterItsAttestations() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            bytes32 requestId = ask(kind, 1);
            answer(kind, requestId, 11, stranger);
            Request memory request = contractOf(kind).request(requestId);
            vm.assertTrue(request.state == RequestState.Answered, "state");
            vm.assertEq(request.deadline, block.timestamp + ATTESTATION_WINDOW, "deadline");
            vm.assertEq(request.account, stranger, "submitter");
            vm.assertEq(request.signers, 11, "signers");
            vm.assertEq(request.feeWei, feeOf(kind), "fee");

            uint256[5] memory beforeWei = earnings();
            IRequests target = contractOf(kind);
            vm.warp(request.deadline);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRequests.RequestsAttestationOpen.selector,
                    requestId,
                    request.deadline
                )
            );
            target.settle(list(requestId));
            vm.warp(request.deadline + 1);
            vm.expectEmit(address(target));
            emit IRequests.RequestsSettled(list(requestId));
            vm.expectEmit(address(vault));
            emit IFeeVault.FeesDistributed(epochId, 1, feeOf(kind));
            vm.prank(user);
            target.settle(list(requestId));

            uint256 eachWei = (feeOf(kind) - 200) / 3;
            uint256 submitterWei = feeOf(kind) - 3 * eachWei;
            assertEarned(beforeWei, [eachWei, eachWei, 0, eachWei, submitterWei]);
            vm.assertEq(escrowOf(kind), 0, "escrow");
            request = target.request(requestId);
            vm.assertEq(request.account, address(0), "settled");
            vm.assertTrue(request.state == RequestState.Answered, "and answered for good");
            vm.assertTrue(request.resultHash != 0, "the result stays");
            vm.expectRevert(feeSpent(requestId));
            target.settle(list(requestId));
        }
    }

    function test_whoAttestsIsPaidLikeASigner() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            bytes32 requestId = ask(kind, 1);
            answer(kind, requestId, 7, stranger);
            address signer = signerOf(4);
            IRequests target = contractOf(kind);
            vm.expectEmit(address(target));
            emit IRequests.RequestsAttested(list(requestId), signer);
            vm.prank(signer);
            target.attest(list(requestId));
            vm.assertEq(target.request(requestId).signers, 15, "signers");

            uint256[5] memory beforeWei = earnings();
            passDeadline(kind, requestId);
            target.settle(list(requestId));
            uint256 eachWei = (feeOf(kind) - 200) / 4;
            uint256 submitterWei = feeOf(kind) - 4 * eachWei;
            assertEarned(beforeWei, [eachWei, eachWei, eachWei, eachWei, submitterWei]);
        }
    }

    /// @dev Operator 1 submits. Whoever it leaves out attests, and then it has earned what it would have.
    function test_aSubmitterGainsNothingByLeavingASignatureOut() public {
        uint256[3] memory bitmaps = [uint256(7), 11, 13];
        uint256[3] memory leftOut = [uint256(4), 3, 2];
        uint256[3] memory earnedWei;
        for (uint32 i = 0; i < 3; ++i) {
            uint256 beforeWei = vault.balanceOf(ownerOf(1));
            bytes32 requestId = ask(2, i);
            answer(2, requestId, bitmaps[i], signerOf(1));
            attest(2, requestId, leftOut[i]);
            passDeadline(2, requestId);
            gateway.settle(list(requestId));
            earnedWei[i] = vault.balanceOf(ownerOf(1)) - beforeWei;
            vm.assertEq(earnedWei[i], 400, "its share of 800, and 200 for gas");
        }
        vm.assertEq(vault.balanceOf(signerOf(1)), 0, "nothing for the key that is online");
        for (uint256 i = 2; i <= 4; ++i) {
            vm.assertEq(vault.balanceOf(ownerOf(i)), 600, "and everybody else the same");
        }
    }

    function test_aCommitteeOfSeven() public {
        bytes32 small = ask(2, 1);
        answer(2, small, 7, stranger);
        epochId = activeEpoch(7, "seven");
        useKey(freeKey());
        bytes32 requestId = ask(2, 1);
        answer(2, requestId, 0x5d, stranger);
        attest(2, requestId, 6);
        passDeadline(2, requestId);
        vm.expectRevert(abi.encodeWithSelector(IRequests.RequestsMixedEpochs.selector, requestId));
        gateway.settle(list(small, requestId));
        gateway.settle(list(requestId));
        for (uint256 i = 1; i <= 7; ++i) {
            bool served = i != 2;
            vm.assertEq(vault.balanceOf(ownerOf(i)), served ? 133 : 0, "a sixth of 800");
        }
        vm.assertEq(vault.balanceOf(stranger), 200 + 2, "gas and dust");
    }

    // When and who

    function test_attestationsComeInTheirWindow() public {
        bytes32 requestId = ask(2, 1);
        answer(2, requestId, 7, stranger);
        uint64 deadline = gateway.request(requestId).deadline;
        vm.warp(deadline + 1);
        bytes memory closed = abi.encodeWithSelector(
            IRequests.RequestsAttestationClosed.selector,
            requestId,
            deadline
        );
        address signer = signerOf(4);
        vm.expectRevert(closed);
        vm.prank(signer);
        gateway.attest(list(requestId));
        vm.warp(deadline);
        attest(2, requestId, 4);
        vm.assertEq(gateway.request(requestId).signers, 15, "in time");
        vm.warp(deadline + 1);
        gateway.settle(list(requestId));
        vm.expectRevert(closed);
        vm.prank(signer);
        gateway.attest(list(requestId));
    }

    /// @dev The response window may end while attestations are taken: the answer came in time.
    function test_theWindowBeginsWithTheAnswer() public {
        bytes32 requestId = ask(2, 1);
        vm.warp(gateway.request(requestId).deadline);
        answer(2, requestId, 7, stranger);
        vm.assertEq(
            gateway.request(requestId).deadline,
            block.timestamp + ATTESTATION_WINDOW,
            "deadline"
        );
        vm.warp(block.timestamp + ATTESTATION_WINDOW);
        attest(2, requestId, 4);
    }

    /// @dev A window that is set later is for answers that come later.
    function test_aNewWindowIsForNewAnswers() public {
        bytes32 first = ask(2, 1);
        answer(2, first, 7, stranger);
        uint64 deadline = gateway.request(first).deadline;
        gateway.setWindows(RESPONSE_WINDOW, 1 days);
        vm.assertEq(gateway.request(first).deadline, deadline, "as it was");
        bytes32 second = ask(2, 2);
        answer(2, second, 7, stranger);
        vm.assertEq(gateway.request(second).deadline, block.timestamp + 1 days, "new");
    }

    function test_repeatingChangesNothing() public {
        bytes32 requestId = ask(2, 1);
        answer(2, requestId, 7, stranger);
        // One that signed, one that has attested, and a batch that names a request twice.
        attest(2, requestId, 1);
        vm.assertEq(gateway.request(requestId).signers, 7, "signed already");
        attest(2, requestId, 4);
        attest(2, requestId, 4);
        address signer = signerOf(4);
        vm.prank(signer);
        gateway.attest(list(requestId, requestId));
        vm.assertEq(gateway.request(requestId).signers, 15, "once");
        passDeadline(2, requestId);
        gateway.settle(list(requestId));
        vm.assertEq(vault.balanceOf(ownerOf(4)), 200, "once");
    }

    function test_onlyMembersAttest() public {
        // Operator 5 is a member of another epoch only.
        bytes32 other = activeEpoch(7, "other");
        bytes32 requestId = ask(2, 1);
        answer(2, requestId, 7, stranger);
        address[4] memory callers = [stranger, ownerOf(4), signerOf(5), governor];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IEpochManager.EpochManagerNotMember.selector,
                    epochId,
                    callers[i]
                )
            );
            vm.prank(callers[i]);
            gateway.attest(list(requestId));
        }
        vm.assertTrue(other != epochId, "two epochs");
        vm.assertEq(gateway.request(requestId).signers, 7, "signers");
    }

    /// @dev A member of two epochs has another index in each: a batch is of one.
    function test_aBatchIsOfOneEpoch() public {
        bytes32 first = ask(2, 1);
        answer(2, first, 7, stranger);
        epochId = activeEpoch(7, "other");
        useKey(freeKey());
        bytes32 second = ask(2, 2);
        answer(2, second, 31, stranger);
        address signer = signerOf(4);
        bytes4 mixed = IRequests.RequestsMixedEpochs.selector;
        vm.startPrank(signer);
        vm.expectRevert(abi.encodeWithSelector(mixed, second));
        gateway.attest(list(first, second));
        vm.expectRevert(abi.encodeWithSelector(mixed, first));
        gateway.attest(list(second, first));
        vm.stopPrank();
        vm.assertEq(gateway.request(first).signers, 7, "nothing of the batch");
        passDeadline(2, second);
        vm.expectRevert(abi.encodeWithSelector(mixed, second));
        gateway.settle(list(first, second));
        gateway.settle(list(first));
        gateway.settle(list(second));
        vm.assertEq(escrowOf(2), 0, "settled");
    }

    function test_onlyAnswersAreAttestedAndSettled() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            IRequests target = contractOf(kind);
            address signer = signerOf(4);
            bytes32 requestId = ask(kind, 1);
            bytes memory pending = requestState(requestId, RequestState.Pending);
            vm.expectRevert(pending);
            vm.prank(signer);
            target.attest(list(requestId));
            vm.expectRevert(pending);
            target.settle(list(requestId));
            passDeadline(kind, requestId);
            bytes memory expired = requestState(requestId, RequestState.Expired);
            vm.expectRevert(expired);
            vm.prank(signer);
            target.attest(list(requestId));
            vm.expectRevert(expired);
            target.settle(list(requestId));

            // What was never asked has no epoch, hence no members.
            vm.expectRevert(
                abi.encodeWithSelector(
                    IEpochManager.EpochManagerNotMember.selector,
                    bytes32(0),
                    signer
                )
            );
            vm.prank(signer);
            target.attest(list("none"));
            vm.expectRevert(requestState("none", RequestState.None));
            target.settle(list("none"));
        }
    }

    /// @dev The answer of one contract is not one of another.
    function test_contractsKeepTheirRequestsApart() public {
        bytes32 requestId = ask(2, 1);
        answer(2, requestId, 7, stranger);
        passDeadline(2, requestId);
        vm.expectRevert(requestState(requestId, RequestState.None));
        keys.settle(list(requestId));
        vm.expectRevert(requestState(requestId, RequestState.None));
        evaluationKeys.expire(list(requestId));
    }

    // Batches

    function test_batchesOfOneTo128() public {
        bytes32[] memory ids = new bytes32[](128);
        for (uint32 i = 0; i < 128; ++i) {
            ids[i] = ask(2, i);
            answer(2, ids[i], 7, stranger);
        }
        address signer = signerOf(4);
        vm.startPrank(signer);
        vm.expectRevert(requestCount(0));
        gateway.attest(new bytes32[](0));
        vm.expectRevert(requestCount(129));
        gateway.attest(new bytes32[](129));
        gateway.attest(ids);
        vm.stopPrank();
        passDeadline(2, ids[127]);
        vm.expectRevert(requestCount(0));
        gateway.settle(new bytes32[](0));
        vm.expectRevert(requestCount(129));
        gateway.settle(new bytes32[](129));
        vm.expectEmit(address(vault));
        emit IFeeVault.FeesDistributed(epochId, 128, 128_000);
        gateway.settle(ids);
        for (uint256 i = 1; i <= 4; ++i) {
            vm.assertEq(vault.balanceOf(ownerOf(i)), 128 * 200, "paid");
        }
        vm.assertEq(vault.balanceOf(stranger), 128 * 200, "reimbursed");
        vm.assertEq(escrowOf(2), 0, "escrow");
    }

    function test_nothingInABatchIsPaidTwice() public {
        bytes32 first = ask(2, 1);
        bytes32 second = ask(2, 2);
        answer(2, first, 7, stranger);
        answer(2, second, 7, stranger);
        passDeadline(2, second);
        vm.expectEmit(address(gateway));
        emit IRequests.RequestsSettled(list(first));
        vm.expectEmit(address(vault));
        emit IFeeVault.FeesDistributed(epochId, 1, 1000);
        gateway.settle(list(first, first));
        vm.assertEq(escrowOf(2), 1000, "the second one's");
        vm.assertEq(vault.balanceOf(ownerOf(1)), 266, "once");
        assertCounted(1);
        vm.expectRevert(feeSpent(first));
        gateway.settle(list(first, first));

        // Somebody was faster with one of them: the other one is settled all the same.
        vm.expectEmit(address(gateway));
        emit IRequests.RequestsSettled(list(second));
        gateway.settle(list(first, second));
        vm.assertEq(escrowOf(2), 0, "nothing");
        vm.assertEq(vault.balanceOf(ownerOf(1)), 2 * 266, "once each");
        assertCounted(2);
    }

    /// @dev The answered requests of the window: what is left out of a batch counts for and against nobody.
    function assertCounted(uint256 expected) private view {
        (uint256 requests, ) = epochs.participation(epochId);
        vm.assertEq(requests, expected, "counted");
    }

    /// @dev Every answer takes a valid quorum; another's answer is refused although it is signed.
    function test_aSecondAnswerChangesNothing() public {
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            bytes32 requestId = ask(kind, 1);
            answer(kind, requestId, 7, stranger);
            uint64 deadline = contractOf(kind).request(requestId).deadline;
            vm.warp(block.timestamp + 1);
            vm.assertTrue(!tryAnswer(kind, requestId), "answered");
            Request memory request = contractOf(kind).request(requestId);
            vm.assertEq(request.account, stranger, "submitter");
            vm.assertEq(request.signers, 7, "signers");
            vm.assertEq(request.deadline, deadline, "deadline");
        }
    }

    function tryAnswer(uint256 kind, bytes32 requestId) private returns (bool) {
        try this.answerAs(kind, requestId, 14, user) {
            return true;
        } catch {
            return false;
        }
    }

    function answerAs(uint256 kind, bytes32 id, uint256 bitmap, address submitter) external {
        answer(kind, id, bitmap, submitter);
    }

    /// @dev A free key, so that what follows is counted from nothing.
    function freeKey() private returns (bytes32 id) {
        vault.setPrice(Operations.KEY_GENERATION, 0, 0);
        id = activeKey(epochId, setId, "free");
        setPrices();
    }

    /// @dev Of the four operators, and of the submitter.
    function earnings() private view returns (uint256[5] memory amountsWei) {
        for (uint256 i = 0; i < 4; ++i) amountsWei[i] = vault.balanceOf(ownerOf(i + 1));
        amountsWei[4] = vault.balanceOf(stranger);
    }

    function assertEarned(uint256[5] memory beforeWei, uint256[5] memory expectedWei) private view {
        uint256[5] memory nowWei = earnings();
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(nowWei[i] - beforeWei[i], expectedWei[i], "earned");
        }
    }
}
