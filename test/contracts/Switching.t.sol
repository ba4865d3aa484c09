// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Ciphertext,
    CiphertextOrigin,
    ICiphertextRegistry
} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {
    EvaluationKeyKind,
    EvaluationKeys,
    IEvaluationKeyManager
} from "../../contracts/interfaces/IEvaluationKeyManager.sol";
import {IKeyManager, KeyState} from "../../contracts/interfaces/IKeyManager.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Switching keys: consent of both owners, no chains; and the ciphertexts that were switched.
contract SwitchingTest is Deployment {
    address private constant OTHER_OWNER = address(0x71);

    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private source;
    bytes32 private target;

    /// @dev The requester owns the source, another account the target.
    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        setId = addTestSet();
        authority.grantRole(KEY_REQUESTER, OTHER_OWNER, 0);
        source = activeKey(epochId, setId, "source");
        target = keyOf(OTHER_OWNER, epochId, setId, "target");
    }

    // Switching keys

    function test_aRequestIsRecordedUnderItsContent() public {
        allow(source, target);
        bytes32 expected = keccak256(
            abi.encode(
                block.chainid,
                address(evaluationKeys),
                epochId,
                source,
                uint8(3),
                target,
                new uint32[](0)
            )
        );
        vm.expectEmit(address(evaluationKeys));
        emit IEvaluationKeyManager.EvaluationKeysRequested(
            expected,
            epochId,
            source,
            EvaluationKeyKind.Switching,
            target,
            new uint32[](0),
            OTHER_OWNER,
            uint64(block.timestamp) + RESPONSE_WINDOW
        );
        bytes32 requestId = request(source, target);
        vm.assertEq(requestId, expected, "request id");
        EvaluationKeys memory record = evaluationKeys.evaluationKeys(requestId);
        vm.assertTrue(record.kind == EvaluationKeyKind.Switching, "kind");
        vm.assertEq(record.keyId, source, "source");
        vm.assertEq(record.targetKeyId, target, "target");
        vm.assertEq(record.entryCount, 1, "entries");

        vm.assertFalse(evaluationKeys.isSwitchingRecorded(source, target), "before");
        recordEvaluationKeys(requestId);
        vm.assertTrue(evaluationKeys.isSwitchingRecorded(source, target), "after");
        vm.assertFalse(evaluationKeys.isSwitchingRecorded(target, source), "other direction");
    }

    function test_onlyTheOwnerOfTheSourceAllows() public {
        address[3] memory others = [OTHER_OWNER, stranger, governor];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(notOwner(source, others[i]));
            vm.prank(others[i]);
            evaluationKeys.allowSwitching(source, target);
        }
        vm.expectRevert(notOwner("none", address(0xdead)));
        vm.prank(address(0xdead));
        evaluationKeys.allowSwitching("none", target);
    }

    function test_allowingIsForOnePairAndOneDirection() public {
        vm.assertFalse(evaluationKeys.isSwitchingAllowed(source, target), "before");
        vm.expectEmit(address(evaluationKeys));
        emit IEvaluationKeyManager.SwitchingAllowed(source, target, requester);
        allow(source, target);
        vm.assertTrue(evaluationKeys.isSwitchingAllowed(source, target), "after");
        vm.assertFalse(evaluationKeys.isSwitchingAllowed(target, source), "other direction");
        // Harmless when repeated.
        allow(source, target);

        bytes32 third = keyOf(OTHER_OWNER, epochId, setId, "third");
        vm.expectRevert(notAllowed(source, third));
        request(source, third);
        vm.expectRevert(notAllowed(target, source));
        vm.prank(requester);
        evaluationKeys.requestSwitchingKey(target, source);
    }

    /// @dev Whoever adds a source to a key counts the key's decryptions against that source's meter as
    /// well, and could stop them with a source whose meter is spent.
    function test_onlyTheOwnerOfTheTargetRequests() public {
        allow(source, target);
        address[3] memory others = [requester, stranger, governor];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(notOwner(target, others[i]));
            vm.prank(others[i]);
            evaluationKeys.requestSwitchingKey(source, target);
        }
        request(source, target);
    }

    function test_theKeysAreTwo() public {
        allow(source, source);
        vm.expectRevert(
            abi.encodeWithSelector(
                IEvaluationKeyManager.EvaluationKeyManagerSameKey.selector,
                source
            )
        );
        vm.prank(requester);
        evaluationKeys.requestSwitchingKey(source, source);
    }

    function test_theKeysAreOfOneEpoch() public {
        bytes32 successor = activeEpoch(4, "successor");
        bytes32 later = keyOf(OTHER_OWNER, successor, setId, "later");
        allow(source, later);
        vm.expectRevert(
            abi.encodeWithSelector(
                IEvaluationKeyManager.EvaluationKeyManagerMixedEpochs.selector,
                epochId,
                successor
            )
        );
        request(source, later);
        allow(source, target);
        retire(epochId);
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerEpochInactive.selector, source, epochId)
        );
        request(source, target);
    }

    function test_theKeysAreOfOneParameterSet() public {
        bytes32 otherSet = addMeteredSet(64);
        bytes32 otherKey = keyOf(OTHER_OWNER, epochId, otherSet, "other set");
        allow(source, otherKey);
        vm.expectRevert(
            abi.encodeWithSelector(
                IEvaluationKeyManager.EvaluationKeyManagerMixedSets.selector,
                setId,
                otherSet
            )
        );
        request(source, otherKey);
    }

    function test_bothKeysAreActive() public {
        vm.prank(OTHER_OWNER);
        bytes32 pending = keys.requestKey(epochId, setId, "pending");
        allow(source, pending);
        vm.expectRevert(keyState(pending, KeyState.Pending));
        request(source, pending);
        allow(source, target);
        vm.prank(governor);
        keys.retireKey(source);
        vm.expectRevert(keyState(source, KeyState.Retired));
        request(source, target);
    }

    /// @dev A switching key is of two keys: it takes ciphertexts out of one and into the other.
    function test_nothingIsRecordedOnceEitherKeyIsRetired() public {
        bytes32 second = keyOf(OTHER_OWNER, epochId, setId, "second");
        allow(source, target);
        allow(source, second);
        bytes32 toTarget = request(source, target);
        bytes32 toSecond = request(source, second);
        vm.prank(governor);
        keys.retireKey(target);
        expectNotRecorded(toTarget, target);
        vm.prank(governor);
        keys.retireKey(source);
        expectNotRecorded(toSecond, source);
        vm.assertFalse(evaluationKeys.isSwitchingRecorded(source, second), "recorded");
    }

    function test_thereAreNoChains() public {
        allow(source, target);
        request(source, target);
        bytes32 third = activeKey(epochId, setId, "third");
        bytes4 chain = IEvaluationKeyManager.EvaluationKeyManagerSwitchingChain.selector;

        vm.startPrank(OTHER_OWNER);
        evaluationKeys.allowSwitching(target, third);
        evaluationKeys.allowSwitching(target, source);
        vm.stopPrank();
        vm.startPrank(requester);
        evaluationKeys.allowSwitching(third, source);
        // The request is enough: the target has sources although nothing is recorded yet.
        vm.expectRevert(abi.encodeWithSelector(chain, target));
        evaluationKeys.requestSwitchingKey(target, third);
        vm.expectRevert(abi.encodeWithSelector(chain, source));
        evaluationKeys.requestSwitchingKey(third, source);
        vm.expectRevert(abi.encodeWithSelector(chain, target));
        evaluationKeys.requestSwitchingKey(target, source);
        // Two targets of one source, and two sources of one target, are none.
        evaluationKeys.allowSwitching(source, third);
        evaluationKeys.requestSwitchingKey(source, third);
        vm.stopPrank();
    }

    function test_aSourceCountsFromTheRequestOnAndOnce() public {
        allow(source, target);
        vm.assertEq(evaluationKeys.sourcesOf(target).length, 0, "allowed only");
        bytes32 requestId = request(source, target);
        assertOnlySource(target);
        vm.warp(evaluationKeys.evaluationKeys(requestId).deadline + 1);
        assertOnlySource(target);
        vm.assertEq(request(source, target), requestId, "same id");
        assertOnlySource(target);
        recordEvaluationKeys(requestId);
        assertOnlySource(target);
        vm.assertEq(evaluationKeys.sourcesOf(source).length, 0, "the source has none");
    }

    function test_atMostEightSources() public {
        bytes32[] memory sources = new bytes32[](9);
        for (uint256 i = 0; i < 9; ++i) {
            sources[i] = activeKey(epochId, setId, keccak256(abi.encode(i)));
            allow(sources[i], target);
            // Fewer may be pending at a time.
            if (i < 7) recordEvaluationKeys(request(sources[i], target));
            else if (i == 7) request(sources[i], target);
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                IEvaluationKeyManager.EvaluationKeyManagerSourceCount.selector,
                target,
                8
            )
        );
        request(sources[8], target);
        vm.assertEq(evaluationKeys.sourcesOf(target).length, 8, "sources");
        // Those that are there can be requested again.
        vm.warp(block.timestamp + RESPONSE_WINDOW + 1);
        request(sources[7], target);
    }

    // Ciphertexts that were switched

    function test_registerSwitchedKeepsOwnerAndSource() public {
        bytes32 original = switchable();
        bytes32 digest = keccak256("switched");
        bytes32 expected = vouchedHandle(target, digest, user);
        vm.expectEmit(address(ciphertexts));
        emit ICiphertextRegistry.CiphertextRegistered(
            expected,
            target,
            digest,
            3,
            15,
            user,
            original,
            CiphertextOrigin.Vouched,
            0
        );
        bytes32 handle = registerSwitched(original, target);
        vm.assertEq(handle, expected, "handle");
        Ciphertext memory record = ciphertexts.ciphertext(handle);
        vm.assertEq(record.keyId, target, "key");
        vm.assertEq(record.owner, user, "owner");
        vm.assertEq(record.source, original, "source");
        vm.assertEq(ciphertexts.ciphertext(original).source, bytes32(0), "the original has none");
    }

    function test_rightsAreThoseOfTheOriginalBeforeAndAfter() public {
        bytes32 original = switchable();
        vm.prank(user);
        ciphertexts.allow(original, stranger);
        bytes32 handle = registerSwitched(original, target);
        vm.assertTrue(ciphertexts.mayDecrypt(handle, user), "owner");
        vm.assertTrue(ciphertexts.mayDecrypt(handle, stranger), "allowed before");
        // The owner of the target has no say.
        vm.assertFalse(ciphertexts.mayDecrypt(handle, OTHER_OWNER), "owner of the target");
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotOwner.selector,
                handle,
                OTHER_OWNER
            )
        );
        vm.prank(OTHER_OWNER);
        ciphertexts.allow(handle, OTHER_OWNER);

        vm.expectEmit(address(ciphertexts));
        emit ICiphertextRegistry.DecryptionAllowed(original, OTHER_OWNER);
        vm.prank(user);
        ciphertexts.allow(handle, OTHER_OWNER);
        vm.assertTrue(ciphertexts.mayDecrypt(handle, OTHER_OWNER), "switched");
        vm.assertTrue(ciphertexts.mayDecrypt(original, OTHER_OWNER), "original");
        vm.prank(user);
        ciphertexts.allow(original, governor);
        vm.assertTrue(ciphertexts.mayDecrypt(handle, governor), "allowed later");
    }

    function test_registerSwitchedIsForTheRegistrar() public {
        bytes32 original = switchable();
        vm.expectRevert(unauthorized(user));
        vm.prank(user);
        ciphertexts.registerSwitched(original, target, keccak256("switched"), 3, 15);
    }

    function test_registerSwitchedNeedsARecordedKeyBetweenTheTwo() public {
        bytes32 original = registerCiphertext(source, 1);
        allow(source, target);
        bytes32 requestId = request(source, target);
        expectNotSwitchable(original, source, target);
        recordEvaluationKeys(requestId);
        expectNotSwitchable(original, source, source);
        expectNotSwitchable(registerCiphertext(target, 2), target, source);
        expectNotSwitchable(original, source, "none");
        registerSwitched(original, target);
    }

    function test_registerSwitchedRefusesWhatRegisterRefuses() public {
        bytes32 original = switchable();
        vm.expectRevert(
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryUnknown.selector, target)
        );
        registerSwitched(target, target);
        vm.startPrank(registrar);
        vm.expectRevert(ICiphertextRegistry.CiphertextRegistryZeroDigest.selector);
        ciphertexts.registerSwitched(original, target, 0, 3, 15);
        vm.expectPartialRevert(ICiphertextRegistry.CiphertextRegistryLimbs.selector);
        ciphertexts.registerSwitched(original, target, keccak256("switched"), 4, 15);
        vm.expectPartialRevert(ICiphertextRegistry.CiphertextRegistryNoise.selector);
        ciphertexts.registerSwitched(original, target, keccak256("switched"), 3, 21);
        vm.stopPrank();
        bytes32 handle = registerSwitched(original, target);
        vm.expectRevert(
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryExists.selector, handle)
        );
        registerSwitched(original, target);
    }

    /// @dev Retiring a key ends what can be done with its ciphertexts.
    function test_nothingLeavesARetiredKeyOrEntersOne() public {
        bytes32 original = switchable();
        vm.prank(governor);
        keys.retireKey(target);
        vm.expectRevert(keyState(target, KeyState.Retired));
        registerSwitched(original, target);
        vm.prank(governor);
        keys.retireKey(source);
        vm.expectRevert(keyState(source, KeyState.Retired));
        registerSwitched(original, target);
    }

    function test_requireOwnedChecksEachHandle() public {
        bytes32[] memory handles = new bytes32[](2);
        handles[0] = registerCiphertext(source, 1);
        handles[1] = registerCiphertext(source, 2);
        ciphertexts.requireOwned(handles, user);
        bytes4 selector = ICiphertextRegistry.CiphertextRegistryNotOwner.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, handles[0], stranger));
        ciphertexts.requireOwned(handles, stranger);
        vm.prank(registrar);
        handles[1] = ciphertexts.register(source, "of another", 3, 10, stranger);
        vm.expectRevert(abi.encodeWithSelector(selector, handles[1], user));
        ciphertexts.requireOwned(handles, user);
        handles[0] = "none";
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryUnknown.selector,
                bytes32("none")
            )
        );
        ciphertexts.requireOwned(handles, address(0));
    }

    function keyOf(
        address owner,
        bytes32 epoch,
        bytes32 set,
        bytes32 label
    ) private returns (bytes32 id) {
        vm.prank(owner);
        id = keys.requestKey(epoch, set, label);
        recordKey(epoch, id);
    }

    function allow(bytes32 fromKeyId, bytes32 toKeyId) private {
        vm.prank(requester);
        evaluationKeys.allowSwitching(fromKeyId, toKeyId);
    }

    function request(bytes32 fromKeyId, bytes32 toKeyId) private returns (bytes32) {
        vm.prank(OTHER_OWNER);
        return evaluationKeys.requestSwitchingKey(fromKeyId, toKeyId);
    }

    /// @dev A ciphertext under the source, and a recorded key to switch it with.
    function switchable() private returns (bytes32 original) {
        original = registerCiphertext(source, 1);
        allow(source, target);
        recordEvaluationKeys(request(source, target));
    }

    function registerSwitched(bytes32 original, bytes32 toKeyId) private returns (bytes32) {
        vm.prank(registrar);
        return ciphertexts.registerSwitched(original, toKeyId, keccak256("switched"), 3, 15);
    }

    function expectNotSwitchable(bytes32 original, bytes32 fromKeyId, bytes32 toKeyId) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotSwitchable.selector,
                fromKeyId,
                toKeyId
            )
        );
        registerSwitched(original, toKeyId);
    }

    function expectNotRecorded(bytes32 requestId, bytes32 retired) private {
        bytes memory digests = abi.encodePacked(keccak256("entry"));
        bytes32 digest = evaluationKeys.hashResult(epochId, requestId, keccak256(digests));
        bytes memory signed = signatures(digest, 7);
        vm.expectRevert(keyState(retired, KeyState.Retired));
        evaluationKeys.recordEvaluationKeys(requestId, digests, 7, signed);
    }

    function assertOnlySource(bytes32 toKeyId) private view {
        bytes32[] memory sources = evaluationKeys.sourcesOf(toKeyId);
        vm.assertEq(sources.length, 1, "sources");
        vm.assertEq(sources[0], source, "source");
    }

    function keyState(bytes32 id, KeyState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeyManager.KeyManagerKeyState.selector, id, state);
    }

    function notOwner(bytes32 keyId, address account) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IEvaluationKeyManager.EvaluationKeyManagerNotOwner.selector,
                keyId,
                account
            );
    }

    function notAllowed(bytes32 fromKeyId, bytes32 toKeyId) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IEvaluationKeyManager.EvaluationKeyManagerSwitchingNotAllowed.selector,
                fromKeyId,
                toKeyId
            );
    }
}
