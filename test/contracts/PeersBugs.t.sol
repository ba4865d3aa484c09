// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {IRequests, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Deployment} from "./Deployment.sol";

/// @notice What went wrong elsewhere (docs/peers-bugs.md) and no other test is about.
contract PeersBugsTest is Deployment {
    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private keyId;
    bytes32 private decryption;
    bytes32 private keyRequest;
    bytes32 private evaluation;

    /// @dev One pending request of each contract, all of one epoch.
    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        setId = addTestSet();
        keyId = activeKey(epochId, setId, 0);
        bytes32[] memory handles = new bytes32[](1);
        handles[0] = registerCiphertext(keyId, 1);
        vm.prank(user);
        decryption = gateway.requestPublicDecryption(handles, new uint32[](0), 0);
        vm.startPrank(requester);
        keyRequest = keys.requestKey(epochId, setId, "pending");
        evaluation = evaluationKeys.requestRelinearizationKey(keyId);
        vm.stopPrank();
    }

    /// @dev A result was accepted from a committee that the request was not pinned to. Here the request
    /// names its epoch, and nothing in an answer does: the other committee has the same size, is active,
    /// and signs exactly what would be right from the first.
    function test_anotherCommitteeOfTheSameSizeAnswersNothing() public {
        activateOthers();
        expectOnlyTheOwnCommittee();
    }

    /// @dev The same once the first epoch is retired and the other one is its successor.
    function test_aSuccessorAnswersNothingOfItsPredecessor() public {
        activateOthers();
        retire(epochId);
        expectOnlyTheOwnCommittee();
    }

    /// @dev An empty slot was returned as an empty plaintext. Here nothing has no result, not even an
    /// empty one: what was never asked, what is pending, and what expired.
    function test_whatHasNoAnswerHasNoEmptyResult() public {
        expectNoResult(gateway, "none", RequestState.None);
        expectNoResult(keys, "none", RequestState.None);
        expectNoResult(evaluationKeys, "none", RequestState.None);
        expectNoResults(RequestState.Pending);
        vm.warp(gateway.request(decryption).deadline + 1);
        expectNoResults(RequestState.Expired);
    }

    /// @dev A committee of operators 5 to 8, with the epoch's indices 1 to 4.
    function activateOthers() private {
        address[] memory all = committee(8);
        address[] memory others = new address[](4);
        for (uint256 i = 0; i < 4; ++i) others[i] = all[i + 4];
        vm.prank(governor);
        bytes32 proposalId = epochs.proposeEpoch(others, "others");
        for (uint256 i = 5; i <= 7; ++i) {
            vm.prank(signerOf(i));
            epochs.postDealing(proposalId, rootOf(i));
        }
        for (uint256 i = 5; i <= 7; ++i) {
            vm.prank(signerOf(i));
            epochs.acknowledge(proposalId, 7);
        }
        bytes32 otherEpoch = epochs.proposal(proposalId).epochId;
        for (uint256 i = 5; i <= 7; ++i) confirmBy(otherEpoch, i);
        vm.assertTrue(isActive(otherEpoch), "the others are active");
    }

    function expectOnlyTheOwnCommittee() private {
        bytes memory result = abi.encodePacked(keccak256("plaintext"));
        bytes32 typed = gateway.hashResult(epochId, decryption, keccak256(result));
        bytes memory foreign = signatures(typed, 7 << 4);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        gateway.respond(decryption, result, 7, foreign);
        gateway.respond(decryption, result, 7, signatures(typed, 7));

        bytes32 digest = keccak256("public key");
        typed = keys.hashResult(epochId, keyRequest, keccak256(abi.encode(digest)));
        foreign = signatures(typed, 7 << 4);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        keys.recordPublicKey(keyRequest, digest, 7, foreign);
        keys.recordPublicKey(keyRequest, digest, 7, signatures(typed, 7));

        bytes memory digests = abi.encodePacked(keccak256("entry"));
        typed = evaluationKeys.hashResult(epochId, evaluation, keccak256(digests));
        foreign = signatures(typed, 7 << 4);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        evaluationKeys.recordEvaluationKeys(evaluation, digests, 7, foreign);
        evaluationKeys.recordEvaluationKeys(evaluation, digests, 7, signatures(typed, 7));
    }

    function expectNoResults(RequestState state) private view {
        expectNoResult(gateway, decryption, state);
        expectNoResult(keys, keyRequest, state);
        expectNoResult(evaluationKeys, evaluation, state);
        vm.assertEq(keys.key(keyRequest).digest, bytes32(0), "public key");
    }

    function expectNoResult(IRequests source, bytes32 requestId, RequestState state) private view {
        vm.assertEq(uint256(source.request(requestId).state), uint256(state), "state");
        vm.assertFalse(source.isResult(requestId, ""), "empty result");
        vm.assertFalse(source.isResult(requestId, new bytes(32)), "zero result");
        (bytes32 epoch, bytes32 resultHash) = source.recordedResult(requestId);
        vm.assertEq(epoch, bytes32(0), "epoch of no result");
        vm.assertEq(resultHash, bytes32(0), "hash of no result");
    }
}
