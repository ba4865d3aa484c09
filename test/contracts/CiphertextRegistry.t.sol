// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Ciphertext,
    CiphertextOrigin,
    ICiphertextRegistry
} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {IKeyManager, KeyState, ParameterSet} from "../../contracts/interfaces/IKeyManager.sol";
import {Deployment} from "./Deployment.sol";

contract CiphertextRegistryTest is Deployment {
    bytes32 private constant DIGEST = keccak256("ciphertext");
    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private keyId;

    /// @dev A set whose decryption level leaves room: one to three primes.
    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        ParameterSet memory set = testSet();
        set.decryptionLimbs[0] = 2;
        vm.prank(governor);
        setId = keys.addParameterSet(set);
        keyId = activeKey(epochId, setId, 0);
    }

    function test_registerRecordsTheCiphertext() public {
        bytes32 expected = vouchedHandle(keyId, DIGEST, user);
        vm.expectEmit(address(ciphertexts));
        emit ICiphertextRegistry.CiphertextRegistered(
            expected,
            keyId,
            DIGEST,
            3,
            20,
            user,
            0,
            CiphertextOrigin.Vouched,
            0
        );
        bytes32 handle = register(DIGEST, 3, 20);
        vm.assertEq(handle, expected, "handle");
        Ciphertext memory record = ciphertexts.ciphertext(handle);
        vm.assertEq(record.keyId, keyId, "key");
        vm.assertEq(record.digest, DIGEST, "digest");
        vm.assertEq(record.owner, user, "owner");
        vm.assertEq(record.limbs, 3, "limbs");
        vm.assertEq(record.noiseBits, 20, "noise");
        vm.assertTrue(record.origin == CiphertextOrigin.Vouched, "origin");
        vm.assertEq(record.source, bytes32(0), "source");
        vm.assertEq(record.proofDigest, bytes32(0), "proof");
    }

    function test_registerIsForTheRegistrar() public {
        vm.expectRevert(unauthorized(user));
        vm.prank(user);
        ciphertexts.register(keyId, DIGEST, 3, 20, user);
    }

    function test_registerIsOnceForAnOwnerWhateverElseIsSaid() public {
        bytes32 handle = register(DIGEST, 3, 20);
        vm.expectRevert(
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryExists.selector, handle)
        );
        vm.prank(registrar);
        ciphertexts.register(keyId, DIGEST, 2, 1, user);
        vm.prank(registrar);
        vm.assertTrue(
            ciphertexts.register(keyId, DIGEST, 2, 1, stranger) != handle,
            "another owner, another handle"
        );
    }

    function test_registerRefusesZeros() public {
        vm.expectRevert(ICiphertextRegistry.CiphertextRegistryZeroDigest.selector);
        register(0, 3, 20);
        vm.expectRevert(ICiphertextRegistry.CiphertextRegistryZeroAccount.selector);
        vm.prank(registrar);
        ciphertexts.register(keyId, DIGEST, 3, 20, address(0));
    }

    function test_levelAndNoiseKeepToTheLimits() public {
        bytes4 limbs = ICiphertextRegistry.CiphertextRegistryLimbs.selector;
        vm.expectRevert(abi.encodeWithSelector(limbs, uint8(1), uint8(2), uint8(3)));
        register(DIGEST, 1, 20);
        vm.expectRevert(abi.encodeWithSelector(limbs, uint8(4), uint8(2), uint8(3)));
        register(DIGEST, 4, 20);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNoise.selector,
                uint16(21),
                uint16(20)
            )
        );
        register(DIGEST, 2, 21);
        register(DIGEST, 2, 20);
    }

    function test_theKeyIsActive() public {
        vm.prank(requester);
        bytes32 pending = keys.requestKey(epochId, setId, "pending");
        vm.expectRevert(
            abi.encodeWithSelector(
                IKeyManager.KeyManagerKeyState.selector,
                pending,
                KeyState.Pending
            )
        );
        vm.prank(registrar);
        ciphertexts.register(pending, DIGEST, 3, 20, user);
    }

    function test_theOwnerDecryptsAndAllowsOthers() public {
        bytes32 handle = register(DIGEST, 3, 20);
        vm.assertTrue(ciphertexts.mayDecrypt(handle, user), "owner");
        vm.assertFalse(ciphertexts.mayDecrypt(handle, stranger), "stranger");
        vm.assertFalse(ciphertexts.mayDecrypt(handle, registrar), "registrar");

        vm.expectEmit(address(ciphertexts));
        emit ICiphertextRegistry.DecryptionAllowed(handle, stranger);
        vm.prank(user);
        ciphertexts.allow(handle, stranger);
        vm.assertTrue(ciphertexts.mayDecrypt(handle, stranger), "allowed");

        // Being allowed is not owning.
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotOwner.selector,
                handle,
                stranger
            )
        );
        vm.prank(stranger);
        ciphertexts.allow(handle, requester);
        vm.expectRevert(ICiphertextRegistry.CiphertextRegistryZeroAccount.selector);
        vm.prank(user);
        ciphertexts.allow(handle, address(0));
    }

    function test_nobodyDecryptsWhatIsNotRegistered() public {
        vm.assertFalse(ciphertexts.mayDecrypt("none", user), "user");
        vm.assertFalse(ciphertexts.mayDecrypt("none", address(0)), "zero");
        vm.expectRevert(unknown("none"));
        vm.prank(address(0));
        ciphertexts.allow("none", user);
    }

    function test_requireDecryptableChecksEachHandle() public {
        bytes32[] memory handles = new bytes32[](0);
        vm.expectRevert(ICiphertextRegistry.CiphertextRegistryNoHandles.selector);
        ciphertexts.requireDecryptable(handles, user);

        handles = new bytes32[](2);
        handles[0] = registerCiphertext(keyId, 1);
        vm.expectRevert(unknown(0));
        ciphertexts.requireDecryptable(handles, user);

        handles[1] = registerCiphertext(keyId, 2);
        vm.assertEq(ciphertexts.requireDecryptable(handles, user), keyId, "key");

        vm.prank(user);
        ciphertexts.allow(handles[0], stranger);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotAllowed.selector,
                handles[1],
                stranger
            )
        );
        ciphertexts.requireDecryptable(handles, stranger);

        bytes32 otherKey = activeKey(epochId, setId, "other");
        handles[1] = registerCiphertext(otherKey, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryMixedKeys.selector,
                handles[1],
                otherKey,
                keyId
            )
        );
        ciphertexts.requireDecryptable(handles, user);
    }

    function register(bytes32 digest, uint8 limbs, uint16 noiseBits) private returns (bytes32) {
        vm.prank(registrar);
        return ciphertexts.register(keyId, digest, limbs, noiseBits, user);
    }

    function unknown(bytes32 handle) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryUnknown.selector, handle);
    }
}
