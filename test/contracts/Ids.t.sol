// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICiphertextRegistry} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {UserDecryptionPermit} from "../../contracts/interfaces/IDecryptionGateway.sol";
import {IRequests, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Two inputs have one id exactly if they are the same input. The inputs are drawn from small
/// sets, so that both happen often.
contract IdsTest is Deployment {
    bytes32[2] private epochIds;
    bytes32[2] private keyIds;
    bytes32[3] private handles;
    bytes32 private setId;
    bytes private lastSignature;

    function setUp() public override {
        super.setUp();
        authority.grantRole(KEY_REQUESTER, user, 0);
        setId = addTestSet();
        for (uint256 i = 0; i < 2; ++i) {
            epochIds[i] = activeEpoch(4, bytes32(i));
            keyIds[i] = activeKey(epochIds[0], setId, bytes32(1000 + i));
        }
        for (uint256 i = 0; i < 3; ++i) {
            handles[i] = registerCiphertext(keyIds[0], i);
            vm.startPrank(user);
            ciphertexts.allow(handles[i], stranger);
            ciphertexts.allow(handles[i], vm.addr(0xB0B));
            ciphertexts.allow(handles[i], vm.addr(0xB0C));
            vm.stopPrank();
        }
    }

    function testFuzz_requests(uint256 seed) public {
        bytes32 first = request(seed & 0xff);
        uint256 second = (seed >> 8) & 0xff;
        if (canonical(second) == canonical(seed & 0xff)) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRequests.RequestsExists.selector,
                    first,
                    RequestState.Pending,
                    uint64(block.timestamp) + RESPONSE_WINDOW
                )
            );
            request(second);
        } else {
            vm.assertTrue(request(second) != first, "two requests, two ids");
        }
    }

    /// @dev The second differs in one bit of what is chosen, or in none.
    function testFuzz_userRequests(uint8 a, uint8 flipped) public {
        uint8 b = a ^ uint8(1 << (flipped % 9));
        bytes32 first = requestForUser(a);
        if (a == b) {
            vm.expectPartialRevert(IRequests.RequestsExists.selector);
            submit(permitFor(b), lastSignature, b);
        } else {
            vm.assertTrue(requestForUser(b) != first, "two requests, two ids");
        }
    }

    function testFuzz_evaluationKeys(uint8 a, uint8 b) public {
        bytes32 first = requestEvaluationKeys(a & 15);
        // Who asks is not part of the id.
        if (a & 7 == b & 7) {
            vm.expectPartialRevert(IRequests.RequestsExists.selector);
            requestEvaluationKeys(b & 15);
        } else {
            vm.assertTrue(requestEvaluationKeys(b & 15) != first, "two requests, two ids");
        }
    }

    function testFuzz_keys(uint8 a, uint8 b) public {
        bytes32 first = requestKey(a & 7);
        if (a & 7 == b & 7) {
            vm.expectPartialRevert(IRequests.RequestsExists.selector);
            requestKey(b & 7);
        } else {
            vm.assertTrue(requestKey(b & 7) != first, "two keys, two ids");
        }
    }

    function testFuzz_handles(uint8 a, uint8 b) public {
        bytes32 first = register(a & 3);
        if (a & 3 == b & 3) {
            vm.expectRevert(
                abi.encodeWithSelector(ICiphertextRegistry.CiphertextRegistryExists.selector, first)
            );
            register(b & 3);
        } else {
            vm.assertTrue(register(b & 3) != first, "two ciphertexts, two handles");
        }
    }

    /// @dev Bits: 0-1 handles, 2-3 positions, 4 caller, 5 salt; the others mean nothing.
    function canonical(uint256 choice) private pure returns (uint256) {
        return choice & 0x3f;
    }

    function request(uint256 choice) private returns (bytes32) {
        bytes32[] memory chosen = chosenHandles(choice & 3);
        uint256 wanted = (choice >> 2) & 3;
        uint32[] memory positions = new uint32[](
            wanted == 3
                ? 2
                : wanted == 0
                    ? 0
                    : 1
        );
        if (wanted == 3) positions[1] = 1;
        else if (wanted == 2) positions[0] = 1;

        vm.prank((choice >> 4) & 1 == 0 ? user : stranger);
        return gateway.requestPublicDecryption(chosen, positions, bytes32((choice >> 5) & 1));
    }

    /// @dev Bits: 0-1 handles, 2 packed, 3 user, 4 public key, 5-6 caller, 7 salt.
    function requestForUser(uint8 choice) private returns (bytes32) {
        UserDecryptionPermit memory permit = permitFor(choice);
        uint256 signingKey = 0xB0B + ((choice >> 3) & 1);
        lastSignature = signature(signingKey, gateway.hashUserDecryptionPermit(permit));
        return submit(permit, lastSignature, choice);
    }

    function submit(
        UserDecryptionPermit memory permit,
        bytes memory signed,
        uint8 choice
    ) private returns (bytes32) {
        bytes32[] memory chosen = chosenHandles(choice & 3);
        bool packed = (choice >> 2) & 1 == 1;
        vm.prank(address(uint160(0x80 + ((choice >> 5) & 3))));
        return
            gateway.requestUserDecryption(
                permit,
                signed,
                chosen,
                packed,
                bytes32(uint256(choice >> 7))
            );
    }

    function permitFor(uint8 choice) private view returns (UserDecryptionPermit memory) {
        return
            UserDecryptionPermit({
                user: vm.addr(0xB0B + ((choice >> 3) & 1)),
                publicKeyDigest: bytes32(uint256(1 + ((choice >> 4) & 1))),
                handles: new bytes32[](0),
                owner: user,
                validFrom: uint64(block.timestamp),
                validUntil: uint64(block.timestamp)
            });
    }

    /// @dev One of three, or two of them.
    function chosenHandles(uint256 which) private view returns (bytes32[] memory chosen) {
        chosen = new bytes32[](which == 3 ? 2 : 1);
        chosen[0] = handles[which % 3];
        if (which == 3) chosen[1] = handles[1];
    }

    /// @dev Bits: 0 key, 1-2 what, 3 who asks: the key's owner or another account with the role.
    function requestEvaluationKeys(uint256 choice) private returns (bytes32) {
        bytes32 keyId = keyIds[choice & 1];
        uint256 what = (choice >> 1) & 3;
        uint32[] memory elements = new uint32[](what == 3 ? 2 : 1);
        elements[0] = what == 2 ? 5 : 3;
        if (what == 3) elements[1] = 5;
        vm.prank((choice >> 3) & 1 == 0 ? requester : user);
        if (what == 0) return evaluationKeys.requestRelinearizationKey(keyId);
        return evaluationKeys.requestGaloisKeys(keyId, elements);
    }

    function requestKey(uint256 choice) private returns (bytes32) {
        vm.prank(choice & 1 == 0 ? requester : user);
        return keys.requestKey(epochIds[(choice >> 1) & 1], setId, bytes32((choice >> 2) & 1));
    }

    function register(uint256 choice) private returns (bytes32) {
        return registerCiphertext(keyIds[choice & 1], 100 + ((choice >> 1) & 1));
    }
}
