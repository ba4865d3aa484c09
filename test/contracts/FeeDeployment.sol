// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {UserDecryptionPermit} from "../../contracts/interfaces/IDecryptionGateway.sol";
import {IRequests, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {Requests} from "../../contracts/requests/Requests.sol";
import {Ceremonies} from "./Ceremonies.sol";

/// @title A deployment that takes fees, and one way to ask and answer whatever the request is for
/// @notice Kinds of requests: 0 a key, 1 Galois keys, 2 a public decryption, 3 a user decryption,
/// 4 a ceremony.
abstract contract FeeDeployment is Ceremonies {
    uint256 internal constant KINDS = 5;
    uint256 internal constant DEPOSIT = 1_000_000;
    uint256 private constant SIGNING_KEY = 0xB0B;

    address internal immutable permitSigner = vm.addr(SIGNING_KEY);

    bytes32 internal epochId;
    bytes32 internal setId;
    bytes32 internal keyId;
    bytes32[] internal handles;
    mapping(bytes32 id => bytes32) private firstHandleOf;
    UserDecryptionPermit private permit;
    bytes private permitSignature;

    /// @dev Prices come after the key of the set-up, so that nothing is in escrow.
    function setUp() public virtual override {
        super.setUp();
        setId = addTestSet();
        epochId = activeEpoch(4, 0);
        useKey(activeKey(epochId, setId, "set-up"));
        setPrices();
        deposit(requester, DEPOSIT);
        deposit(user, DEPOSIT);
    }

    function setPrices() internal {
        vault.setPrice(Operations.KEY_GENERATION, 50, 10);
        vault.setPrice(Operations.PUBLIC_DECRYPTION, 9, 1);
        vault.setPrice(Operations.RELINEARIZATION_KEY, 40, 0);
        vault.setPrice(Operations.GALOIS_KEYS, 20, 5);
        vault.setPrice(Operations.SWITCHING_KEY, 40, 0);
        vault.setPrice(Operations.USER_DECRYPTION, 9, 2);
        vault.setPrice(Operations.CRS, 30, 5);
    }

    /// @dev Requests that follow are under this key and its ciphertext number one, which is registered
    /// unless it is there. The permit is signed here, so that asking is one call.
    function useKey(bytes32 id) internal {
        keyId = id;
        delete handles;
        handles.push(firstHandleOf[id]);
        if (handles[0] == 0) {
            handles[0] = registerCiphertext(keyId, 1);
            firstHandleOf[id] = handles[0];
            vm.prank(user);
            ciphertexts.allow(handles[0], permitSigner);
        }
        permit = UserDecryptionPermit({
            user: permitSigner,
            publicKeyDigest: keccak256("public key of the user"),
            handles: handles,
            owner: address(0),
            validFrom: uint64(block.timestamp),
            validUntil: uint64(block.timestamp + 30 days)
        });
        permitSignature = signature(SIGNING_KEY, gateway.hashUserDecryptionPermit(permit));
    }

    function deposit(address account, uint256 amountWei) internal {
        token.mint(address(this), amountWei);
        token.approve(address(vault), amountWei);
        vault.deposit(account, amountWei);
    }

    function withdrawAll(address account) internal {
        uint256 amountWei = vault.balanceOf(account);
        if (amountWei == 0) return;
        vm.prank(account);
        vault.withdraw(amountWei);
    }

    /// @dev What one request of this kind costs: one entry of 1024 coefficients, one position, or an
    /// answer of two polynomials.
    function feeOf(uint256 kind) internal pure returns (uint256 feeWei) {
        return [uint256(60), 25, 10, 13, 35][kind] * FEE_QUANTUM;
    }

    function payerOf(uint256 kind) internal pure returns (address) {
        return kind < 2 ? requester : user;
    }

    function contractOf(uint256 kind) internal view returns (Requests) {
        if (kind == 0) return Requests(address(keys));
        if (kind == 1) return Requests(address(evaluationKeys));
        return kind == 4 ? Requests(address(crs)) : Requests(address(gateway));
    }

    function ask(uint256 kind, uint32 salt) internal returns (bytes32) {
        return askAs(payerOf(kind), kind, salt);
    }

    function askAs(address payer, uint256 kind, uint32 salt) internal returns (bytes32) {
        uint32[] memory numbers = new uint32[](1);
        if (kind == 0) {
            vm.prank(payer);
            return keys.requestKey(epochId, setId, bytes32(uint256(salt)));
        }
        if (kind == 1) {
            numbers[0] = 3 + 2 * salt;
            vm.prank(payer);
            return evaluationKeys.requestGaloisKeys(keyId, numbers);
        }
        if (kind == 2) {
            vm.prank(payer);
            return gateway.requestPublicDecryption(handles, numbers, bytes32(uint256(salt)));
        }
        if (kind == 4) {
            vm.prank(payer);
            return crs.requestCrs(epochId, POWER, SLOT, 0, bytes32(uint256(salt)));
        }
        vm.prank(payer);
        return
            gateway.requestUserDecryption(
                permit,
                permitSignature,
                handles,
                false,
                bytes32(uint256(salt))
            );
    }

    /// @dev A valid answer of the epoch in use. That of a ceremony takes its time.
    function answer(
        uint256 kind,
        bytes32 requestId,
        uint256 bitmap,
        address submitter
    ) internal returns (bytes memory result) {
        if (kind == 4) {
            completeCeremony(requestId);
            closeCeremony(requestId);
        }
        bytes32 digest =
            kind == 4
                ? crs.ceremony(requestId).stateHash
                : keccak256(abi.encode("result", requestId));
        result = abi.encode(digest);
        bytes32 typed = contractOf(kind).hashResult(epochId, requestId, keccak256(result));
        bytes memory signed = signatures(typed, bitmap);
        vm.prank(submitter);
        if (kind == 0) keys.recordPublicKey(requestId, digest, bitmap, signed);
        else if (kind == 4) crs.finish(requestId, bitmap, signed);
        else if (kind == 1) evaluationKeys.recordEvaluationKeys(requestId, result, bitmap, signed);
        else gateway.respond(requestId, result, bitmap, signed);
    }

    function attest(uint256 kind, bytes32 requestId, uint256 member) internal {
        vm.prank(signerOf(member));
        contractOf(kind).attest(list(requestId));
    }

    /// @dev Past the deadline of the request, or of the attestations once it is answered.
    function passDeadline(uint256 kind, bytes32 requestId) internal {
        vm.warp(contractOf(kind).request(requestId).deadline + 1);
    }

    function list(bytes32 id) internal pure returns (bytes32[] memory ids) {
        ids = new bytes32[](1);
        ids[0] = id;
    }

    function list(bytes32 first, bytes32 second) internal pure returns (bytes32[] memory ids) {
        ids = new bytes32[](2);
        (ids[0], ids[1]) = (first, second);
    }

    /// @dev Over all operations of the contract.
    function escrowOf(uint256 kind) internal view returns (uint256 totalWei) {
        for (uint8 operation = 1; operation <= Operations.CRS; ++operation) {
            (address source, uint256 amountWei) = vault.escrowOf(operation);
            if (source == address(contractOf(kind))) totalWei += amountWei;
        }
    }

    /// @dev A tenth is retained.
    function refundOf(uint256 kind) internal pure returns (uint256) {
        return (feeOf(kind) * 9) / 10;
    }

    function assertState(uint256 kind, bytes32 requestId, RequestState state) internal view {
        vm.assertTrue(contractOf(kind).request(requestId).state == state, "state");
    }

    function requestState(
        bytes32 requestId,
        RequestState state
    ) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequests.RequestsState.selector, requestId, state);
    }

    function feeSpent(bytes32 requestId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequests.RequestsFeeSpent.selector, requestId);
    }

    function requestCount(uint256 count) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequests.RequestsCount.selector, count, 128);
    }
}
