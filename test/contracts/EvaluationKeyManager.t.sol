// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {
    EvaluationKeyKind,
    EvaluationKeys,
    IEvaluationKeyManager
} from "../../contracts/interfaces/IEvaluationKeyManager.sol";
import {IKeyManager, KeyState} from "../../contracts/interfaces/IKeyManager.sol";
import {IRequests, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {Deployment} from "./Deployment.sol";

contract EvaluationKeyManagerTest is Deployment {
    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private keyId;
    uint32[] private elements;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        setId = addTestSet();
        keyId = activeKey(epochId, setId, 0);
    }

    // Requests

    function test_requestsAreRecordedUnderTheirContent() public {
        bytes32 expected = idOf(EvaluationKeyKind.Relinearization);
        expectRequested(expected, EvaluationKeyKind.Relinearization);
        bytes32 requestId = requestRelinearization();
        vm.assertEq(requestId, expected, "relinearization id");
        uint8 operation = evaluationKeys.request(requestId).operation;
        vm.assertEq(operation, Operations.RELINEARIZATION_KEY, "relinearization");
        assertRequest(requestId, EvaluationKeyKind.Relinearization, 1);

        elements = [uint32(3), 9, 2047];
        expected = idOf(EvaluationKeyKind.Galois);
        expectRequested(expected, EvaluationKeyKind.Galois);
        requestId = requestGalois();
        vm.assertEq(requestId, expected, "galois id");
        operation = evaluationKeys.request(requestId).operation;
        vm.assertEq(operation, Operations.GALOIS_KEYS, "galois");
        assertRequest(requestId, EvaluationKeyKind.Galois, 3);
    }

    function test_whatWasNotAskedHasNoState() public view {
        EvaluationKeys memory request = evaluationKeys.evaluationKeys("none");
        vm.assertTrue(request.state == RequestState.None, "state");
        vm.assertFalse(evaluationKeys.isResult("none", ""), "result");
        vm.assertEq(evaluationKeys.sourcesOf("none").length, 0, "sources");
    }

    function test_theRoleAndTheOwnerRequest() public {
        elements = [uint32(3)];
        authority.revokeRole(KEY_REQUESTER, requester);
        requestRelinearization();
        requestGalois();

        address other = address(0x70);
        authority.grantRole(KEY_REQUESTER, other, 0);
        elements = [uint32(5)];
        vm.prank(other);
        evaluationKeys.requestGaloisKeys(keyId, elements);

        vm.startPrank(stranger);
        vm.expectRevert(unauthorized(stranger));
        evaluationKeys.requestRelinearizationKey(keyId);
        vm.expectRevert(unauthorized(stranger));
        evaluationKeys.requestGaloisKeys(keyId, elements);
        // Nobody owns a key that does not exist.
        vm.expectRevert(unauthorized(stranger));
        evaluationKeys.requestRelinearizationKey("none");
        vm.stopPrank();
        vm.expectRevert(keyState("none", KeyState.None));
        vm.prank(other);
        evaluationKeys.requestRelinearizationKey("none");
    }

    function test_requestsNeedAnActiveKeyOfAnActiveEpoch() public {
        elements = [uint32(3)];
        vm.startPrank(requester);
        bytes32 pending = keys.requestKey(epochId, setId, "pending");
        vm.expectRevert(keyState(pending, KeyState.Pending));
        evaluationKeys.requestRelinearizationKey(pending);
        vm.expectRevert(keyState(pending, KeyState.Pending));
        evaluationKeys.requestGaloisKeys(pending, elements);
        vm.stopPrank();
        retire(epochId);
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerEpochInactive.selector, keyId, epochId)
        );
        requestRelinearization();
    }

    function test_elementsAreOddInRangeAndAscending() public {
        uint32[5] memory wrong = [uint32(0), 1, 2, 2048, 2049];
        for (uint256 i = 0; i < 5; ++i) {
            elements = [wrong[i]];
            vm.expectRevert(
                abi.encodeWithSelector(
                    IEvaluationKeyManager.EvaluationKeyManagerElement.selector,
                    wrong[i],
                    uint32(1024)
                )
            );
            requestGalois();
        }
        bytes4 order = IEvaluationKeyManager.EvaluationKeyManagerElementOrder.selector;
        elements = [uint32(3), 3];
        vm.expectRevert(abi.encodeWithSelector(order, 1));
        requestGalois();
        elements = [uint32(3), 7, 5];
        vm.expectRevert(abi.encodeWithSelector(order, 2));
        requestGalois();
        elements = [uint32(3), 2047];
        requestGalois();
    }

    function test_oneTo64Elements() public {
        bytes4 count = IEvaluationKeyManager.EvaluationKeyManagerElementCount.selector;
        vm.expectRevert(abi.encodeWithSelector(count, 0, 64));
        requestGalois();
        for (uint32 i = 0; i < 65; ++i) elements.push(2 * i + 3);
        vm.expectRevert(abi.encodeWithSelector(count, 65, 64));
        requestGalois();
        elements.pop();
        bytes32 requestId = requestGalois();
        recordEvaluationKeys(requestId);
        assertState(requestId, RequestState.Answered);
    }

    function test_aRequestIsMadeAgainOnlyOnceItHasExpired() public {
        bytes32 requestId = requestRelinearization();
        uint64 deadline = evaluationKeys.evaluationKeys(requestId).deadline;
        vm.warp(deadline);
        vm.expectRevert(exists(requestId, RequestState.Pending, deadline));
        requestRelinearization();
        vm.warp(deadline + 1);
        assertState(requestId, RequestState.Expired);

        vm.assertEq(requestRelinearization(), requestId, "same id");
        uint64 later = deadline + 1 + RESPONSE_WINDOW;
        vm.assertEq(evaluationKeys.evaluationKeys(requestId).deadline, later, "new deadline");
        recordEvaluationKeys(requestId);
        uint64 attested = uint64(block.timestamp) + ATTESTATION_WINDOW;
        vm.warp(later + 1);
        vm.expectRevert(exists(requestId, RequestState.Answered, attested));
        requestRelinearization();
    }

    function test_aKeyHas256ElementsOverAllItsLists() public {
        bytes32 first = requestList(3, 64);
        requestList(5, 64);
        requestList(7, 64);
        vm.warp(block.timestamp + RESPONSE_WINDOW + 1);
        // Asked for again they count nothing, also with a list that is new.
        vm.assertEq(requestList(3, 64), first, "same id");
        requestList(9, 63);
        vm.expectRevert(elementsSpent(255));
        requestList(11, 2);
        requestList(11, 1);
        vm.expectRevert(elementsSpent(256));
        requestList(13, 1);
        recordEvaluationKeys(first);
        // What is there can still be repeated, and other kinds and keys have nothing to do with it.
        requestList(5, 64);
        vm.warp(block.timestamp + RESPONSE_WINDOW + 1);
        requestRelinearization();
        keyId = activeKey(epochId, setId, "other");
        requestList(3, 64);
    }

    function test_aKeyHasFourPendingRequests() public {
        bytes32 first = requestRelinearization();
        requestList(3, 1);
        requestList(5, 1);
        requestList(7, 1);
        vm.expectRevert(pendingCount(keyId));
        requestList(9, 1);
        // A recorded one makes room for one.
        recordEvaluationKeys(first);
        requestList(9, 1);
        vm.expectRevert(pendingCount(keyId));
        requestList(11, 1);
        keyId = activeKey(epochId, setId, "other");
        requestRelinearization();
    }

    /// @dev One that has expired makes room too; when it is repeated it takes one place, not two.
    function test_aRepeatedRequestIsPendingOnce() public {
        requestRelinearization();
        requestList(3, 1);
        vm.warp(block.timestamp + 1);
        requestList(5, 1);
        requestList(7, 1);
        vm.warp(block.timestamp + RESPONSE_WINDOW);
        // The first two have expired. One is made again, then there is room for one more.
        requestRelinearization();
        requestList(9, 1);
        vm.expectRevert(pendingCount(keyId));
        requestList(3, 1);
        vm.warp(block.timestamp + 1);
        requestList(3, 1);
        requestList(5, 1);
        vm.expectRevert(pendingCount(keyId));
        requestList(7, 1);
    }

    /// @dev Nobody fills the places of another's key: what leads to a key counts for that one.
    function test_aSwitchingKeyIsPendingForItsTarget() public {
        bytes32 target = activeKey(epochId, setId, "target");
        for (uint256 i = 0; i < 4; ++i) {
            requestSwitching(activeKey(epochId, setId, keccak256(abi.encode(i))), target);
        }
        vm.prank(requester);
        evaluationKeys.allowSwitching(keyId, target);
        vm.expectRevert(pendingCount(target));
        vm.prank(requester);
        evaluationKeys.requestSwitchingKey(keyId, target);
        vm.expectRevert(pendingCount(target));
        vm.prank(requester);
        evaluationKeys.requestRelinearizationKey(target);
        requestRelinearization();
    }

    function test_aPauseStopsRequestsAndNotRecords() public {
        bytes32 other = activeKey(epochId, setId, "other");
        bytes32 requestId = requestRelinearization();
        elements = [uint32(3)];
        vm.prank(governor);
        evaluationKeys.pauseRequests();
        vm.startPrank(requester);
        vm.expectRevert(IRequests.RequestsPaused.selector);
        evaluationKeys.requestRelinearizationKey(other);
        vm.expectRevert(IRequests.RequestsPaused.selector);
        evaluationKeys.requestGaloisKeys(keyId, elements);
        evaluationKeys.allowSwitching(keyId, other);
        vm.expectRevert(IRequests.RequestsPaused.selector);
        evaluationKeys.requestSwitchingKey(keyId, other);
        vm.stopPrank();
        recordEvaluationKeys(requestId);
        assertState(requestId, RequestState.Answered);
        vm.prank(governor);
        evaluationKeys.unpauseRequests();
        requestGalois();
    }

    // Results

    function test_anybodyRecordsOnce() public {
        elements = [uint32(3), 5];
        bytes32 requestId = requestGalois();
        bytes memory digests = abi.encodePacked(keccak256("3"), keccak256("5"));
        bytes memory signed = sign(requestId, digests, 11);
        vm.expectEmit(address(evaluationKeys));
        emit IEvaluationKeyManager.EvaluationKeysRecorded(requestId, digests, 11);
        vm.prank(stranger);
        evaluationKeys.recordEvaluationKeys(requestId, digests, 11, signed);

        EvaluationKeys memory request = evaluationKeys.evaluationKeys(requestId);
        assertState(requestId, RequestState.Answered);
        vm.assertEq(request.resultHash, keccak256(digests), "result hash");
        vm.assertTrue(evaluationKeys.isResult(requestId, digests), "result");
        vm.assertFalse(evaluationKeys.isResult(requestId, new bytes(64)), "another result");
        vm.expectRevert(requestState(requestId, RequestState.Answered));
        evaluationKeys.recordEvaluationKeys(requestId, digests, 11, signed);
    }

    function test_theResultHasADigestPerEntryAndNoneIsZero() public {
        elements = [uint32(3), 5];
        bytes32 requestId = requestGalois();
        bytes4 length = IEvaluationKeyManager.EvaluationKeyManagerDigestsLength.selector;
        uint256[5] memory lengths = [uint256(0), 32, 63, 65, 96];
        for (uint256 i = 0; i < 5; ++i) {
            expectRefused(
                requestId,
                new bytes(lengths[i]),
                abi.encodeWithSelector(length, lengths[i], 64)
            );
        }
        bytes4 zero = IEvaluationKeyManager.EvaluationKeyManagerZeroDigest.selector;
        bytes memory digests = abi.encodePacked(keccak256("3"), bytes32(0));
        expectRefused(requestId, digests, abi.encodeWithSelector(zero, 1));
        digests = abi.encodePacked(bytes32(0), keccak256("5"));
        expectRefused(requestId, digests, abi.encodeWithSelector(zero, 0));
    }

    function test_recordsComeBeforeTheDeadlineAndForRequestsOnly() public {
        bytes32 requestId = requestRelinearization();
        bytes memory digests = abi.encodePacked(keccak256("entry"));
        expectRefused("none", digests, requestState("none", RequestState.None));
        uint64 deadline = evaluationKeys.evaluationKeys(requestId).deadline;
        vm.warp(deadline + 1);
        expectRefused(requestId, digests, requestState(requestId, RequestState.Expired));
        vm.warp(deadline);
        recordEvaluationKeys(requestId);
    }

    function test_nothingIsRecordedForARetiredKey() public {
        bytes32 requestId = requestRelinearization();
        vm.prank(governor);
        keys.retireKey(keyId);
        bytes memory digests = abi.encodePacked(keccak256("entry"));
        expectRefused(requestId, digests, keyState(keyId, KeyState.Retired));
        assertState(requestId, RequestState.Pending);
    }

    /// @dev A signature is for one request, result and epoch of this contract, and a quorum signs.
    function test_signaturesForAnythingElseAreRefused() public {
        bytes32 requestId = requestRelinearization();
        elements = [uint32(3)];
        bytes32 otherRequest = requestGalois();
        bytes memory digests = abi.encodePacked(keccak256("entry"));
        bytes memory otherDigests = abi.encodePacked(keccak256("other"));
        bytes32[4] memory signed = [
            evaluationKeys.hashResult(epochId, otherRequest, keccak256(digests)),
            evaluationKeys.hashResult(epochId, requestId, keccak256(otherDigests)),
            evaluationKeys.hashResult("other", requestId, keccak256(digests)),
            gateway.hashResult(epochId, requestId, keccak256(digests))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory quorum = signatures(signed[i], 7);
            vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
            evaluationKeys.recordEvaluationKeys(requestId, digests, 7, quorum);
        }
        bytes memory tooFew = sign(requestId, digests, 3);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerQuorumSize.selector, 2, 3)
        );
        evaluationKeys.recordEvaluationKeys(requestId, digests, 3, tooFew);
        // What was signed before the epoch was retired is still accepted.
        retire(epochId);
        recordEvaluationKeys(requestId);
    }

    function requestRelinearization() private returns (bytes32) {
        vm.prank(requester);
        return evaluationKeys.requestRelinearizationKey(keyId);
    }

    function requestGalois() private returns (bytes32) {
        vm.prank(requester);
        return evaluationKeys.requestGaloisKeys(keyId, elements);
    }

    /// @dev As many elements from this one on.
    function requestList(uint32 first, uint32 count) private returns (bytes32) {
        delete elements;
        for (uint32 i = 0; i < count; ++i) elements.push(first + 2 * i);
        return requestGalois();
    }

    function sign(
        bytes32 requestId,
        bytes memory digests,
        uint256 bitmap
    ) private view returns (bytes memory) {
        bytes32 digest = evaluationKeys.hashResult(epochId, requestId, keccak256(digests));
        return signatures(digest, bitmap);
    }

    function expectRefused(bytes32 requestId, bytes memory digests, bytes memory reason) private {
        bytes memory signed = sign(requestId, digests, 7);
        vm.expectRevert(reason);
        evaluationKeys.recordEvaluationKeys(requestId, digests, 7, signed);
    }

    function expectRequested(bytes32 requestId, EvaluationKeyKind kind) private {
        vm.expectEmit(address(evaluationKeys));
        emit IEvaluationKeyManager.EvaluationKeysRequested(
            requestId,
            epochId,
            keyId,
            kind,
            0,
            elements,
            requester,
            uint64(block.timestamp) + RESPONSE_WINDOW
        );
    }

    function idOf(EvaluationKeyKind kind) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    block.chainid,
                    address(evaluationKeys),
                    epochId,
                    keyId,
                    uint8(kind),
                    bytes32(0),
                    elements
                )
            );
    }

    function assertRequest(
        bytes32 requestId,
        EvaluationKeyKind kind,
        uint256 entryCount
    ) private view {
        EvaluationKeys memory request = evaluationKeys.evaluationKeys(requestId);
        assertState(requestId, RequestState.Pending);
        vm.assertTrue(request.kind == kind, "kind");
        vm.assertEq(request.deadline, block.timestamp + RESPONSE_WINDOW, "deadline");
        vm.assertEq(request.entryCount, entryCount, "entries");
        vm.assertEq(request.epochId, epochId, "epoch");
        vm.assertEq(request.keyId, keyId, "key");
        vm.assertEq(request.targetKeyId, bytes32(0), "target");
        vm.assertEq(request.resultHash, bytes32(0), "result hash");
    }

    function assertState(bytes32 requestId, RequestState state) private view {
        vm.assertTrue(evaluationKeys.evaluationKeys(requestId).state == state, "state");
    }

    function keyState(bytes32 id, KeyState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeyManager.KeyManagerKeyState.selector, id, state);
    }

    function requestState(
        bytes32 requestId,
        RequestState state
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequests.RequestsState.selector, requestId, state);
    }

    function elementsSpent(uint256 count) private view returns (bytes memory) {
        bytes4 selector = IEvaluationKeyManager.EvaluationKeyManagerElementsSpent.selector;
        return abi.encodeWithSelector(selector, keyId, count, 256);
    }

    function pendingCount(bytes32 id) private pure returns (bytes memory) {
        bytes4 selector = IEvaluationKeyManager.EvaluationKeyManagerPendingCount.selector;
        return abi.encodeWithSelector(selector, id, 4);
    }

    function exists(
        bytes32 requestId,
        RequestState state,
        uint64 deadline
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IRequests.RequestsExists.selector, requestId, state, deadline);
    }
}
