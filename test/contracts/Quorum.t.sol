// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochPhase, IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {Deployment} from "./Deployment.sol";

contract QuorumTest is Deployment {
    /// @dev Order of secp256k1.
    uint256 private constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant DIGEST = keccak256("digest");

    mapping(uint256 n => bytes32 epochId) private epochOf;

    function setUp() public override {
        super.setUp();
        for (uint256 n = 4; n <= 13; n += 3) epochOf[n] = activeEpoch(n, 0);
    }

    function test_anyQuorumIsAccepted() public view {
        for (uint256 n = 4; n <= 13; n += 3) {
            uint256 low = firstMembers(quorumOf(n));
            epochs.verifyQuorum(epochOf[n], DIGEST, low, signatures(DIGEST, low));
            uint256 high = low << (n - quorumOf(n));
            epochs.verifyQuorum(epochOf[n], DIGEST, high, signatures(DIGEST, high));
        }
    }

    function test_tooFewAndTooManySignersAreRefused() public {
        for (uint256 n = 4; n <= 13; n += 3) {
            uint256 quorum = quorumOf(n);
            bytes memory few = signatures(DIGEST, firstMembers(quorum - 1));
            vm.expectRevert(quorumSize(quorum - 1, quorum));
            epochs.verifyQuorum(epochOf[n], DIGEST, firstMembers(quorum - 1), few);
            bytes memory many = signatures(DIGEST, firstMembers(quorum + 1));
            vm.expectRevert(quorumSize(quorum + 1, quorum));
            epochs.verifyQuorum(epochOf[n], DIGEST, firstMembers(quorum + 1), many);
            vm.expectRevert(quorumSize(0, quorum));
            epochs.verifyQuorum(epochOf[n], DIGEST, 0, "");
        }
    }

    function test_bitsBeyondTheCommitteeAreRefused() public {
        bytes memory three = signatures(DIGEST, 7);
        uint256[3] memory bitmaps = [uint256(0x13), 7 | (1 << 16), 3 | (1 << 255)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IEpochManager.EpochManagerBitmapRange.selector,
                    bitmaps[i],
                    4
                )
            );
            epochs.verifyQuorum(epochOf[4], DIGEST, bitmaps[i], three);
        }
    }

    function test_theLengthIsExact() public {
        bytes4 selector = IEpochManager.EpochManagerSignaturesLength.selector;
        bytes memory three = signatures(DIGEST, 7);
        vm.expectRevert(abi.encodeWithSelector(selector, 196, 195));
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, bytes.concat(three, hex"00"));
        vm.expectRevert(abi.encodeWithSelector(selector, 130, 195));
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, signatures(DIGEST, 3));
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 195));
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, "");
    }

    /// @dev One signature, or one signer, never counts twice.
    function test_duplicatesAreRefused() public {
        bytes memory one = signature(signerKey(1), DIGEST);
        vm.expectRevert(wrongSigner(2, signerOf(1)));
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, bytes.concat(one, one, one));
    }

    function test_signaturesComeInAscendingOrder() public {
        bytes memory swapped = bytes.concat(
            signature(signerKey(2), DIGEST),
            signature(signerKey(1), DIGEST),
            signature(signerKey(3), DIGEST)
        );
        vm.expectRevert(wrongSigner(1, signerOf(2)));
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, swapped);
    }

    function test_outsidersAndOtherDigestsAreRefused() public {
        bytes memory two = signatures(DIGEST, 3);
        vm.expectRevert(wrongSigner(3, signerOf(99)));
        epochs.verifyQuorum(
            epochOf[4],
            DIGEST,
            7,
            bytes.concat(two, signature(signerKey(99), DIGEST))
        );
        bytes memory other = signatures(keccak256("other"), 7);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, other);
    }

    /// @dev (r, n - s, v') recovers to the same signer for the precompile; it must not pass.
    function test_malleableSignaturesAreRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey(1), DIGEST);
        bytes memory malleable = abi.encodePacked(r, bytes32(ORDER - uint256(s)), uint8(55 - v));
        vm.assertEq(
            ecrecover(DIGEST, 55 - v, r, bytes32(ORDER - uint256(s))),
            signerOf(1),
            "the other form recovers"
        );
        bytes memory rest = signatures(DIGEST, 6);
        vm.expectRevert(wrongSigner(1, address(0)));
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, bytes.concat(malleable, rest));
    }

    function test_otherRecoveryIdsAreRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey(1), DIGEST);
        bytes memory rest = signatures(DIGEST, 6);
        uint8[3] memory ids = [v - 27, 0xff, v + 35];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(wrongSigner(1, address(0)));
            epochs.verifyQuorum(
                epochOf[4],
                DIGEST,
                7,
                bytes.concat(abi.encodePacked(r, s, ids[i]), rest)
            );
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

        epochs.verifyQuorum(epochId, DIGEST, 7, signatures(DIGEST, 14));
        bytes memory three = signatures(DIGEST, 7);
        vm.expectPartialRevert(IEpochManager.EpochManagerWrongSigner.selector);
        epochs.verifyQuorum(epochId, DIGEST, 7, three);
    }

    function test_onlyActiveAndRetiredEpochsVerify() public {
        bytes memory three = signatures(DIGEST, 7);
        retire(epochOf[4]);
        epochs.verifyQuorum(epochOf[4], DIGEST, 7, three);

        bytes32 frozen = frozenEpoch(4, "frozen");
        vm.expectRevert(epochPhase(frozen, EpochPhase.Frozen));
        epochs.verifyQuorum(frozen, DIGEST, 7, three);
        vm.warp(block.timestamp + SETUP_WINDOW + 1);
        epochs.abandonProposal(epochs.epoch(frozen).proposalId);
        vm.expectRevert(epochPhase(frozen, EpochPhase.Abandoned));
        epochs.verifyQuorum(frozen, DIGEST, 7, three);
        vm.expectRevert(epochPhase("none", EpochPhase.None));
        epochs.verifyQuorum("none", DIGEST, 7, three);
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
            all = bytes.concat(all, sign(i, way));
        }
        good = good && places == quorumOf(n);

        try epochs.verifyQuorum(epochOf[n], DIGEST, bitmap, all) {
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

    function sign(uint256 i, uint256 way) private pure returns (bytes memory) {
        if (way == 0) return signature(signerKey(i + 1), DIGEST);
        if (way == 1) return signature(signerKey(i), keccak256("other"));
        if (way == 2) return new bytes(65);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey(i), DIGEST);
        if (way == 3) return abi.encodePacked(r, bytes32(ORDER - uint256(s)), uint8(55 - v));
        return abi.encodePacked(r, s, v);
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
