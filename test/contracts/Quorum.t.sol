// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochPhase, IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {Deployment} from "./Deployment.sol";

contract QuorumTest is Deployment {
    /// @dev Order of secp256k1.
    uint256 private constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant DOMAIN = keccak256("domain");
    bytes32 private constant REQUEST = keccak256("request");
    bytes32 private constant RESULT = keccak256("result");

    mapping(uint256 n => bytes32 epochId) private epochOf;
    mapping(uint256 n => uint16 number) private numberOf;

    function setUp() public override {
        super.setUp();
        for (uint256 n = 4; n <= 13; n += 3) {
            epochOf[n] = activeEpoch(n, 0);
            numberOf[n] = epochs.epoch(epochOf[n]).number;
        }
    }

    /// @dev Domain, epoch, request and result are all part of what is signed.
    function test_theDigestIsMadeOfAllThatIsNamed() public {
        bytes memory three = signatures(digestOf(epochOf[4]), 7);
        bytes4 wrong = IEpochManager.EpochManagerWrongSigner.selector;
        verify(numberOf[4], 7, three);
        vm.expectPartialRevert(wrong);
        epochs.verifyResult(numberOf[4], "other", REQUEST, RESULT, 7, three);
        vm.expectPartialRevert(wrong);
        epochs.verifyResult(numberOf[4], DOMAIN, "other", RESULT, 7, three);
        vm.expectPartialRevert(wrong);
        epochs.verifyResult(numberOf[4], DOMAIN, REQUEST, "other", 7, three);
        // The same four members in another epoch.
        uint16 other = epochs.epoch(activeEpoch(4, "other")).number;
        vm.expectPartialRevert(wrong);
        verify(other, 7, three);
    }

    function test_anyQuorumIsAccepted() public view {
        for (uint256 n = 4; n <= 13; n += 3) {
            uint256 low = firstMembers(quorumOf(n));
            verify(numberOf[n], low, signatures(digestOf(epochOf[n]), low));
            uint256 high = low << (n - quorumOf(n));
            verify(numberOf[n], high, signatures(digestOf(epochOf[n]), high));
        }
    }

    function test_tooFewAndTooManySignersAreRefused() public {
        for (uint256 n = 4; n <= 13; n += 3) {
            uint256 quorum = quorumOf(n);
            bytes memory few = signatures(digestOf(epochOf[n]), firstMembers(quorum - 1));
            vm.expectRevert(quorumSize(quorum - 1, quorum));
            verify(numberOf[n], firstMembers(quorum - 1), few);
            bytes memory many = signatures(digestOf(epochOf[n]), firstMembers(quorum + 1));
            vm.expectRevert(quorumSize(quorum + 1, quorum));
            verify(numberOf[n], firstMembers(quorum + 1), many);
            vm.expectRevert(quorumSize(0, quorum));
            verify(numberOf[n], 0, "");
        }
    }

    function test_bitsBeyondTheCommitteeAreRefused() public {
        bytes memory three = signatures(digestOf(epochOf[4]), 7);
        uint256[3] memory bitmaps = [uint256(0x13), 7 | (1 << 16), 3 | (1 << 255)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IEpochManager.EpochManagerBitmapRange.selector,
                    bitmaps[i],
                    4
                )
            );
            verify(numberOf[4], bitmaps[i], three);
        }
    }

    function test_theLengthIsExact() public {
        bytes4 selector = IEpochManager.EpochManagerSignaturesLength.selector;
        bytes memory three = signatures(digestOf(epochOf[4]), 7);
        vm.expectRevert(abi.encodeWithSelector(selector, 196, 195));
        verify(numberOf[4], 7, bytes.concat(three, hex"00"));
        vm.expectRevert(abi.encodeWithSelector(selector, 130, 195));
        verify(numberOf[4], 7, signatures(digestOf(epochOf[4]), 3));
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 195));
        verify(numberOf[4], 7, "");
    }

    /// @dev One signature, or one signer, never counts twice.
    function test_duplicatesAreRefused() public {
        bytes memory one = signature(signerKey(1), digestOf(epochOf[4]));
        vm.expectRevert(wrongSigner(2, signerOf(1)));
        verify(numberOf[4], 7, bytes.concat(one, one, one));
    }

    function test_signaturesComeInAscendingOrder() public {
        bytes memory swapped = bytes.concat(
            signature(signerKey(2), digestOf(epochOf[4])),
            signature(signerKey(1), digestOf(epochOf[4])),
            signature(signerKey(3), digestOf(epochOf[4]))
        );
        vm.expectRevert(wrongSigner(1, signerOf(2)));
        verify(numberOf[4], 7, swapped);
    }

    function test_outsidersAndOtherDigestsAreRefused() public {
        bytes memory two = signatures(digestOf(epochOf[4]), 3);
        vm.expectRevert(wrongSigner(3, signerOf(99)));
        verify(numberOf[4], 7, bytes.concat(two, signature(signerKey(99), digestOf(epochOf[4]))));
        bytes memory other = signatures(keccak256("other"), 7);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        verify(numberOf[4], 7, other);
    }

    /// @dev (r, n - s, v') recovers to the same signer for the precompile; it must not pass.
    function test_malleableSignaturesAreRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey(1), digestOf(epochOf[4]));
        bytes memory malleable = abi.encodePacked(r, bytes32(ORDER - uint256(s)), uint8(55 - v));
        vm.assertEq(
            ecrecover(digestOf(epochOf[4]), 55 - v, r, bytes32(ORDER - uint256(s))),
            signerOf(1),
            "the other form recovers"
        );
        bytes memory rest = signatures(digestOf(epochOf[4]), 6);
        vm.expectRevert(wrongSigner(1, address(0)));
        verify(numberOf[4], 7, bytes.concat(malleable, rest));
    }

    function test_otherRecoveryIdsAreRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey(1), digestOf(epochOf[4]));
        bytes memory rest = signatures(digestOf(epochOf[4]), 6);
        uint8[3] memory ids = [v - 27, 0xff, v + 35];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(wrongSigner(1, address(0)));
            verify(numberOf[4], 7, bytes.concat(abi.encodePacked(r, s, ids[i]), rest));
        }
    }

    /// @dev The committee is that of the named epoch: here index 1 is another operator.
    function test_anotherEpochsCommitteeIsRefused() public {
        address[] memory operators = committee(5);
        address[] memory shifted = new address[](4);
        for (uint256 i = 0; i < 4; ++i) shifted[i] = operators[i + 1];
        vm.prank(governor);
        bytes32 proposalId = epochs.proposeEpoch(shifted, 0);
        for (uint256 i = 2; i <= 4; ++i) {
            vm.prank(signerOf(i));
            epochs.postDealing(proposalId, rootOf(i));
        }
        for (uint256 i = 2; i <= 4; ++i) {
            vm.prank(signerOf(i));
            epochs.acknowledge(proposalId, 7);
        }
        bytes32 epochId = epochs.proposal(proposalId).epochId;
        for (uint256 i = 2; i <= 4; ++i) confirmBy(epochId, i);

        uint16 number = epochs.epoch(epochId).number;
        verify(number, 7, signatures(digestOf(epochId), 14));
        bytes memory three = signatures(digestOf(epochId), 7);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        verify(number, 7, three);
    }

    function test_onlyActiveAndRetiredEpochsVerify() public {
        bytes memory three = signatures(digestOf(epochOf[4]), 7);
        retire(epochOf[4]);
        verify(numberOf[4], 7, three);

        bytes32 frozen = frozenEpoch(4, "frozen");
        uint16 number = epochs.epoch(frozen).number;
        vm.expectRevert(epochPhase(frozen, EpochPhase.Frozen));
        verify(number, 7, three);
        vm.warp(block.timestamp + SETUP_WINDOW + 1);
        epochs.abandonProposal(epochs.epoch(frozen).proposalId);
        vm.expectRevert(epochPhase(frozen, EpochPhase.Abandoned));
        verify(number, 7, three);
        vm.expectRevert(epochPhase(0, EpochPhase.None));
        verify(0, 7, three);
        vm.expectRevert(epochPhase(0, EpochPhase.None));
        verify(number + 1, 7, three);
    }

    /// @dev Accepted exactly if 2t+1 different members signed. The seed draws a size, a bitmap, and for
    /// each place one of five ways to sign.
    function testFuzz_acceptsExactlyAQuorum(uint256 seed) public view {
        uint256 n = 4 + 3 * (seed % 4);
        seed >>= 2;
        uint256 bitmap = drawBitmap(n, seed);
        uint256 places = 0;
        bool good = bitmap >> n == 0;
        bytes memory all;
        for (uint256 i = 1; bitmap >> (i - 1) != 0; ++i) {
            if ((bitmap >> (i - 1)) & 1 == 0) continue;
            ++places;
            seed = uint256(keccak256(abi.encode(seed)));
            // Mostly good, or nothing but refusals would be seen.
            uint256 way = seed % 64;
            good = good && way >= 4;
            all = bytes.concat(all, sign(digestOf(epochOf[n]), i, way));
        }
        good = good && places == quorumOf(n);

        try epochs.verifyResult(numberOf[n], DOMAIN, REQUEST, RESULT, bitmap, all) {
            vm.assertTrue(good, "accepted");
        } catch {
            vm.assertFalse(good, "refused");
        }
    }

    /// @dev Mostly a random quorum, else one signer fewer or more, or any bits around the size.
    function drawBitmap(uint256 n, uint256 seed) private pure returns (uint256 bitmap) {
        uint256 left = quorumOf(n);
        uint256 kind = seed % 8;
        if (kind == 0) return (seed >> 3) & ((1 << (n + 1)) - 1);
        if (kind == 1) --left;
        if (kind == 2) ++left;
        while (left != 0) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 bit = 1 << (seed % n);
            if (bitmap & bit != 0) continue;
            bitmap |= bit;
            --left;
        }
    }

    function sign(bytes32 digest, uint256 i, uint256 way) private pure returns (bytes memory) {
        if (way == 0) return signature(signerKey(i + 1), digest);
        if (way == 1) return signature(signerKey(i), keccak256("other"));
        if (way == 2) return new bytes(65);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey(i), digest);
        if (way == 3) return abi.encodePacked(r, bytes32(ORDER - uint256(s)), uint8(55 - v));
        return abi.encodePacked(r, s, v);
    }

    function verify(uint16 number, uint256 bitmap, bytes memory all) private view {
        epochs.verifyResult(number, DOMAIN, REQUEST, RESULT, bitmap, all);
    }

    /// @dev The EIP-712 digest of docs/formats.md, written down once more.
    function digestOf(bytes32 epochId) private pure returns (bytes32) {
        bytes32 typeHash = keccak256("Result(bytes32 epochId,bytes32 requestId,bytes result)");
        bytes32 structHash = keccak256(abi.encode(typeHash, epochId, REQUEST, RESULT));
        return keccak256(abi.encodePacked(hex"1901", DOMAIN, structHash));
    }

    function quorumSize(uint256 signers, uint256 quorum) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IEpochManager.EpochManagerQuorumSize.selector, signers, quorum);
    }

    function wrongSigner(uint256 index, address recovered) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IEpochManager.EpochManagerWrongSigner.selector,
                index,
                signerOf(index),
                recovered
            );
    }

    function epochPhase(bytes32 id, EpochPhase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEpochManager.EpochManagerEpochPhase.selector, id, phase);
    }
}
