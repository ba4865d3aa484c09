// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ISlashingManager,
    Offence,
    OpeningPreimage,
    ShareProof,
    SignedRoot
} from "../../contracts/interfaces/ISlashingManager.sol";
import {ParameterSet} from "../../contracts/interfaces/IKeyManager.sol";
import {Evidence} from "./Evidence.sol";
import {ImpostorRequests} from "./requests/ImpostorRequests.sol";
import {RecordedRequests} from "./requests/RecordedRequests.sol";

/// @notice Ways to get an honest operator slashed that a naive verifier would fall for, one test each.
/// Operator 4 is corrupted, and whatever honest operators have signed is public.
contract ForgeryTest is Evidence {
    uint256 private constant VICTIM = 2;
    uint256 private constant CORRUPTED = 4;

    bytes32 private epochId;
    OpeningPreimage private opening;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        opening = openingOf(addTestSet());
    }

    /// @dev A residue modulo one prime, judged modulo another: honest values do not fit there. The width,
    /// the number of limbs, of polynomials or the set is what a forger would change to get there.
    function test_residuesAreJudgedModuloTheirOwnPrimeOnly() public {
        uint256 position = 45;
        ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, position);
        ShareProof memory accused = proofOf(epochId, opening, VICTIM, position, none());
        OpeningPreimage memory right = opening;

        opening.width = 80;
        opening.polynomials = 1;
        expectUnsigned(position, accusers, accused);
        opening.width = right.width;
        opening.limbs = 2;
        opening.polynomials = 3;
        expectUnsigned(position, accusers, accused);
        opening.limbs = 1;
        opening.polynomials = 6;
        expectUnsigned(position, accusers, accused);
        opening.limbs = right.limbs;
        opening.polynomials = right.polynomials;

        ParameterSet memory set = testSet();
        set.name = "insecure-permuted";
        (set.primes[0], set.primes[1]) = (set.primes[1], set.primes[0]);
        vm.prank(governor);
        opening.parameterSetId = keys.addParameterSet(set);
        expectUnsigned(position, accusers, accused);
        expectIntact(VICTIM);
    }

    /// @dev Positions are inside the id by their digest: another list is another opening.
    function test_everyPartOfTheShapeAndContentIsSigned() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, 45);
        ShareProof memory accused = proofOf(epochId, opening, VICTIM, 45, none());
        OpeningPreimage memory right = opening;
        opening.itemPrefix = "other";
        expectUnsigned(45, accusers, accused);
        opening.itemPrefix = right.itemPrefix;
        opening.generations = "other";
        expectUnsigned(45, accusers, accused);
        opening.generations = right.generations;
        ++opening.step;
        expectUnsigned(45, accusers, accused);
        opening.step = right.step;
        ++opening.digit;
        expectUnsigned(45, accusers, accused);
        opening.digit = right.digit;
        ++opening.galoisElement;
        expectUnsigned(45, accusers, accused);
        opening.galoisElement = right.galoisElement;
        opening.positionsDigest = "other";
        expectUnsigned(45, accusers, accused);
    }

    /// @dev A share of one request beside those of another: each is right, together they fit nothing.
    function test_sharesOfAnotherRequestAreNoEvidence() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, 45);
        OpeningPreimage memory other = opening;
        other.itemPrefix = "another request";
        ShareProof memory accused = proofOf(epochId, other, VICTIM, 45, none());
        expectSignature(VICTIM, 45, accusers, accused);
        ShareProof memory foreign = accusers[0];
        accusers[0] = proofOf(epochId, other, 1, 45, none());
        accused = proofOf(epochId, opening, VICTIM, 45, none());
        expectSignature(1, 45, accusers, accused);
        accusers[0] = foreign;
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerShareRight.selector, VICTIM)
        );
        slashing.proveWrongShare(epochId, opening, 45, accusers, accused, reporter);
    }

    function test_sharesOfAnotherEpochAreNoEvidence() public {
        bytes32 other = activeEpoch(4, "other");
        ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, 45);
        ShareProof memory accused = proofOf(other, opening, VICTIM, 45, none());
        expectSignature(VICTIM, 45, accusers, accused);
        vm.expectPartialRevert(ISlashingManager.SlashingManagerSignature.selector);
        slashing.proveWrongShare(other, opening, 45, accusers, accused, reporter);
    }

    /// @dev The chunk next to the one that has the position, or the one of another limb.
    function test_anotherChunkIsNoEvidence() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, 45);
        ShareProof memory accused = proofOf(epochId, opening, VICTIM, 109, none());
        expectSignature(VICTIM, 45, accusers, accused);
        ShareProof memory right = proofOf(epochId, opening, VICTIM, 45, none());
        accused.chunk = right.chunk;
        expectSignature(VICTIM, 45, accusers, accused);
        right.chunk[100] = bytes1(uint8(right.chunk[100]) ^ 1);
        expectSignature(VICTIM, 45, accusers, right);
    }

    /// @dev An inner node is 64 bytes behind another prefix: it is no chunk, and no chunk is a node. The
    /// path may not be cut or drawn out to pass one for the other.
    function test_noInnerNodePassesForAChunk() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, 45);
        ShareProof memory accused = proofOf(epochId, opening, VICTIM, 45, none());
        accused.chunk = abi.encodePacked(
            sha256(bytes.concat(hex"00", accused.chunk)),
            accused.path[0]
        );
        bytes32[] memory path = new bytes32[](1);
        path[0] = accused.path[1];
        accused.path = path;
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.SlashingManagerChunk.selector, 64));
        slashing.proveWrongShare(epochId, opening, 45, accusers, accused, reporter);
    }

    /// @dev All shares are 0 in the padding; a corrupted accuser's need not be.
    function test_paddingIsNoResidue() public {
        for (uint256 position = 240; position < 256; position += 15) {
            ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, position);
            ShareProof memory accused = proofOf(epochId, opening, VICTIM, position, none());
            vm.expectRevert(
                abi.encodeWithSelector(
                    ISlashingManager.SlashingManagerPosition.selector,
                    position,
                    240
                )
            );
            slashing.proveWrongShare(epochId, opening, position, accusers, accused, reporter);
        }
    }

    /// @dev The corrupted share twice and one honest one would be "2t+1 on one polynomial".
    function test_aDuplicatedAccuserCountsOnce() public {
        bytes32 openingId = openingIdOf(epochId, opening);
        uint64[] memory share = honestShare(4, openingId, opening, CORRUPTED);
        share[45] = 1;
        ShareProof[] memory accusers = new ShareProof[](3);
        accusers[0] = proofOf(epochId, opening, 1, 45, none());
        accusers[1] = proofIn(epochId, openingId, share, CORRUPTED, 45);
        accusers[2] = accusers[1];
        ShareProof memory accused = proofOf(epochId, opening, VICTIM, 45, none());
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerAccusers.selector, 2)
        );
        slashing.proveWrongShare(epochId, opening, 45, accusers, accused, reporter);
    }

    /// @dev Two honest values and one that was made to fit them and not the victim's: not possible, as two
    /// points fix the line. Any other value of the corrupted one disagrees.
    function test_corruptedAccusersCannotBendThePolynomial() public {
        bytes32 openingId = openingIdOf(epochId, opening);
        uint64[] memory share = honestShare(4, openingId, opening, CORRUPTED);
        ShareProof[] memory accusers = accusersOf(epochId, opening, VICTIM, 45);
        ShareProof memory accused = proofOf(epochId, opening, VICTIM, 45, none());
        for (uint64 k = 1; k < 4; ++k) {
            share[45] = (share[45] + k) % primeAt(opening, 45);
            accusers[2] = proofIn(epochId, openingId, share, CORRUPTED, 45);
            vm.expectRevert(
                abi.encodeWithSelector(
                    ISlashingManager.SlashingManagerAccusersDisagree.selector,
                    CORRUPTED
                )
            );
            slashing.proveWrongShare(epochId, opening, 45, accusers, accused, reporter);
        }
    }

    /// @dev Who was restarted between two signatures signs the same root again, bit for bit. The other
    /// half of s makes other bytes of it, not another statement.
    function test_aRestartedOperatorDidNotEquivocate() public {
        bytes32 openingId = openingIdOf(epochId, opening);
        bytes32 root = rootOf(treeOf(honestShare(4, openingId, opening, VICTIM)));
        SignedRoot memory first = signedRoot(epochId, openingId, root, VICTIM);
        SignedRoot memory again = SignedRoot(root, malleated(first.signature));
        bytes memory same = abi.encodeWithSelector(
            ISlashingManager.SlashingManagerSameRoot.selector,
            root
        );
        vm.expectRevert(same);
        slashing.proveEquivocation(epochId, openingId, 2, first, first, reporter);
        vm.expectRevert(same);
        slashing.proveEquivocation(epochId, openingId, 2, first, again, reporter);
    }

    function test_oneFormOfASignatureIsAccepted() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, CORRUPTED, 45);
        ShareProof memory accused = proofOf(
            epochId,
            opening,
            CORRUPTED,
            45,
            offByOne(epochId, opening, CORRUPTED, 45)
        );
        bytes memory right = accused.signature;
        bytes[5] memory others = [
            malleated(right),
            bytes.concat(right, hex"00"),
            compact(right),
            recoveryBit(right),
            new bytes(65)
        ];
        for (uint256 k = 0; k < 5; ++k) {
            accused.signature = others[k];
            vm.expectRevert(
                abi.encodeWithSelector(
                    ISlashingManager.SlashingManagerSignature.selector,
                    CORRUPTED,
                    signerOf(CORRUPTED),
                    address(0)
                )
            );
            slashing.proveWrongShare(epochId, opening, 45, accusers, accused, reporter);
        }
        accused.signature = right;
        slashing.proveWrongShare(epochId, opening, 45, accusers, accused, reporter);
    }

    /// @dev A chain that splits off has another id, hence another domain: what was signed here says
    /// nothing there, and operators that serve both sign for each.
    function test_aForkWithAnotherChainIdTakesNoEvidenceFromHere() public {
        bytes32 openingId = openingIdOf(epochId, opening);
        SignedRoot memory here = signedRoot(epochId, openingId, "a", VICTIM);
        vm.chainId(block.chainid + 1);
        SignedRoot memory there = signedRoot(epochId, openingId, "b", VICTIM);
        vm.expectPartialRevert(ISlashingManager.SlashingManagerSignature.selector);
        slashing.proveEquivocation(epochId, openingId, 2, here, there, reporter);

        RecordedRequests source = new RecordedRequests("Requests");
        source.record("request", epochId, keccak256("there"));
        bytes memory signed = signature(
            signerKey(VICTIM),
            source.hashResult(epochId, "request", keccak256("here"))
        );
        vm.chainId(block.chainid - 1);
        vm.expectPartialRevert(ISlashingManager.SlashingManagerSignature.selector);
        slashing.proveWrongResult(source, "request", 2, keccak256("here"), signed, reporter);
        expectIntact(VICTIM);
    }

    /// @dev The domain holds the address of the contract that was asked, whatever it answers.
    function test_aContractThatPosesAsAnotherConvictsNobody() public {
        RecordedRequests real = new RecordedRequests("Requests");
        bytes32 right = keccak256("right");
        real.record("request", epochId, right);
        bytes memory signed = signature(
            signerKey(VICTIM),
            real.hashResult(epochId, "request", right)
        );
        ImpostorRequests impostor = new ImpostorRequests(real, keccak256("wrong"));
        vm.expectPartialRevert(ISlashingManager.SlashingManagerSignature.selector);
        slashing.proveWrongResult(impostor, "request", 2, right, signed, reporter);

        vm.expectRevert(
            abi.encodeWithSelector(
                ISlashingManager.SlashingManagerResultRight.selector,
                bytes32("request")
            )
        );
        slashing.proveWrongResult(real, "request", 2, right, signed, reporter);
        expectIntact(VICTIM);
    }

    /// @dev A result of another request, of another epoch or of a contract of another name.
    function test_aResultIsEvidenceForItsOwnRequestOnly() public {
        RecordedRequests source = new RecordedRequests("Requests");
        RecordedRequests other = new RecordedRequests("Others");
        bytes32 second = activeEpoch(4, "second");
        bytes32 result = keccak256("result of the first");
        source.record("first", epochId, result);
        source.record("second", epochId, keccak256("result of the second"));
        source.record("later", second, keccak256("result of the later"));
        other.record("first", epochId, keccak256("result of the other"));
        bytes memory signed = signature(
            signerKey(VICTIM),
            source.hashResult(epochId, "first", result)
        );
        bytes4 refused = ISlashingManager.SlashingManagerSignature.selector;
        vm.expectPartialRevert(refused);
        slashing.proveWrongResult(source, "second", 2, result, signed, reporter);
        vm.expectPartialRevert(refused);
        slashing.proveWrongResult(source, "later", 2, result, signed, reporter);
        vm.expectPartialRevert(refused);
        slashing.proveWrongResult(other, "first", 2, result, signed, reporter);
        vm.expectPartialRevert(refused);
        slashing.proveWrongResult(source, "second", 3, result, signed, reporter);
    }

    /// @dev Another role's statement with the same fields is another type.
    function test_noOtherStatementPassesForAShareCommitment() public {
        bytes32 openingId = openingIdOf(epochId, opening);
        bytes memory signed = signature(
            signerKey(VICTIM),
            keys.hashResult(epochId, openingId, "b")
        );
        SignedRoot memory first = signedRoot(epochId, openingId, "a", VICTIM);
        vm.expectPartialRevert(ISlashingManager.SlashingManagerSignature.selector);
        slashing.proveEquivocation(epochId, openingId, 2, first, SignedRoot("b", signed), reporter);
    }

    /// @dev Everything else is right, so it is the signature over the id that is refused.
    function expectUnsigned(
        uint256 position,
        ShareProof[] memory accusers,
        ShareProof memory accused
    ) private {
        vm.expectPartialRevert(ISlashingManager.SlashingManagerSignature.selector);
        slashing.proveWrongShare(epochId, opening, position, accusers, accused, reporter);
    }

    function expectSignature(
        uint256 index,
        uint256 position,
        ShareProof[] memory accusers,
        ShareProof memory accused
    ) private {
        address recovered = recoveredFrom(position, index == VICTIM ? accused : accusers[0]);
        vm.assertTrue(recovered != signerOf(index), "not what it signed");
        vm.expectRevert(
            abi.encodeWithSelector(
                ISlashingManager.SlashingManagerSignature.selector,
                index,
                signerOf(index),
                recovered
            )
        );
        slashing.proveWrongShare(epochId, opening, position, accusers, accused, reporter);
    }

    /// @dev Whom the contract takes for the signer of a share: the root follows from chunk and path.
    function recoveredFrom(
        uint256 position,
        ShareProof memory proof
    ) private view returns (address) {
        bytes32 root = sha256(bytes.concat(hex"00", proof.chunk));
        for (uint256 k = 0; k < proof.path.length; ++k) {
            bool right = ((position / 64) >> k) & 1 == 1;
            root =
                right
                    ? sha256(bytes.concat(hex"01", proof.path[k], root))
                    : sha256(bytes.concat(hex"01", root, proof.path[k]));
        }
        bytes32 digest = epochs.hashShareCommitment(epochId, openingIdOf(epochId, opening), root);
        (bytes32 r, bytes32 s, uint8 v) = split(proof.signature);
        return ecrecover(digest, v, r, s);
    }

    /// @dev ERC-2098.
    function compact(bytes memory signed) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = split(signed);
        return abi.encodePacked(r, uint256(s) | (uint256(v - 27) << 255));
    }

    function recoveryBit(bytes memory signed) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = split(signed);
        return abi.encodePacked(r, s, uint8(v - 27));
    }
}
