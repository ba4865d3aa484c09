// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    OpeningPreimage,
    ShareProof,
    SignedRoot
} from "../../contracts/interfaces/ISlashingManager.sol";
import {Evidence} from "./Evidence.sol";
import {RecordedRequests} from "./requests/RecordedRequests.sol";

/// @notice A forger with t keys and everything that honest operators have signed composes evidence at
/// random: forged, mixed, cut, replayed, reordered. After each attempt the honest operators' bonds are
/// untouched, and nobody but a corrupted operator is ever convicted.
abstract contract ForgerTest is Evidence {
    uint256 private constant STEPS = 24;
    uint256 private constant EPOCHS = 2;
    uint256 private constant OPENINGS = 3;
    uint256 private constant CHUNKS = 2;

    uint256 private immutable n;
    uint256 private immutable t;

    /// @dev For which epoch, opening and chunk evidence is forged.
    struct Attempt {
        uint256 e;
        uint256 k;
        uint256 chunk;
        bytes32 epochId;
        bytes32 openingId;
    }

    bytes32[EPOCHS] private ids;
    OpeningPreimage[OPENINGS] private openings;
    bytes32 private otherSetId;
    RecordedRequests private source;
    RecordedRequests private twin;

    /// @dev What the honest operators have signed and made public, by epoch, opening, operator, chunk.
    mapping(uint256 => mapping(uint256 => mapping(uint256 => mapping(uint256 => ShareProof))))
        private published;

    constructor(uint256 size) {
        n = size;
        t = (size - 1) / 3;
    }

    function setUp() public override {
        super.setUp();
        bytes32 setId = addTestSet();
        otherSetId = addMeteredSet(50);
        source = new RecordedRequests("Requests");
        twin = new RecordedRequests("Requests");
        ids[0] = activeEpoch(n, "first");
        ids[1] = activeEpoch(n, "second");
        // Two requests of one shape, and one of another; 80 to 96 residues, the second chunk padded.
        for (uint256 k = 0; k < OPENINGS; ++k) {
            openings[k] = openingOf(setId);
            openings[k].itemPrefix = bytes32(k);
            openings[k].width = k == 2 ? 16 : 20;
            openings[k].limbs = k == 2 ? 3 : 2;
        }
        for (uint256 e = 0; e < EPOCHS; ++e) {
            for (uint256 k = 0; k < OPENINGS; ++k) {
                for (uint256 i = 1; i <= n; ++i) {
                    for (uint256 c = 0; c < CHUNKS; ++c) {
                        published[e][k][i][c] = proofOf(ids[e], openings[k], i, 64 * c, none());
                    }
                }
            }
            source.record(bytes32(e), ids[e], keccak256(abi.encode("right", e)));
            twin.record(bytes32(e), ids[e], keccak256("forged"));
        }
    }

    function testFuzz_noHonestOperatorIsSlashed(uint256 seed) public {
        for (uint256 step = 0; step < STEPS; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 kind = seed % 8;
            if (kind < 5) forgeShares(seed >> 8);
            else if (kind < 7) forgeRoots(seed >> 8);
            else forgeResult(seed >> 8);
            for (uint256 i = t + 1; i <= n; ++i) expectIntact(i);
        }
    }

    /// @dev The forger is able: with nothing forged but the corrupted operator's share it convicts it.
    function test_theForgersToolsMakeEvidence() public {
        OpeningPreimage memory opening = openings[0];
        bytes32 openingId = openingIdOf(ids[0], opening);
        ShareProof[] memory accusers = new ShareProof[](quorumOf(n));
        for (uint256 k = 0; k < accusers.length; ++k) {
            accusers[k] = published[0][0][t + 1 + k][0];
        }
        ShareProof memory accused = forgedProof(0, ids[0], openingId, 1, 0);
        slashing.proveWrongShare(ids[0], opening, 7, accusers, accused, reporter);
        vm.assertEq(bondOf(1), 0, "convicted");
    }

    /// @dev Operators 1 to t are corrupted.
    function forgeShares(uint256 seed) private {
        Attempt memory attempt;
        attempt.e = seed % EPOCHS;
        attempt.k = (seed >> 8) % OPENINGS;
        OpeningPreimage memory opening = openings[attempt.k];
        uint256 position = (seed >> 64) % (residuesOf(opening) + 40);
        attempt.chunk = (position / 64) % CHUNKS;
        if ((seed >> 16) % 2 == 0) alter(opening, seed >> 24);
        attempt.epochId = ids[attempt.e];
        attempt.openingId = openingIdOf(attempt.epochId, opening);

        uint256[] memory indices = indicesFor(seed >> 80);
        ShareProof[] memory accusers = new ShareProof[](indices.length - 1);
        for (uint256 j = 0; j < accusers.length; ++j) {
            accusers[j] = proofBy(indices[j], uint256(keccak256(abi.encode(seed, j))), attempt);
        }
        ShareProof memory accused = proofBy(indices[accusers.length], seed >> 128, attempt);
        try
            slashing.proveWrongShare(
                attempt.epochId,
                opening,
                position,
                accusers,
                accused,
                reporter
            )
        {
            vm.assertTrue(accused.index <= t, "only who is corrupted");
        } catch {}
    }

    function proofBy(
        uint256 i,
        uint256 seed,
        Attempt memory attempt
    ) private view returns (ShareProof memory) {
        if (i > t) return replayedProof(seed, attempt.e, attempt.k, i, attempt.chunk);
        return forgedProof(seed, attempt.epochId, attempt.openingId, i, attempt.chunk);
    }

    /// @dev Another shape or name than the one that was signed for.
    function alter(OpeningPreimage memory opening, uint256 seed) private view {
        uint256 field = seed % 10;
        uint16 value = uint16(1 + ((seed >> 8) % 4));
        if (field == 0) opening.limbs = value;
        else if (field == 1) opening.width = uint32(value) * 16;
        else if (field == 2) opening.polynomials = value;
        else if (field == 3) opening.parameterSetId = otherSetId;
        else if (field == 4) opening.itemPrefix = bytes32((seed >> 8) % OPENINGS);
        else if (field == 5) opening.generations = bytes32(seed);
        else if (field == 6) opening.step = uint8(value);
        else if (field == 7) opening.digit = value;
        else if (field == 8) opening.galoisElement = value;
        else opening.positionsDigest = bytes32(seed);
    }

    /// @dev Mostly a quorum in ascending order and one more, the accused; sometimes with one too few or
    /// too many, one twice, or in another order.
    function indicesFor(uint256 seed) private view returns (uint256[] memory indices) {
        uint256 flaw = seed % 12;
        uint256 count = quorumOf(n) + 1;
        if (flaw == 0) --count;
        if (flaw == 1 && count < n) ++count;
        uint256[] memory all = new uint256[](n);
        for (uint256 j = 0; j < n; ++j) all[j] = j + 1;
        for (uint256 j = 0; j < count; ++j) {
            uint256 other = j + (uint256(keccak256(abi.encode(seed, "shuffle", j))) % (n - j));
            (all[j], all[other]) = (all[other], all[j]);
        }
        // The accused is last; the accusers before it are sorted.
        for (uint256 j = 1; j + 1 < count; ++j) {
            for (uint256 k = j; k > 0 && all[k - 1] > all[k]; --k) {
                (all[k - 1], all[k]) = (all[k], all[k - 1]);
            }
        }
        indices = new uint256[](count);
        for (uint256 j = 0; j < count; ++j) indices[j] = all[j];
        if (flaw == 2) indices[1] = indices[0];
        else if (flaw == 3) indices[0] = indices[count - 1];
        else if (flaw == 4)
            (indices[0], indices[1]) = (indices[1], indices[0]);
            // Corrupted operators are everywhere they can be.
        else if (flaw == 5) for (uint256 j = 0; j < t; ++j) indices[j] = j + 1;
    }

    /// @dev A share of a corrupted operator, signed for whatever is claimed: any chunk at all, as the path
    /// is made up. Sometimes the right values, sometimes right but for one, sometimes anything.
    function forgedProof(
        uint256 seed,
        bytes32 epochId,
        bytes32 openingId,
        uint256 i,
        uint256 chunk
    ) private view returns (ShareProof memory proof) {
        proof.index = uint8(i);
        uint256 style = seed % 4;
        if (style == 0) {
            proof.chunk = published[0][0][i][chunk].chunk;
            proof.chunk[8 * ((seed >> 8) % 64)] ^= bytes1(uint8(1 + ((seed >> 16) % 255)));
            for (uint256 j = 0; j < 512; j += 8) proof.chunk[j] ^= 0x01;
        } else if (style == 1) {
            proof.chunk = published[0][(seed >> 8) % OPENINGS][i][chunk].chunk;
        } else if (style == 2) {
            proof.chunk = new bytes(512);
        } else {
            proof.chunk = new bytes(512);
            for (uint256 j = 0; j < 512; ++j) proof.chunk[j] = bytes1(uint8(seed >> (j % 32)));
        }
        proof.path = new bytes32[]((seed >> 32) % 8 == 1 ? 2 : 1);
        bytes32 root = sha256(bytes.concat(hex"00", proof.chunk));
        for (uint256 j = 0; j < proof.path.length; ++j) {
            proof.path[j] = keccak256(abi.encode(seed, "sibling", j));
            root =
                (chunk >> j) & 1 == 1
                    ? sha256(bytes.concat(hex"01", proof.path[j], root))
                    : sha256(bytes.concat(hex"01", root, proof.path[j]));
        }
        proof.signature = signRoot(signerKey(i), epochId, openingId, root);
    }

    /// @dev What an honest operator published: for this opening or another, whole or damaged.
    function replayedProof(
        uint256 seed,
        uint256 e,
        uint256 k,
        uint256 i,
        uint256 chunk
    ) private view returns (ShareProof memory proof) {
        uint256 flaw = seed % 24;
        if (flaw == 0) e = EPOCHS - 1 - e;
        else if (flaw == 1) k = (k + 1) % OPENINGS;
        else if (flaw == 2) chunk = CHUNKS - 1 - chunk;
        proof = published[e][k][i][chunk];
        if (flaw == 3) proof.chunk[(seed >> 8) % 512] ^= 0x01;
        else if (flaw == 4) proof.path = new bytes32[](0);
        else if (flaw == 5) proof.path[0] = bytes32(seed);
        else if (flaw == 6) proof.signature = malleated(proof.signature);
        else if (flaw == 7) proof.index = uint8(1 + ((seed >> 8) % n));
        else if (flaw == 8) proof.chunk = published[e][k][i][CHUNKS - 1 - chunk].chunk;
        else if (flaw == 9) proof.signature = published[e][(k + 1) % OPENINGS][i][chunk].signature;
    }

    /// @dev Two roots "of one opening": an honest operator's of different ones, or its one root twice.
    function forgeRoots(uint256 seed) private {
        uint256 e = seed % EPOCHS;
        uint256 k = (seed >> 8) % OPENINGS;
        uint256 i = t + 1 + ((seed >> 16) % (n - t));
        SignedRoot memory first = rootFrom(e, k, i);
        SignedRoot memory second = rootFrom(
            (seed >> 24) % 2 == 0 ? e : EPOCHS - 1 - e,
            (seed >> 32) % OPENINGS,
            (seed >> 40) % 4 == 0 ? 1 + ((seed >> 48) % n) : i
        );
        uint256 flaw = (seed >> 56) % 6;
        bytes32 openingId = openingIdOf(ids[e], openings[k]);
        if (flaw == 0) second.signature = malleated(first.signature);
        else if (flaw == 1) second = SignedRoot(bytes32(seed), first.signature);
        else if (flaw == 2) second = signedRoot(ids[e], openingId, bytes32(seed), 1);
        else if (flaw == 3) openingId = bytes32(seed);
        try slashing.proveEquivocation(ids[e], openingId, uint8(i), first, second, reporter) {
            vm.assertTrue(false, "no honest operator signed two");
        } catch {}
    }

    function rootFrom(uint256 e, uint256 k, uint256 i) private view returns (SignedRoot memory) {
        ShareProof storage proof = published[e][k][i][0];
        bytes32 leaf = sha256(bytes.concat(hex"00", proof.chunk));
        bytes32 root = sha256(bytes.concat(hex"01", leaf, proof.path[0]));
        return SignedRoot(root, proof.signature);
    }

    /// @dev The recorded result's signature, for another request, epoch, contract, member or hash.
    function forgeResult(uint256 seed) private {
        uint256 e = seed % EPOCHS;
        uint256 i = t + 1 + ((seed >> 8) % (n - t));
        bytes32 right = keccak256(abi.encode("right", e));
        bytes32 digest = source.hashResult(ids[e], bytes32(e), right);
        bytes memory signed = signature(signerKey(i), digest);
        if ((seed >> 16) % 4 == 0) signed = malleated(signed);
        RecordedRequests asked = (seed >> 24) % 2 == 0 ? source : twin;
        bytes32 requestId = bytes32((seed >> 32) % EPOCHS);
        bytes32 claimed = (seed >> 40) % 2 == 0 ? right : bytes32(seed);
        if ((seed >> 48) % 4 == 0) i = 1 + ((seed >> 56) % n);
        try slashing.proveWrongResult(asked, requestId, uint8(i), claimed, signed, reporter) {
            vm.assertTrue(false, "no honest operator signed another one");
        } catch {}
    }
}

contract ForgerOfFourTest is ForgerTest(4) {}

contract ForgerOfSevenTest is ForgerTest(7) {}
