// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochPhase, IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {
    IKeyManager,
    Key,
    KeyState,
    ParameterSet,
    UsableKey
} from "../../contracts/interfaces/IKeyManager.sol";
import {IRequests, Request, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {Deployment} from "./Deployment.sol";

contract KeyManagerTest is Deployment {
    bytes32 private constant DIGEST = keccak256("public key");
    bytes32 private epochId;
    bytes32 private setId;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        setId = addTestSet();
    }

    function test_requestRecordsAPendingKey() public {
        bytes32 expected = keccak256(
            abi.encode(block.chainid, address(keys), epochId, setId, requester, bytes32("label"))
        );
        uint64 deadline = uint64(block.timestamp) + RESPONSE_WINDOW;
        vm.expectEmit(address(keys));
        emit IKeyManager.KeyRequested(expected, epochId, setId, requester, "label", deadline);
        bytes32 keyId = request("label");

        vm.assertEq(keyId, expected, "key id");
        Key memory key = keys.key(keyId);
        assertState(keyId, KeyState.Pending);
        vm.assertEq(key.deadline, deadline, "deadline");
        vm.assertEq(key.requester, requester, "requester");
        vm.assertEq(key.epochId, epochId, "epoch");
        vm.assertEq(key.parameterSetId, setId, "set");
        vm.assertEq(key.digest, bytes32(0), "digest");
        Request memory asked = keys.request(keyId);
        vm.assertTrue(asked.state == RequestState.Pending, "the request has the key's id");
        vm.assertEq(asked.operation, Operations.KEY_GENERATION, "operation");
        vm.assertEq(asked.epochId, epochId, "epoch of the request");
        vm.assertEq(asked.account, requester, "who paid");
    }

    function test_requestIsForTheKeyRequester() public {
        vm.expectRevert(unauthorized(user));
        vm.prank(user);
        keys.requestKey(epochId, setId, 0);
    }

    function test_requestNeedsAnActiveEpoch() public {
        bytes4 selector = IEpochManager.EpochManagerEpochPhase.selector;
        bytes32 frozen = frozenEpoch(4, "frozen");
        vm.expectRevert(abi.encodeWithSelector(selector, frozen, EpochPhase.Frozen));
        vm.prank(requester);
        keys.requestKey(frozen, setId, 0);
        retire(epochId);
        vm.expectRevert(abi.encodeWithSelector(selector, epochId, EpochPhase.Retired));
        request(0);
    }

    function test_requestNeedsASetThatSupportsTheCommittee() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IKeyManager.KeyManagerParameterSetUnknown.selector,
                bytes32("unknown")
            )
        );
        vm.prank(requester);
        keys.requestKey(epochId, "unknown", 0);

        bytes32 large = activeEpoch(13, "large");
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerCommitteeUnsupported.selector, setId, 13)
        );
        vm.prank(requester);
        keys.requestKey(large, setId, 0);
    }

    function test_onlyAnExpiredPendingKeyIsRequestedAgain() public {
        bytes32 keyId = request(0);
        uint64 deadline = keys.key(keyId).deadline;
        vm.warp(deadline);
        vm.expectRevert(exists(keyId, RequestState.Pending, deadline));
        request(0);

        vm.warp(deadline + 1);
        vm.assertEq(request(0), keyId, "same id");
        uint64 renewed = keys.key(keyId).deadline;
        vm.assertEq(renewed, deadline + 1 + RESPONSE_WINDOW, "new deadline");

        recordKey(epochId, keyId);
        uint64 attested = uint64(block.timestamp) + ATTESTATION_WINDOW;
        vm.warp(renewed + 1);
        vm.expectRevert(exists(keyId, RequestState.Answered, attested));
        request(0);
        retireKey(keyId);
        vm.expectRevert(keyState(keyId, KeyState.Retired));
        request(0);
    }

    /// @dev One that was retired before it was recorded does not come back after its deadline.
    function test_aRetiredPendingKeyIsNotRequestedAgain() public {
        bytes32 keyId = request(0);
        retireKey(keyId);
        vm.warp(keys.key(keyId).deadline + 1);
        vm.expectRevert(keyState(keyId, KeyState.Retired));
        request(0);
        assertState(keyId, KeyState.Retired);
    }

    function test_anybodyRecordsAPublicKeyWithAQuorum() public {
        bytes32 keyId = request(0);
        bytes memory signed = signatures(hashOf(epochId, keyId, DIGEST), 13);
        vm.expectEmit(address(keys));
        emit IKeyManager.PublicKeyRecorded(keyId, DIGEST, 13);
        vm.prank(stranger);
        keys.recordPublicKey(keyId, DIGEST, 13, signed);
        assertState(keyId, KeyState.Active);
        vm.assertEq(keys.key(keyId).digest, DIGEST, "digest");
        vm.assertTrue(keys.isResult(keyId, abi.encode(DIGEST)), "the digest is the result");
        vm.assertEq(keys.request(keyId).signers, 13, "signers");

        vm.expectRevert(keyState(keyId, KeyState.Active));
        keys.recordPublicKey(keyId, DIGEST, 13, signed);
    }

    function test_recordNeedsAPendingKeyADeadlineAndADigest() public {
        vm.expectRevert(keyState("none", KeyState.None));
        keys.recordPublicKey("none", DIGEST, 7, "");

        bytes32 keyId = request(0);
        vm.expectRevert(abi.encodeWithSelector(IKeyManager.KeyManagerZeroDigest.selector, keyId));
        keys.recordPublicKey(keyId, 0, 7, "");

        uint64 deadline = keys.key(keyId).deadline;
        bytes memory signed = signatures(hashOf(epochId, keyId, DIGEST), 7);
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRequests.RequestsState.selector, keyId, RequestState.Expired)
        );
        keys.recordPublicKey(keyId, DIGEST, 7, signed);
        vm.warp(deadline);
        keys.recordPublicKey(keyId, DIGEST, 7, signed);
    }

    /// @dev A signature is for one key, digest, epoch, contract and chain.
    function test_signaturesForAnythingElseAreRefused() public {
        bytes32 keyId = request(0);
        bytes32 otherKey = request("other");
        bytes32 otherEpoch = activeEpoch(4, "other");
        bytes32 shareCommitment = epochs.hashShareCommitment(epochId, keyId, DIGEST);
        expectRefused(keyId, hashOf(epochId, otherKey, DIGEST));
        expectRefused(keyId, hashOf(epochId, keyId, keccak256("other")));
        expectRefused(keyId, hashOf(otherEpoch, keyId, DIGEST));
        expectRefused(keyId, shareCommitment);
        uint256 chainId = block.chainid;
        vm.chainId(chainId + 1);
        bytes32 otherChain = hashOf(epochId, keyId, DIGEST);
        vm.chainId(chainId);
        expectRefused(keyId, otherChain);
    }

    function test_aKeyOfARetiredEpochIsStillRecordedInTime() public {
        bytes32 keyId = request(0);
        retire(epochId);
        recordKey(epochId, keyId);
        assertState(keyId, KeyState.Active);
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerEpochInactive.selector, keyId, epochId)
        );
        keys.requireUsable(keyId);
    }

    function test_retireEndsPendingAndActiveKeys() public {
        bytes32 pending = request("pending");
        bytes32 active = activeKey(epochId, setId, "active");
        vm.expectRevert(unauthorized(requester));
        vm.prank(requester);
        keys.retireKey(active);
        vm.expectRevert(keyState("none", KeyState.None));
        retireKey("none");

        vm.expectEmit(address(keys));
        emit IKeyManager.KeyRetired(pending);
        retireKey(pending);
        vm.expectRevert(keyState(pending, KeyState.Retired));
        keys.recordPublicKey(pending, DIGEST, 7, "");
        retireKey(active);
        vm.expectRevert(keyState(active, KeyState.Retired));
        keys.requireUsable(active);
        vm.expectRevert(keyState(active, KeyState.Retired));
        keys.ciphertextLimits(active);
        vm.expectRevert(keyState(active, KeyState.Retired));
        retireKey(active);
    }

    function test_decryptionUnitsFollowLambdaInAnyState() public {
        vm.assertEq(keys.decryptionUnits("none"), 0, "no key");
        bytes32 keyId = request("64");
        vm.assertEq(keys.decryptionUnits(keyId), 1 << 24, "pending");
        vm.prank(governor);
        keys.retireKey(keyId);
        vm.assertEq(keys.decryptionUnits(keyId), 1 << 24, "retired");

        uint8[5] memory lambdas = [uint8(40), 41, 103, 104, 128];
        uint64[5] memory units = [1, 2, 1 << 63, type(uint64).max, type(uint64).max];
        for (uint256 i = 0; i < 5; ++i) {
            ParameterSet memory set = testSet();
            set.name = string.concat("insecure-", string(abi.encodePacked(bytes1(uint8(97 + i)))));
            set.lambda = lambdas[i];
            vm.prank(governor);
            bytes32 otherSet = keys.addParameterSet(set);
            vm.prank(requester);
            bytes32 other = keys.requestKey(epochId, otherSet, 0);
            vm.assertEq(keys.decryptionUnits(other), units[i], "units");
        }
    }

    function test_limitsFollowSetAndCommittee() public {
        (uint8 minLimbs, uint8 maxLimbs, uint16 noise) = keys.ciphertextLimits(
            activeKey(epochId, setId, 0)
        );
        vm.assertEq(minLimbs, 3, "decryption level");
        vm.assertEq(maxLimbs, 3, "all but the special prime");
        vm.assertEq(noise, 20, "noise at n = 4");
        bytes32 seven = activeEpoch(7, 0);
        bytes32 keyId = activeKey(seven, setId, 0);
        (, , noise) = keys.ciphertextLimits(keyId);
        vm.assertEq(noise, 19, "noise at n = 7");
        UsableKey memory usable = keys.requireUsable(keyId);
        vm.assertEq(usable.epochId, seven, "epoch");
        vm.assertEq(usable.epochNumber, epochs.epoch(seven).number, "epoch number");
        vm.assertEq(usable.degree, 1024, "degree");
        vm.assertEq(usable.units, keys.decryptionUnits(keyId), "units");
        vm.assertFalse(usable.isTarget, "no target");
    }

    /// @dev The contract that takes switching keys says so; nobody else can.
    function test_targetsAreMarkedByTheEvaluationKeyManager() public {
        bytes32 keyId = activeKey(epochId, setId, "target");
        address[3] memory callers = [requester, governor, address(gateway)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(unauthorized(callers[i]));
            vm.prank(callers[i]);
            keys.markTarget(keyId);
        }
        requestSwitching(activeKey(epochId, setId, "source"), keyId);
        vm.assertTrue(keys.requireUsable(keyId).isTarget, "target");
    }

    /// @dev The end of an epoch ends the use of its keys and of no others, and only its contract says so.
    function test_epochsAreEndedByTheEpochManager() public {
        bytes32 keyId = activeKey(epochId, setId, 0);
        bytes32 otherEpoch = activeEpoch(4, "other");
        bytes32 otherKey = activeKey(otherEpoch, setId, 0);
        uint16 number = epochs.epoch(epochId).number;
        address[3] memory callers = [requester, governor, address(gateway)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(unauthorized(callers[i]));
            vm.prank(callers[i]);
            keys.endEpoch(number);
        }
        vm.assertEq(keys.requireUsable(keyId).epochId, epochId, "usable");
        retire(epochId);
        bytes4 inactive = IKeyManager.KeyManagerEpochInactive.selector;
        vm.expectRevert(abi.encodeWithSelector(inactive, keyId, epochId));
        keys.requireUsable(keyId);
        vm.assertEq(keys.requireUsable(otherKey).epochId, otherEpoch, "the other epoch's");
        // Nothing brings it back: no key can be requested of a retired epoch.
        vm.expectPartialRevert(IEpochManager.EpochManagerEpochPhase.selector);
        request("again");
        vm.expectRevert(abi.encodeWithSelector(inactive, keyId, epochId));
        keys.requireUsable(keyId);
    }

    function hashOf(bytes32 epoch, bytes32 keyId, bytes32 digest) private view returns (bytes32) {
        return keys.hashResult(epoch, keyId, keccak256(abi.encode(digest)));
    }

    function expectRefused(bytes32 keyId, bytes32 signedDigest) private {
        bytes memory signed = signatures(signedDigest, 7);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        keys.recordPublicKey(keyId, DIGEST, 7, signed);
    }

    function request(bytes32 label) private returns (bytes32) {
        vm.prank(requester);
        return keys.requestKey(epochId, setId, label);
    }

    function retireKey(bytes32 keyId) private {
        vm.prank(governor);
        keys.retireKey(keyId);
    }

    function assertState(bytes32 keyId, KeyState state) private view {
        vm.assertEq(uint256(keys.key(keyId).state), uint256(state), "state");
    }

    function keyState(bytes32 keyId, KeyState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeyManager.KeyManagerKeyState.selector, keyId, state);
    }

    function exists(
        bytes32 keyId,
        RequestState state,
        uint64 deadline
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequests.RequestsExists.selector, keyId, state, deadline);
    }
}

