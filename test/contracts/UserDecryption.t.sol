// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICiphertextRegistry} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {
    IDecryptionGateway,
    UserDecryptionPermit
} from "../../contracts/interfaces/IDecryptionGateway.sol";
import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {IKeyManager, KeyState} from "../../contracts/interfaces/IKeyManager.sol";
import {IRequests, Request, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {Deployment} from "./Deployment.sol";
import {ContractWallet} from "./wallets/ContractWallet.sol";
import {HostileWallet} from "./wallets/HostileWallet.sol";

/// @notice User decryption: what a permit allows, and what it does not.
contract UserDecryptionTest is Deployment {
    bytes32 private constant PUBLIC_KEY = keccak256("public key of the user");
    uint256 private constant SIGNING_KEY = 0xB0B;
    /// @dev Of secp256k1.
    uint256 private constant GROUP_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    address private immutable signer = vm.addr(SIGNING_KEY);
    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private keyId;
    bytes32[] private handles;

    /// @dev One handle of the account `user`, which the signer may decrypt and a permit names.
    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        setId = addTestSet();
        keyId = activeKey(epochId, setId, 0);
        addHandle(1);
    }

    // Requests

    function test_anybodyRequestsWithAPermit() public {
        addHandle(2);
        bytes32 expected = keccak256(
            abi.encode(
                block.chainid,
                address(gateway),
                epochId,
                handles,
                true,
                signer,
                PUBLIC_KEY,
                stranger,
                bytes32("salt")
            )
        );
        UserDecryptionPermit memory permit = permitForHandles();
        bytes memory signed = sign(permit);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.UserDecryptionRequested(
            expected,
            epochId,
            keyId,
            handles,
            true,
            signer,
            PUBLIC_KEY,
            stranger,
            uint64(block.timestamp) + RESPONSE_WINDOW,
            "salt"
        );
        vm.prank(stranger);
        bytes32 requestId = gateway.requestUserDecryption(permit, signed, handles, true, "salt");
        vm.assertEq(requestId, expected, "request id");
        Request memory record = gateway.request(requestId);
        vm.assertTrue(record.state == RequestState.Pending, "state");
        vm.assertEq(record.operation, Operations.USER_DECRYPTION, "for a user");
        vm.assertEq(record.account, stranger, "the submitter pays");
        vm.assertEq(record.deadline, block.timestamp + RESPONSE_WINDOW, "deadline");
        vm.assertEq(record.epochId, epochId, "epoch");
    }

    /// @dev A permit is used again; what is the same for all callers is one request per caller and salt.
    function test_aPermitIsUsedAgainAndTheSameRequestIsNot() public {
        UserDecryptionPermit memory permit = permitForHandles();
        bytes32 requestId = request(permit);
        expectRefused(
            permit,
            abi.encodeWithSelector(
                IRequests.RequestsExists.selector,
                requestId,
                RequestState.Pending,
                uint64(block.timestamp) + RESPONSE_WINDOW
            )
        );
        bytes memory signed = sign(permit);
        vm.prank(stranger);
        gateway.requestUserDecryption(permit, signed, handles, false, 0);
        gateway.requestUserDecryption(permit, signed, handles, false, "again");
        gateway.requestUserDecryption(permit, signed, handles, true, 0);
        vm.warp(block.timestamp + RESPONSE_WINDOW + 1);
        vm.assertEq(request(permit), requestId, "made again once it has expired");
        vm.assertTrue(gateway.request(requestId).state == RequestState.Pending, "pending again");
    }

    function test_handlesAreCountedAndDistinct() public {
        UserDecryptionPermit memory permit = permitForHandles();
        handles.push(handles[0]);
        expectRefused(
            permit,
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayDuplicateHandle.selector,
                handles[0]
            )
        );
        bytes4 count = IDecryptionGateway.DecryptionGatewayHandleCount.selector;
        delete handles;
        expectRefused(permit, abi.encodeWithSelector(count, 0, 16));
        for (uint256 i = 0; i < 17; ++i) addHandle(100 + i);
        expectRefused(permitForHandles(), abi.encodeWithSelector(count, 17, 16));
        handles.pop();
        request(permitForHandles());
    }

    function test_requestNeedsAnActiveKeyOfAnActiveEpochAndNoPause() public {
        UserDecryptionPermit memory permit = permitForHandles();
        vm.prank(governor);
        gateway.pauseRequests();
        expectRefused(permit, abi.encodeWithSelector(IRequests.RequestsPaused.selector));
        vm.prank(governor);
        gateway.unpauseRequests();
        retire(epochId);
        expectRefused(
            permit,
            abi.encodeWithSelector(IKeyManager.KeyManagerEpochInactive.selector, keyId, epochId)
        );
        vm.prank(governor);
        keys.retireKey(keyId);
        expectRefused(
            permit,
            abi.encodeWithSelector(IKeyManager.KeyManagerKeyState.selector, keyId, KeyState.Retired)
        );
    }

    // What a permit covers

    function test_onlyHandlesThatThePermitNames() public {
        UserDecryptionPermit memory permit = permitForHandles();
        addHandle(2);
        expectRefused(
            permit,
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayPermitHandle.selector,
                handles[1]
            )
        );
        permit = permitForHandles();
        handles.pop();
        request(permit);
    }

    function test_onlyWhatTheUserMayDecrypt() public {
        UserDecryptionPermit memory permit = permitForHandles();
        handles[0] = registerCiphertext(keyId, 2);
        permit.handles = handles;
        bytes memory notAllowed = abi.encodeWithSelector(
            ICiphertextRegistry.CiphertextRegistryNotAllowed.selector,
            handles[0],
            signer
        );
        expectRefused(permit, notAllowed);
        // Not with a permit for the owner's ciphertexts either, nor if the owner submits it.
        permit = permitForOwner(user);
        expectRefused(permit, notAllowed);
        bytes memory signed = sign(permit);
        vm.expectRevert(notAllowed);
        vm.prank(user);
        gateway.requestUserDecryption(permit, signed, handles, false, 0);
        handles[0] = "none";
        expectRefused(
            permit,
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryUnknown.selector,
                bytes32("none")
            )
        );
    }

    function test_anOwnersPermitCoversAllOfItsCiphertextsAndNobodyElses() public {
        addHandle(2);
        request(permitForOwner(user));

        // One that the signer may decrypt, of another owner: its own.
        vm.prank(registrar);
        handles.push(ciphertexts.register(keyId, "signer's own", 3, 10, signer));
        expectRefused(
            permitForOwner(user),
            abi.encodeWithSelector(
                ICiphertextRegistry.CiphertextRegistryNotOwner.selector,
                handles[2],
                user
            )
        );
        handles = [handles[2]];
        request(permitForOwner(signer));
    }

    function test_aPermitIsForHandlesOrForAnOwner() public {
        UserDecryptionPermit memory permit = permitForHandles();
        permit.owner = user;
        bytes memory scope = abi.encodeWithSelector(
            IDecryptionGateway.DecryptionGatewayPermitScope.selector
        );
        expectRefused(permit, scope);
        permit.owner = address(0);
        permit.handles = new bytes32[](0);
        expectRefused(permit, scope);
    }

    function test_aPermitNamesAtMost64Handles() public {
        UserDecryptionPermit memory permit = permitForHandles();
        permit.handles = new bytes32[](65);
        permit.handles[64] = handles[0];
        expectRefused(
            permit,
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayPermitHandleCount.selector,
                65,
                64
            )
        );
        permit.handles = new bytes32[](64);
        permit.handles[63] = handles[0];
        request(permit);
    }

    /// @dev Zero stands for everybody: a request for it would use the units of public decryption.
    function test_aPublicKeyIsNamed() public {
        UserDecryptionPermit memory permit = permitForHandles();
        permit.publicKeyDigest = 0;
        expectRefused(
            permit,
            abi.encodeWithSelector(IDecryptionGateway.DecryptionGatewayZeroPublicKey.selector)
        );
    }

    // When

    function test_aPermitHasItsTime() public {
        UserDecryptionPermit memory permit = permitForHandles();
        uint256 start = block.timestamp;
        permit.validFrom = uint64(start + 100);
        permit.validUntil = uint64(start + 200);
        expectRefused(permit, notItsTime(permit, start));
        vm.warp(start + 99);
        expectRefused(permit, notItsTime(permit, start + 99));
        vm.warp(start + 100);
        request(permit);
        vm.warp(start + 200);
        bytes memory signed = sign(permit);
        gateway.requestUserDecryption(permit, signed, handles, false, "in time");
        vm.warp(start + 201);
        expectRefused(permit, notItsTime(permit, start + 201));
        (permit.validFrom, permit.validUntil) = (permit.validUntil, permit.validFrom);
        vm.warp(start + 150);
        expectRefused(permit, notItsTime(permit, start + 150));
    }

    function test_aPermitIsValidForAtMost30Days() public {
        UserDecryptionPermit memory permit = permitForHandles();
        permit.validFrom = uint64(block.timestamp - 10 days);
        permit.validUntil = permit.validFrom + 30 days + 1;
        bytes4 selector = IDecryptionGateway.DecryptionGatewayPermitDuration.selector;
        expectRefused(
            permit,
            abi.encodeWithSelector(selector, uint64(30 days + 1), uint64(30 days))
        );
        permit.validFrom = 0;
        permit.validUntil = type(uint64).max;
        expectRefused(permit, abi.encodeWithSelector(selector, type(uint64).max, uint64(30 days)));
        permit.validFrom = uint64(block.timestamp - 10 days);
        permit.validUntil = permit.validFrom + 30 days;
        request(permit);
    }

    // Who

    /// @dev Every field is signed: what was signed with another value of one is not a signature of this.
    function test_aSignatureIsForOnePermit() public {
        UserDecryptionPermit[6] memory others;
        for (uint256 i = 0; i < 6; ++i) others[i] = permitForHandles();
        others[0].user = stranger;
        others[1].publicKeyDigest = keccak256("another key");
        others[2].handles = new bytes32[](2);
        others[2].handles[0] = handles[0];
        others[3].owner = user;
        others[4].validFrom -= 1;
        others[5].validUntil -= 1;
        for (uint256 i = 0; i < 6; ++i) expectForged(permitForHandles(), sign(others[i]));
    }

    function test_onlyTheUsersOwnSignatureCounts() public {
        UserDecryptionPermit memory permit = permitForHandles();
        bytes32 digest = gateway.hashUserDecryptionPermit(permit);
        expectForged(permit, signature(SIGNING_KEY + 1, digest));
        expectForged(permit, "");
        bytes memory signed = signature(SIGNING_KEY, digest);
        expectForged(permit, bytes.concat(signed, hex"00"));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNING_KEY, digest);
        expectForged(permit, abi.encodePacked(r, GROUP_ORDER - uint256(s), v == 27 ? 28 : 27));
        expectForged(permit, abi.encodePacked(r, s, v - 27));
        request(permit);
    }

    /// @dev A signature that recovers nobody is not one of the account zero.
    function test_nobodySignsForTheZeroAccount() public {
        vm.prank(user);
        vm.expectRevert(ICiphertextRegistry.CiphertextRegistryZeroAccount.selector);
        ciphertexts.allow(handles[0], address(0));
        UserDecryptionPermit memory permit = permitForHandles();
        permit.user = address(0);
        bytes memory signed = new bytes(65);
        vm.expectPartialRevert(ICiphertextRegistry.CiphertextRegistryNotAllowed.selector);
        gateway.requestUserDecryption(permit, signed, handles, false, 0);
    }

    function test_aPermitIsForOneChainAndOneContract() public {
        UserDecryptionPermit memory permit = permitForHandles();
        bytes memory signed = sign(permit);
        vm.chainId(block.chainid + 1);
        expectForged(permit, signed);
        vm.chainId(block.chainid - 1);

        (bytes32 elsewhere, bytes32 here) = (keys.domainSeparator(), gateway.domainSeparator());
        bytes32 typed = gateway.hashUserDecryptionPermit(permit);
        bytes32 structHash = structHashOf(permit);
        vm.assertEq(typed, keccak256(abi.encodePacked(hex"1901", here, structHash)), "digest");
        bytes32 foreign = keccak256(abi.encodePacked(hex"1901", elsewhere, structHash));
        expectForged(permit, signature(SIGNING_KEY, foreign));
        request(permit);
    }

    function test_contractsSignByErc1271() public {
        ContractWallet wallet = new ContractWallet(signer);
        vm.prank(user);
        ciphertexts.allow(handles[0], address(wallet));
        UserDecryptionPermit memory permit = permitForHandles();
        permit.user = address(wallet);
        expectForged(permit, signature(SIGNING_KEY + 1, gateway.hashUserDecryptionPermit(permit)));
        request(permit);
        wallet.lock();
        expectForged(permit, sign(permit));

        // A contract without the function, and one that answers with something else.
        permit.user = address(token);
        vm.prank(user);
        ciphertexts.allow(handles[0], address(token));
        expectForged(permit, sign(permit));
    }

    /// @dev An account with a key may have code too (EIP-7702): then both can sign, and nobody else.
    function test_aKeySignsForItsAccountWhateverCodeThatHas() public {
        ContractWallet wallet = new ContractWallet(vm.addr(SIGNING_KEY + 1));
        vm.etch(signer, address(wallet).code);
        UserDecryptionPermit memory permit = permitForHandles();
        bytes32 typed = gateway.hashUserDecryptionPermit(permit);
        request(permit);
        expectForged(permit, signature(SIGNING_KEY + 2, typed));
        bytes memory byCode = signature(SIGNING_KEY + 1, typed);
        gateway.requestUserDecryption(permit, byCode, handles, false, "by code");
    }

    /// @dev The check is a static call, so nothing can happen in the middle of a request.
    function test_aWalletCannotCallBack() public {
        HostileWallet wallet = new HostileWallet(address(gateway));
        vm.prank(user);
        ciphertexts.allow(handles[0], address(wallet));
        UserDecryptionPermit memory permit = permitForHandles();
        permit.user = address(wallet);
        UserDecryptionPermit memory inner = permitForHandles();
        wallet.onCheck(
            abi.encodeCall(gateway.requestUserDecryption, (inner, sign(inner), handles, false, 0))
        );
        expectForged(permit, "");
        vm.assertFalse(gateway.isUnitSpent(handles[0], PUBLIC_KEY), "nothing was requested");
        wallet.onCheck("");
        gateway.requestUserDecryption(permit, "", handles, false, 0);
    }

    // Answers

    function test_anybodyAnswersOnce() public {
        bytes32 requestId = request(permitForHandles());
        bytes memory result = abi.encodePacked(keccak256("answer"));
        bytes memory signed = signResult(requestId, result);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.UserDecryptionResponded(requestId, result, 7);
        vm.prank(stranger);
        gateway.respond(requestId, result, 7, signed);
        vm.assertTrue(gateway.isResult(requestId, result), "result");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequests.RequestsState.selector,
                requestId,
                RequestState.Answered
            )
        );
        gateway.respond(requestId, result, 7, signed);
    }

    /// @dev One call answers both kinds: what was asked decides which event says so.
    function test_eachKindIsAnsweredAsItself() public {
        bytes32 forUser = request(permitForHandles());
        vm.prank(user);
        bytes32 publicly = gateway.requestPublicDecryption(handles, new uint32[](0), 0);
        bytes memory result = abi.encodePacked(keccak256("answer"));

        // Nor with the signatures for one for the other.
        bytes memory signed = signResult(publicly, result);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        gateway.respond(forUser, result, 7, signed);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.PublicDecryptionResponded(publicly, result, 7);
        gateway.respond(publicly, result, 7, signed);
        signed = signResult(forUser, result);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.UserDecryptionResponded(forUser, result, 7);
        gateway.respond(forUser, result, 7, signed);
    }

    function test_answersComeBeforeTheDeadline() public {
        bytes32 requestId = request(permitForHandles());
        bytes memory result = abi.encodePacked(keccak256("answer"));
        bytes memory signed = signResult(requestId, result);
        uint64 deadline = gateway.request(requestId).deadline;
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequests.RequestsState.selector,
                requestId,
                RequestState.Expired
            )
        );
        gateway.respond(requestId, result, 7, signed);
        vm.warp(deadline);
        vm.prank(governor);
        gateway.pauseRequests();
        gateway.respond(requestId, result, 7, signed);
    }

    function addHandle(uint256 number) private {
        bytes32 handle = registerCiphertext(keyId, number);
        vm.prank(user);
        ciphertexts.allow(handle, signer);
        handles.push(handle);
    }

    function permitForHandles() private view returns (UserDecryptionPermit memory) {
        return
            UserDecryptionPermit({
                user: signer,
                publicKeyDigest: PUBLIC_KEY,
                handles: handles,
                owner: address(0),
                validFrom: uint64(block.timestamp),
                validUntil: uint64(block.timestamp + 1 days)
            });
    }

    function permitForOwner(
        address owner
    ) private view returns (UserDecryptionPermit memory permit) {
        permit = permitForHandles();
        permit.handles = new bytes32[](0);
        permit.owner = owner;
    }

    function sign(UserDecryptionPermit memory permit) private view returns (bytes memory) {
        return signature(SIGNING_KEY, gateway.hashUserDecryptionPermit(permit));
    }

    function request(UserDecryptionPermit memory permit) private returns (bytes32) {
        return gateway.requestUserDecryption(permit, sign(permit), handles, false, 0);
    }

    function expectRefused(UserDecryptionPermit memory permit, bytes memory reason) private {
        bytes memory signed = sign(permit);
        vm.expectRevert(reason);
        gateway.requestUserDecryption(permit, signed, handles, false, 0);
    }

    function expectForged(UserDecryptionPermit memory permit, bytes memory signed) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayPermitSignature.selector,
                permit.user
            )
        );
        gateway.requestUserDecryption(permit, signed, handles, false, 0);
    }

    function signResult(
        bytes32 requestId,
        bytes memory result
    ) private view returns (bytes memory) {
        return signatures(gateway.hashResult(epochId, requestId, keccak256(result)), 7);
    }

    function notItsTime(
        UserDecryptionPermit memory permit,
        uint256 timestamp
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayPermitTime.selector,
                permit.validFrom,
                permit.validUntil,
                timestamp
            );
    }

    function structHashOf(UserDecryptionPermit memory permit) private pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "UserDecryptionPermit(address user,bytes32 publicKeyDigest,bytes32[] handles,address owner,uint64 validFrom,uint64 validUntil)"
        );
        return
            keccak256(
                abi.encode(
                    typeHash,
                    permit.user,
                    permit.publicKeyDigest,
                    keccak256(abi.encodePacked(permit.handles)),
                    permit.owner,
                    permit.validFrom,
                    permit.validUntil
                )
            );
    }
}
