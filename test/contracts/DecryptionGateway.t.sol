// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICiphertextRegistry} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {IDecryptionGateway} from "../../contracts/interfaces/IDecryptionGateway.sol";
import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {IKeyManager, KeyState} from "../../contracts/interfaces/IKeyManager.sol";
import {IRequests, Request, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {Deployment} from "./Deployment.sol";

contract DecryptionGatewayTest is Deployment {
    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private keyId;
    bytes32[] private handles;
    uint32[] private positions;

    /// @dev One handle and position 0 unless a test says otherwise: the result is one value.
    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        setId = addTestSet();
        keyId = activeKey(epochId, setId, 0);
        handles.push(registerCiphertext(keyId, 1));
        positions.push(0);
    }

    function test_theOtherContractsAreFoundFromHere() public view {
        vm.assertEq(address(gateway.operatorRegistry()), address(registry), "operators");
        vm.assertEq(address(gateway.epochManager()), address(epochs), "epochs");
        vm.assertEq(address(gateway.keyManager()), address(keys), "keys");
        address evaluation = address(gateway.evaluationKeyManager());
        vm.assertEq(evaluation, address(evaluationKeys), "evaluation keys");
        vm.assertEq(address(gateway.ciphertextRegistry()), address(ciphertexts), "ciphertexts");
        vm.assertEq(gateway.deploymentBlock(), block.number, "deployment block");
    }

    function test_requestRecordsWhatIsAsked() public {
        handles.push(registerCiphertext(keyId, 2));
        positions.push(1023);
        bytes32 expected = keccak256(
            abi.encode(
                block.chainid,
                address(gateway),
                epochId,
                handles,
                positions,
                user,
                bytes32("salt")
            )
        );
        uint64 deadline = uint64(block.timestamp) + RESPONSE_WINDOW;
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.PublicDecryptionRequested(
            expected,
            epochId,
            keyId,
            handles,
            positions,
            user,
            deadline,
            "salt"
        );
        bytes32 requestId = request(user, "salt");
        vm.assertEq(requestId, expected, "request id");
        Request memory record = gateway.request(requestId);
        assertState(requestId, RequestState.Pending);
        vm.assertEq(record.deadline, deadline, "deadline");
        vm.assertEq(record.operation, Operations.PUBLIC_DECRYPTION, "operation");
        vm.assertEq(record.epochId, epochId, "epoch");
        vm.assertEq(record.resultHash, bytes32(0), "result hash");
        vm.assertEq(record.account, user, "who paid");
        vm.assertEq(record.signers, 0, "nobody signed yet");
    }

    function test_aRequestIsMadeAgainOnlyOnceItHasExpired() public {
        bytes32 requestId = request(user, 0);
        uint64 deadline = gateway.request(requestId).deadline;
        vm.warp(deadline);
        vm.expectRevert(requestExists(requestId, RequestState.Pending, deadline));
        request(user, 0);
        vm.warp(deadline + 1);
        assertState(requestId, RequestState.Expired);
        vm.assertEq(request(user, 0), requestId, "same id");
        uint64 later = deadline + 1 + RESPONSE_WINDOW;
        vm.assertEq(gateway.request(requestId).deadline, later, "new deadline");
        vm.assertEq(gateway.meter(keyId).commonSpent, 1, "the unit is the same");

        bytes memory result = abi.encodePacked(uint64(42));
        gateway.respond(requestId, result, 7, sign(requestId, result, 7));
        uint64 attested = gateway.request(requestId).deadline;
        vm.warp(later + 1);
        vm.expectRevert(requestExists(requestId, RequestState.Answered, attested));
        request(user, 0);
        request(user, "again");
    }

    function test_handlesAreCountedDistinctAndOpenToTheCaller() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotAllowed.selector,
                handles[0],
                stranger
            )
        );
        request(stranger, 0);

        handles.push(handles[0]);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayDuplicateHandle.selector,
                handles[0]
            )
        );
        request(user, 0);

        bytes4 count = IDecryptionGateway.DecryptionGatewayHandleCount.selector;
        delete handles;
        vm.expectRevert(abi.encodeWithSelector(count, 0, 16));
        request(user, 0);
        for (uint256 i = 0; i < 17; ++i) handles.push(registerCiphertext(keyId, 100 + i));
        vm.expectRevert(abi.encodeWithSelector(count, 17, 16));
        request(user, 0);
        handles.pop();
        request(user, 0);
    }

    function test_positionsAreAscendingBelowTheDegreeAndLimited() public {
        bytes4 order = IDecryptionGateway.DecryptionGatewayPositionOrder.selector;
        positions = [uint32(1), 2, 2];
        vm.expectRevert(abi.encodeWithSelector(order, 2));
        request(user, 0);
        positions = [uint32(3), 2];
        vm.expectRevert(abi.encodeWithSelector(order, 1));
        request(user, 0);

        positions = [uint32(0), 1024];
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayPositionRange.selector,
                uint32(1024),
                uint32(1024)
            )
        );
        request(user, 0);

        delete positions;
        for (uint32 i = 0; i < 65; ++i) positions.push(i);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayPositionCount.selector,
                65,
                64
            )
        );
        request(user, 0);
        positions.pop();
        request(user, 0);
    }

    function test_requestNeedsAnActiveKeyOfAnActiveEpoch() public {
        retire(epochId);
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerEpochInactive.selector, keyId, epochId)
        );
        request(user, 0);
        vm.prank(governor);
        keys.retireKey(keyId);
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerKeyState.selector, keyId, KeyState.Retired)
        );
        request(user, 0);
    }

    function test_anybodyAnswersOnce() public {
        bytes32 requestId = request(user, 0);
        bytes memory result = abi.encodePacked(uint64(42));
        bytes memory signed = sign(requestId, result, 11);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.PublicDecryptionResponded(requestId, result, 11);
        vm.prank(stranger);
        gateway.respond(requestId, result, 11, signed);

        assertState(requestId, RequestState.Answered);
        Request memory record = gateway.request(requestId);
        vm.assertEq(record.resultHash, keccak256(result), "result hash");
        vm.assertEq(record.signers, 11, "signers");
        vm.assertEq(record.account, stranger, "submitter");
        vm.assertEq(record.deadline, block.timestamp + ATTESTATION_WINDOW, "attestations");
        (bytes32 recordedEpoch, bytes32 recordedHash) = gateway.recordedResult(requestId);
        vm.assertEq(recordedEpoch, epochId, "recorded epoch");
        vm.assertEq(recordedHash, keccak256(result), "recorded hash");
        vm.assertTrue(gateway.isResult(requestId, result), "result");
        vm.assertFalse(gateway.isResult(requestId, abi.encodePacked(uint64(43))), "other result");
        vm.assertFalse(gateway.isResult("none", ""), "other request");

        bytes memory other = abi.encodePacked(uint64(43));
        bytes memory otherSigned = sign(requestId, other, 7);
        vm.expectRevert(requestState(requestId, RequestState.Answered));
        gateway.respond(requestId, other, 7, otherSigned);

        // An answer stays one after the deadline.
        vm.warp(block.timestamp + RESPONSE_WINDOW + 1);
        assertState(requestId, RequestState.Answered);
    }

    function test_allCoefficientsAreAnsweredWithDigests() public {
        delete positions;
        handles.push(registerCiphertext(keyId, 2));
        bytes32 requestId = request(user, 0);
        bytes memory result = abi.encodePacked(keccak256("first"), keccak256("second"));
        gateway.respond(requestId, result, 7, sign(requestId, result, 7));
        vm.assertTrue(gateway.isResult(requestId, result), "result");
    }

    /// @dev The form of a result is for its signers to judge; but nothing is no result, whoever signs it.
    function test_nothingIsRecordedBeforeAnAnswer() public {
        bytes32 requestId = request(user, 0);
        (bytes32 recordedEpoch, bytes32 recordedHash) = gateway.recordedResult(requestId);
        vm.assertEq(recordedEpoch, bytes32(0), "recorded epoch");
        vm.assertEq(recordedHash, bytes32(0), "recorded hash");
        bytes memory signed = sign(requestId, "", 7);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayEmptyResult.selector,
                requestId
            )
        );
        gateway.respond(requestId, "", 7, signed);
        vm.assertFalse(gateway.isResult(requestId, ""), "answered with nothing");
    }

    function test_answersComeBeforeTheDeadline() public {
        bytes32 requestId = request(user, 0);
        uint64 deadline = gateway.request(requestId).deadline;
        bytes memory result = abi.encodePacked(uint64(1));
        bytes memory signed = sign(requestId, result, 7);
        vm.warp(deadline + 1);
        assertState(requestId, RequestState.Expired);
        vm.expectRevert(requestState(requestId, RequestState.Expired));
        gateway.respond(requestId, result, 7, signed);
        vm.warp(deadline);
        gateway.respond(requestId, result, 7, signed);
    }

    function test_whatWasNotAskedIsNotAnswered() public {
        bytes memory result = abi.encodePacked(uint64(1));
        bytes memory signed = sign("none", result, 7);
        vm.expectRevert(requestState("none", RequestState.None));
        gateway.respond("none", result, 7, signed);
    }

    /// @dev A signature is for one request, result and epoch of this contract.
    function test_signaturesForAnythingElseAreRefused() public {
        bytes32 requestId = request(user, 0);
        bytes32 otherRequest = request(user, "other");
        bytes memory result = abi.encodePacked(uint64(1));
        bytes memory otherResult = abi.encodePacked(uint64(2));
        bytes32 otherEpoch = activeEpoch(4, "other");
        expectRefused(
            requestId,
            result,
            gateway.hashResult(epochId, otherRequest, keccak256(result))
        );
        expectRefused(
            requestId,
            result,
            gateway.hashResult(epochId, requestId, keccak256(otherResult))
        );
        expectRefused(
            requestId,
            result,
            gateway.hashResult(otherEpoch, requestId, keccak256(result))
        );
        // Of another contract, and of what members sign among themselves.
        expectRefused(requestId, result, keys.hashResult(epochId, requestId, keccak256(result)));
        expectRefused(
            requestId,
            result,
            epochs.hashShareCommitment(epochId, requestId, keccak256(result))
        );
    }

    /// @dev The pinned epoch answers, also after it was retired; its successor cannot.
    function test_aRequestIsAnsweredByItsOwnEpochOnly() public {
        bytes32 requestId = request(user, 0);
        bytes32 successor = activeEpoch(7, "successor");
        retire(epochId);
        bytes memory result = abi.encodePacked(uint64(1));
        bytes32 digest = gateway.hashResult(successor, requestId, keccak256(result));
        bytes memory five = signatures(digest, 0x1f);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.EpochManagerBitmapRange.selector, 0x1f, 4)
        );
        gateway.respond(requestId, result, 0x1f, five);
        gateway.respond(requestId, result, 7, sign(requestId, result, 7));
        assertState(requestId, RequestState.Answered);
    }

    function expectRefused(bytes32 requestId, bytes memory result, bytes32 signedDigest) private {
        bytes memory signed = signatures(signedDigest, 7);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        gateway.respond(requestId, result, 7, signed);
    }

    function request(address caller, bytes32 salt) private returns (bytes32) {
        vm.prank(caller);
        return gateway.requestPublicDecryption(handles, positions, salt);
    }

    function sign(
        bytes32 requestId,
        bytes memory result,
        uint256 bitmap
    ) private view returns (bytes memory) {
        return signatures(gateway.hashResult(epochId, requestId, keccak256(result)), bitmap);
    }

    function assertState(bytes32 requestId, RequestState state) private view {
        vm.assertEq(uint256(gateway.request(requestId).state), uint256(state), "state");
    }

    function requestState(
        bytes32 requestId,
        RequestState state
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequests.RequestsState.selector, requestId, state);
    }

    function requestExists(
        bytes32 requestId,
        RequestState state,
        uint64 deadline
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IRequests.RequestsExists.selector, requestId, state, deadline);
    }
}
