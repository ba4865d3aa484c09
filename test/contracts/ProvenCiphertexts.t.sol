// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CiphertextRegistry} from "../../contracts/CiphertextRegistry.sol";
import {
    Ciphertext,
    CiphertextOrigin,
    ICiphertextRegistry,
    ProvenCiphertext
} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {IKeyManager, KeyState, ParameterSet} from "../../contracts/interfaces/IKeyManager.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Ciphertexts that a quorum has found proven: who signed what, and what is refused whoever signed.
contract ProvenCiphertextsTest is Deployment {
    uint256 private constant QUORUM = 3;

    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private keyId;
    bytes32 private otherKey;

    /// @dev A set whose decryption level leaves room: two or three primes. Nobody is a registrar.
    function setUp() public override {
        super.setUp();
        authority.revokeRole(REGISTRAR, registrar);
        epochId = activeEpoch(4, 0);
        ParameterSet memory set = testSet();
        set.decryptionLimbs[0] = 2;
        vm.prank(governor);
        setId = keys.addParameterSet(set);
        keyId = activeKey(epochId, setId, 0);
        otherKey = activeKey(epochId, setId, "other");
    }

    // What is registered

    function test_anybodyRegistersWhatAQuorumHasSigned() public {
        ProvenCiphertext memory proven = fresh("proven");
        bytes32 expected = handleOf(ciphertexts, proven);
        bytes memory signed = sign(proven);
        vm.expectEmit(address(ciphertexts));
        emit ICiphertextRegistry.CiphertextRegistered(
            expected,
            keyId,
            "proven",
            3,
            20,
            user,
            0,
            CiphertextOrigin.Lattice,
            "proof"
        );
        vm.prank(stranger);
        bytes32 handle = ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
        vm.assertEq(handle, expected, "handle");
        Ciphertext memory record = ciphertexts.ciphertext(handle);
        vm.assertEq(record.keyId, keyId, "key");
        vm.assertEq(record.digest, "proven", "digest");
        vm.assertEq(record.owner, user, "owner");
        vm.assertEq(record.limbs, 3, "limbs");
        vm.assertEq(record.noiseBits, 20, "noise");
        vm.assertTrue(record.origin == CiphertextOrigin.Lattice, "origin");
        vm.assertEq(record.source, bytes32(0), "source");
        vm.assertEq(record.proofDigest, "proof", "proof");
        vm.assertTrue(ciphertexts.mayDecrypt(handle, user), "the owner may decrypt it");
        vm.assertFalse(ciphertexts.mayDecrypt(handle, stranger), "the sender may not");
    }

    function test_originsOfOneCiphertextAreDifferentHandles() public {
        ProvenCiphertext memory proven = fresh("proven");
        bytes32 lattice = register(proven);
        proven.origin = CiphertextOrigin.Kzg;
        bytes32 kzg = register(proven);
        vm.assertTrue(lattice != kzg, "origin");
        proven.owner = stranger;
        vm.assertTrue(register(proven) != kzg, "owner");
        proven.proofDigest = "another proof";
        vm.assertTrue(ciphertexts.ciphertext(register(proven)).owner == stranger, "proof");
    }

    /// @dev Whoever copies the transaction and is faster does what the owner wanted.
    function test_beingFasterChangesNothing() public {
        ProvenCiphertext memory proven = fresh("proven");
        bytes memory signed = sign(proven);
        vm.prank(stranger);
        bytes32 handle = ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
        vm.assertEq(ciphertexts.ciphertext(handle).owner, user, "owner");
        vm.expectRevert(
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryExists.selector, handle)
        );
        vm.prank(user);
        ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
        proven.noiseBits = 1;
        signed = sign(proven);
        vm.expectRevert(
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryExists.selector, handle)
        );
        ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
    }

    // What is signed

    function test_everyMemberOfTheStructIsSigned() public {
        ProvenCiphertext memory proven = fresh("proven");
        bytes memory signed = sign(proven);
        proven.keyId = otherKey;
        expectNotSigned(proven, signed);
        proven = fresh("another");
        expectNotSigned(proven, signed);
        proven = fresh("proven");
        proven.owner = stranger;
        expectNotSigned(proven, signed);
        proven = fresh("proven");
        proven.limbs = 2;
        expectNotSigned(proven, signed);
        proven = fresh("proven");
        proven.noiseBits = 19;
        expectNotSigned(proven, signed);
        proven = fresh("proven");
        proven.origin = CiphertextOrigin.Kzg;
        expectNotSigned(proven, signed);
        proven = fresh("proven");
        proven.proofDigest = "another proof";
        expectNotSigned(proven, signed);
        ciphertexts.registerProven(fresh("proven"), firstMembers(QUORUM), signed);
    }

    function test_everyInputIsSignedInItsPlace() public {
        bytes32 a = register(fresh("a"));
        bytes32 b = register(fresh("b"));
        ProvenCiphertext memory proven = computed(two(a, b));
        bytes memory signed = sign(proven);
        proven.inputs = two(b, a);
        expectNotSigned(proven, signed);
        proven.inputs = one(a);
        expectNotSigned(proven, signed);
        proven.inputs = two(a, register(fresh("c")));
        expectNotSigned(proven, signed);
        vm.prank(user);
        ciphertexts.registerProven(computed(two(a, b)), firstMembers(QUORUM), signed);
    }

    function test_signaturesAreThoseOfTheKeysEpoch() public {
        bytes32 otherEpoch = activeEpoch(4, "other");
        ProvenCiphertext memory proven = fresh("proven");
        expectNotSigned(proven, sign(ciphertexts, otherEpoch, proven, QUORUM));
        // A larger committee with the same members, and its quorum.
        bytes32 larger = activeEpoch(7, "larger");
        expectNotSigned(proven, sign(ciphertexts, larger, proven, QUORUM));
        bytes memory signed = sign(ciphertexts, larger, proven, 5);
        vm.expectPartialRevert(IEpochManager.EpochManagerBitmapRange.selector);
        ciphertexts.registerProven(proven, firstMembers(5), signed);
    }

    function test_aQuorumHasSigned() public {
        ProvenCiphertext memory proven = fresh("proven");
        for (uint256 count = 2; count <= 4; count += 2) {
            bytes memory signed = sign(ciphertexts, epochId, proven, count);
            vm.expectRevert(
                abi.encodeWithSelector(IEpochManager.EpochManagerQuorumSize.selector, count, QUORUM)
            );
            ciphertexts.registerProven(proven, firstMembers(count), signed);
        }
        vm.expectPartialRevert(IEpochManager.EpochManagerSignaturesLength.selector);
        ciphertexts.registerProven(proven, firstMembers(QUORUM), "");
    }

    function test_signaturesAreForOneChainAndOneContract() public {
        CiphertextRegistry twin = CiphertextRegistry(
            proxyOf(
                address(new CiphertextRegistry()),
                abi.encodeCall(CiphertextRegistry.initialize, (address(authority), evaluationKeys))
            )
        );
        ProvenCiphertext memory proven = fresh("proven");
        bytes memory signed = sign(proven);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        twin.registerProven(proven, firstMembers(QUORUM), signed);
        bytes memory forTwin = sign(twin, epochId, proven, QUORUM);
        expectNotSigned(proven, forTwin);
        twin.registerProven(proven, firstMembers(QUORUM), forTwin);
        vm.assertTrue(handleOf(twin, proven) != handleOf(ciphertexts, proven), "handles");

        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        expectNotSigned(proven, signed);
        vm.chainId(chain);
        ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
    }

    /// @dev In the domain of a contract that takes requests the same words would be another statement.
    function test_resultsOfRequestsAreNotRegistrations() public {
        ProvenCiphertext memory proven = fresh("proven");
        bytes32 digest = keys.hashResult(
            epochId,
            handleOf(ciphertexts, proven),
            keccak256(abi.encode(proven.limbs, proven.noiseBits, proven.inputs))
        );
        expectNotSigned(proven, signatures(digest, firstMembers(QUORUM)));
    }

    // What is refused whoever signed it

    function test_whatIsVouchedForIsNotProven() public {
        ProvenCiphertext memory proven = fresh("proven");
        proven.origin = CiphertextOrigin.Vouched;
        expectRefused(proven, unproven(CiphertextOrigin.Vouched, "proof"));
        proven = fresh("proven");
        proven.proofDigest = 0;
        expectRefused(proven, unproven(CiphertextOrigin.Lattice, 0));
        // And there is no fifth origin.
        bytes memory call = abi.encodeCall(
            ciphertexts.registerProven,
            (fresh("proven"), firstMembers(QUORUM), sign(fresh("proven")))
        );
        // Selector, offset of the struct, two arguments, then six members.
        uint256 place = 4 + 3 * 32 + 5 * 32 + 31;
        vm.assertEq(uint8(call[place]), uint8(CiphertextOrigin.Lattice), "the origin's place");
        call[place] = 0x04;
        (bool success, ) = address(ciphertexts).call(call);
        vm.assertFalse(success, "the fifth origin");
        call[place] = 0x01;
        (success, ) = address(ciphertexts).call(call);
        vm.assertTrue(success, "the second origin");
    }

    function test_zerosAreRefused() public {
        ProvenCiphertext memory proven = fresh("proven");
        proven.owner = address(0);
        expectRefused(
            proven,
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryZeroAccount.selector)
        );
        expectRefused(
            fresh(0),
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryZeroDigest.selector)
        );
    }

    function test_levelAndNoiseKeepToTheLimits() public {
        bytes4 limbs = ICiphertextRegistry.CiphertextRegistryLimbs.selector;
        ProvenCiphertext memory proven = fresh("proven");
        proven.limbs = 1;
        expectRefused(proven, abi.encodeWithSelector(limbs, uint8(1), uint8(2), uint8(3)));
        proven.limbs = 4;
        expectRefused(proven, abi.encodeWithSelector(limbs, uint8(4), uint8(2), uint8(3)));
        proven.limbs = 2;
        proven.noiseBits = 21;
        expectRefused(
            proven,
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNoise.selector,
                uint16(21),
                uint16(20)
            )
        );
    }

    function test_theKeyAndItsEpochAreActive() public {
        ProvenCiphertext memory proven = fresh("proven");
        vm.prank(requester);
        proven.keyId = keys.requestKey(epochId, setId, "pending");
        expectRefused(proven, keyState(proven.keyId, KeyState.Pending));
        proven.keyId = otherKey;
        vm.prank(governor);
        keys.retireKey(otherKey);
        expectRefused(proven, keyState(otherKey, KeyState.Retired));
        proven.keyId = "none";
        expectRefused(proven, keyState("none", KeyState.None));
        bytes memory signed = sign(fresh("proven"));
        retire(epochId);
        vm.expectRevert(
            abi.encodeWithSelector(IKeyManager.KeyManagerEpochInactive.selector, keyId, epochId)
        );
        ciphertexts.registerProven(fresh("proven"), firstMembers(QUORUM), signed);
    }

    // Inputs

    function test_whatIsComputedHasItsInputsRightsBehindIt() public {
        bytes32 a = register(fresh("a"));
        ProvenCiphertext memory proven = computed(one(a));
        proven.owner = stranger;
        expectRefused(
            proven,
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotAllowed.selector,
                a,
                stranger
            )
        );
        vm.prank(user);
        ciphertexts.allow(a, stranger);
        bytes32 handle = register(proven);
        vm.assertTrue(ciphertexts.mayDecrypt(handle, stranger), "its owner");
        vm.assertFalse(ciphertexts.mayDecrypt(handle, user), "the input's owner");
    }

    /// @dev Else whoever has a permit for all that a user owns could make more come under it.
    function test_whatIsComputedIsRegisteredByItsOwnerOnly() public {
        ProvenCiphertext memory proven = computed(one(register(fresh("a"))));
        bytes memory signed = sign(proven);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotByOwner.selector,
                user,
                stranger
            )
        );
        vm.prank(stranger);
        ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
    }

    function test_theNumberOfInputsIsThatOfTheOrigin() public {
        bytes32[] memory inputs = new bytes32[](17);
        for (uint256 i = 0; i < 17; ++i) inputs[i] = register(fresh(bytes32(1 + i)));
        expectRefused(computed(inputs), inputCount(CiphertextOrigin.Computed, 17));
        expectRefused(computed(new bytes32[](0)), inputCount(CiphertextOrigin.Computed, 0));
        ProvenCiphertext memory proven = fresh("proven");
        proven.inputs = one(inputs[0]);
        expectRefused(proven, inputCount(CiphertextOrigin.Lattice, 1));
        proven.origin = CiphertextOrigin.Kzg;
        expectRefused(proven, inputCount(CiphertextOrigin.Kzg, 1));
        assembly ("memory-safe") {
            mstore(inputs, 16)
        }
        register(computed(inputs));
    }

    function test_inputsAreRegisteredAndDifferent() public {
        bytes32 a = register(fresh("a"));
        bytes32 unknown = "none";
        expectRefused(
            computed(two(a, unknown)),
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryUnknown.selector, unknown)
        );
        expectRefused(
            computed(two(a, a)),
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryInputTwice.selector, a)
        );
    }

    function test_aResultIsAnInputAgain() public {
        bytes32 a = register(fresh("a"));
        bytes32 handle = register(computed(one(a)));
        ProvenCiphertext memory proven = computed(two(a, handle));
        proven.digest = "deeper";
        register(proven);
    }

    function test_inputsOfAnotherKeyNeedARecordedSwitchingKey() public {
        ProvenCiphertext memory input = fresh("a");
        input.keyId = otherKey;
        ProvenCiphertext memory proven = computed(one(register(input)));
        bytes memory refusal = abi.encodeWithSelector(
            ICiphertextRegistry.CiphertextRegistryNotSwitchable.selector,
            otherKey,
            keyId
        );
        expectRefused(proven, refusal);
        bytes32 requestId = requestSwitching(otherKey, keyId);
        expectRefused(proven, refusal);
        recordEvaluationKeys(requestId);
        // Nothing leaves a retired key.
        vm.prank(governor);
        keys.retireKey(otherKey);
        expectRefused(proven, keyState(otherKey, KeyState.Retired));
        proven.inputs = one(register(fresh("of the key itself")));
        register(proven);
    }

    function test_inputsOfASwitchableKeyAreTaken() public {
        ProvenCiphertext memory input = fresh("a");
        input.keyId = otherKey;
        bytes32 a = register(input);
        recordEvaluationKeys(requestSwitching(otherKey, keyId));
        register(computed(two(a, register(fresh("b")))));
    }

    // Support

    function fresh(bytes32 digest) private view returns (ProvenCiphertext memory proven) {
        proven.keyId = keyId;
        proven.digest = digest;
        proven.owner = user;
        proven.limbs = 3;
        proven.noiseBits = 20;
        proven.origin = CiphertextOrigin.Lattice;
        proven.proofDigest = "proof";
    }

    function computed(
        bytes32[] memory inputs
    ) private view returns (ProvenCiphertext memory proven) {
        proven = fresh("computed");
        proven.origin = CiphertextOrigin.Computed;
        proven.proofDigest = "program";
        proven.inputs = inputs;
    }

    function one(bytes32 a) private pure returns (bytes32[] memory handles) {
        handles = new bytes32[](1);
        handles[0] = a;
    }

    function two(bytes32 a, bytes32 b) private pure returns (bytes32[] memory handles) {
        handles = new bytes32[](2);
        (handles[0], handles[1]) = (a, b);
    }

    function handleOf(
        CiphertextRegistry at,
        ProvenCiphertext memory proven
    ) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    block.chainid,
                    address(at),
                    proven.keyId,
                    proven.digest,
                    proven.owner,
                    proven.origin,
                    proven.proofDigest
                )
            );
    }

    function sign(
        CiphertextRegistry at,
        bytes32 ofEpoch,
        ProvenCiphertext memory proven,
        uint256 count
    ) private view returns (bytes memory) {
        bytes32 resultHash = keccak256(abi.encode(proven.limbs, proven.noiseBits, proven.inputs));
        bytes32 digest = at.hashResult(ofEpoch, handleOf(at, proven), resultHash);
        return signatures(digest, firstMembers(count));
    }

    function sign(ProvenCiphertext memory proven) private view returns (bytes memory) {
        return sign(ciphertexts, epochId, proven, QUORUM);
    }

    function register(ProvenCiphertext memory proven) private returns (bytes32) {
        bytes memory signed = sign(proven);
        vm.prank(proven.owner);
        return ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
    }

    function expectNotSigned(ProvenCiphertext memory proven, bytes memory signed) private {
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        vm.prank(proven.owner);
        ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
    }

    function expectRefused(ProvenCiphertext memory proven, bytes memory refusal) private {
        bytes memory signed = sign(proven);
        vm.expectRevert(refusal);
        vm.prank(proven.owner);
        ciphertexts.registerProven(proven, firstMembers(QUORUM), signed);
    }

    function unproven(
        CiphertextOrigin origin,
        bytes32 proofDigest
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryUnproven.selector,
                origin,
                proofDigest
            );
    }

    function inputCount(
        CiphertextOrigin origin,
        uint256 count
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryInputCount.selector,
                origin,
                count
            );
    }

    function keyState(bytes32 id, KeyState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeyManager.KeyManagerKeyState.selector, id, state);
    }
}