contract ParameterSetTest is Deployment {
    function test_addRecordsTheWholeSet() public {
        ParameterSet memory set = testSet();
        bytes32 expected = keccak256(
            abi.encode(set.name, set.degree, set.plainModulus, set.primes)
        );
        vm.expectEmit(address(keys));
        emit IKeyManager.ParameterSetAdded(expected, set);
        vm.assertEq(addTestSet(), expected, "id");
        vm.assertEq(
            keccak256(abi.encode(keys.parameterSet(expected))),
            keccak256(abi.encode(set)),
            "record"
        );
        vm.assertEq(keys.parameterSet("none").name, "", "unknown");
    }

    function test_addIsForTheGovernorAndOnce() public {
        ParameterSet memory set = testSet();
        vm.expectRevert(unauthorized(requester));
        vm.prank(requester);
        keys.addParameterSet(set);

        bytes32 id = addTestSet();
        // Another plan for the same parameters is not another set.
        set.floodBits[0] += 1;
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerParameterSetExists.selector, id)
        );
        vm.prank(governor);
        keys.addParameterSet(set);
    }

    function test_names() public {
        ParameterSet memory set = testSet();
        set.name = "";
        expectRefused(
            set,
            abi.encodeWithSelector(IKeyManager.KeyManagerNameLength.selector, 0, 64)
        );
        set.name = string(new bytes(65));
        expectRefused(
            set,
            abi.encodeWithSelector(IKeyManager.KeyManagerNameLength.selector, 65, 64)
        );
    }

    function test_degrees() public {
        ParameterSet memory set = testSet();
        uint32[5] memory degrees = [uint32(0), 512, 65536, 1025, type(uint32).max];
        for (uint256 i = 0; i < degrees.length; ++i) {
            set.degree = degrees[i];
            expectRefused(
                set,
                abi.encodeWithSelector(IKeyManager.KeyManagerDegree.selector, degrees[i])
            );
        }
    }

    function test_plainModuli() public {
        ParameterSet memory set = testSet();
        uint64[4] memory moduli = [uint64(0), 1, 1 << 60, type(uint64).max];
        for (uint256 i = 0; i < moduli.length; ++i) {
            set.plainModulus = moduli[i];
            expectRefused(
                set,
                abi.encodeWithSelector(IKeyManager.KeyManagerPlainModulus.selector, moduli[i])
            );
        }
    }

    function test_primes() public {
        ParameterSet memory set = testSet();
        set.primes = new uint64[](1);
        expectRefused(set, abi.encodeWithSelector(IKeyManager.KeyManagerPrimeCount.selector, 1));
        set.primes = new uint64[](17);
        expectRefused(set, abi.encodeWithSelector(IKeyManager.KeyManagerPrimeCount.selector, 17));

        set = testSet();
        uint64 good = set.primes[0];
        // Too small, too large, not 1 modulo 2N, and the one before once more.
        uint64[6] memory bad = [0, 1, (1 << 60) + 1, good + 2, good + 1024, good];
        for (uint256 i = 0; i < bad.length; ++i) {
            set.primes[1] = bad[i];
            expectRefused(
                set,
                abi.encodeWithSelector(IKeyManager.KeyManagerPrime.selector, bad[i])
            );
        }
    }

    function test_decryptionPlans() public {
        ParameterSet memory set = testSet();
        set.decryptionLimbs[2] = 4;
        expectRefused(set, plan(2));
        set = testSet();
        set.floodBits[1] = 0;
        expectRefused(set, plan(1));
        set = testSet();
        set.maxNoiseBits[0] = 0;
        expectRefused(set, plan(0));
        set = testSet();
        set.floodBits[3] = 1;
        expectRefused(set, plan(3));
        set = testSet();
        set.maxNoiseBits[3] = 1;
        expectRefused(set, plan(3));

        set = testSet();
        for (uint256 i = 0; i < 4; ++i) {
            set.decryptionLimbs[i] = 0;
            set.floodBits[i] = 0;
            set.maxNoiseBits[i] = 0;
        }
        expectRefused(set, abi.encodeWithSelector(IKeyManager.KeyManagerNoCommitteeSize.selector));
    }

    function test_lambdaFrom40To128() public {
        bytes4 selector = IKeyManager.KeyManagerLambda.selector;
        ParameterSet memory set = testSet();
        uint8[4] memory outside = [uint8(0), 39, 129, 255];
        for (uint256 i = 0; i < 4; ++i) {
            set.lambda = outside[i];
            expectRefused(set, abi.encodeWithSelector(selector, outside[i], uint8(40), uint8(128)));
        }
    }

    function expectRefused(ParameterSet memory set, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(governor);
        keys.addParameterSet(set);
    }

    function plan(uint256 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeyManager.KeyManagerDecryptionPlan.selector, index);
    }
}
