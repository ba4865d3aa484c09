// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ISlashingManager,
    Offence,
    OpeningPreimage,
    Penalty,
    ShareProof,
    SignedRoot
} from "../../contracts/interfaces/ISlashingManager.sol";
import {IOperatorRegistry, OperatorState} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {SlashingManager} from "../../contracts/SlashingManager.sol";
import {Evidence} from "./Evidence.sol";
import {RecordedRequests} from "./requests/RecordedRequests.sol";

/// @notice What is punished, once, by how much, and every reason to refuse.
contract SlashingManagerTest is Evidence {
    uint256 private constant LIAR = 2;
    uint256 private constant POSITION = 137;

    bytes32 private epochId;
    bytes32 private openingId;
    OpeningPreimage private opening;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        opening = openingOf(addTestSet());
        openingId = openingIdOf(epochId, opening);
    }

    // Wrong shares

    function test_aShareWrongAtOneResidueIsSlashed() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        ShareProof memory accused = wrong();
        expectPunished(LIAR, Offence.WrongShare, epochId, openingId);
        prove(accusers, accused);
        vm.assertTrue(registry.getOperator(ownerOf(LIAR)).removed, "removed");
        vm.assertFalse(registry.isEligible(ownerOf(LIAR)), "no seat");
        vm.assertEq(registry.owedWei(reporter), 50, "reward");
        vm.assertEq(registry.treasuryWei(), 950, "rest");
    }

    function test_everyResidueOfEveryLimbAndPolynomialIsJudgedByItsPrime() public {
        slashing.setPenalty(Offence.WrongShare, 0.1e18, 0);
        uint256[6] memory positions = [uint256(0), 39, 40, 119, 120, 239];
        for (uint256 k = 0; k < 6; ++k) {
            opening.itemPrefix = bytes32(k);
            ShareProof memory right = proofOf(epochId, opening, LIAR, positions[k], none());
            ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, positions[k]);
            vm.expectRevert(
                abi.encodeWithSelector(ISlashingManager.SlashingManagerShareRight.selector, LIAR)
            );
            slashing.proveWrongShare(epochId, opening, positions[k], accusers, right, reporter);
            ShareProof memory bad = wrongAt(positions[k]);
            slashing.proveWrongShare(epochId, opening, positions[k], accusers, bad, reporter);
        }
        vm.assertTrue(bondOf(LIAR) < 540, "slashed six times");
    }

    function test_aValueAboveThePrimeIsWrongEvenIfItIsRightModuloIt() public {
        uint64 prime = primeAt(opening, POSITION);
        Change memory change = offByOne(epochId, opening, LIAR, POSITION);
        change.value = change.value + prime - 1;
        ShareProof memory accused = proofOf(epochId, opening, LIAR, POSITION, change);
        prove(accusersOf(epochId, opening, LIAR, POSITION), accused);
        vm.assertEq(bondOf(LIAR), 0, "bond");
    }

    function test_anAccusersValueAboveThePrimeProvesNothing() public {
        uint64 prime = primeAt(opening, POSITION);
        Change memory change = offByOne(epochId, opening, 3, POSITION);
        change.value = change.value + prime - 1;
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        accusers[1] = proofOf(epochId, opening, 3, POSITION, change);
        expectRefused(
            abi.encodeWithSelector(
                ISlashingManager.SlashingManagerAccuserValue.selector,
                3,
                change.value,
                prime
            ),
            accusers,
            wrong()
        );
    }

    function test_accusersThatDisagreeProveNothing() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        accusers[0] = proofOf(
            epochId,
            opening,
            1,
            POSITION,
            offByOne(epochId, opening, 1, POSITION)
        );
        expectRefused(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerAccusersDisagree.selector, 4),
            accusers,
            wrong()
        );
    }

    function test_accusersAreAQuorumInOrderWithoutTheAccused() public {
        ShareProof memory accused = wrong();
        ShareProof[] memory right = accusersOf(epochId, opening, LIAR, POSITION);

        ShareProof[] memory few = new ShareProof[](2);
        (few[0], few[1]) = (right[0], right[1]);
        expectRefused(accusersError(2), few, accused);
        expectRefused(accusersError(0), new ShareProof[](0), accused);
        ShareProof[] memory many = new ShareProof[](4);
        (many[0], many[1], many[2], many[3]) = (right[0], right[1], right[2], right[2]);
        expectRefused(accusersError(4), many, accused);

        few = new ShareProof[](3);
        (few[0], few[1], few[2]) = (right[0], right[1], right[1]);
        expectRefused(accusersError(2), few, accused);
        (few[0], few[1], few[2]) = (right[1], right[0], right[2]);
        expectRefused(accusersError(1), few, accused);
        (few[0], few[1], few[2]) = (right[0], accused, right[1]);
        expectRefused(accusersError(1), few, accused);
        right[0].index = 0;
        expectRefused(accusersError(0), right, accused);
    }

    function test_indicesAreThoseOfTheCommittee() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        ShareProof memory accused = wrong();
        accused.index = 0;
        expectRefused(indexError(0), accusers, accused);
        accused.index = 5;
        expectRefused(indexError(5), accusers, accused);
        accused.index = 255;
        expectRefused(indexError(255), accusers, accused);
        accusers[2].index = 5;
        expectRefused(indexError(5), accusers, wrong());
    }

    function test_chunkPathAndPositionAreThoseOfTheShape() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        ShareProof memory accused = wrong();
        bytes memory chunk = accused.chunk;
        bytes4 chunkError = ISlashingManager.SlashingManagerChunk.selector;
        accused.chunk = new bytes(511);
        expectRefused(abi.encodeWithSelector(chunkError, 511), accusers, accused);
        accused.chunk = bytes.concat(chunk, hex"00");
        expectRefused(abi.encodeWithSelector(chunkError, 513), accusers, accused);
        accused.chunk = chunk;

        bytes4 pathError = ISlashingManager.SlashingManagerPath.selector;
        accused.path = new bytes32[](1);
        expectRefused(abi.encodeWithSelector(pathError, 1, 2), accusers, accused);
        accused.path = new bytes32[](3);
        expectRefused(abi.encodeWithSelector(pathError, 3, 2), accusers, accused);

        // Residues end at 239; the last chunk has places for 255, which are zeros.
        bytes4 positionError = ISlashingManager.SlashingManagerPosition.selector;
        uint256[4] memory outside = [uint256(240), 255, 256, type(uint256).max];
        accused = wrong();
        for (uint256 k = 0; k < 4; ++k) {
            vm.expectRevert(abi.encodeWithSelector(positionError, outside[k], 240));
            slashing.proveWrongShare(epochId, opening, outside[k], accusers, accused, reporter);
        }
    }

    function test_theShapeIsOneOfTheParameterSet() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        ShareProof memory accused = wrong();
        OpeningPreimage memory good = opening;
        opening.limbs = 5;
        expectRefused(shapeError(), accusers, accused);
        opening.limbs = 0;
        expectRefused(shapeError(), accusers, accused);
        opening.limbs = good.limbs;
        opening.width = 0;
        expectRefused(shapeError(), accusers, accused);
        opening.width = good.width;
        opening.polynomials = 0;
        expectRefused(shapeError(), accusers, accused);
        opening.polynomials = good.polynomials;
        opening.parameterSetId = "unknown";
        expectRefused(shapeError(), accusers, accused);
    }

    function test_anEpochHasASetUp() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        ShareProof memory accused = wrong();
        bytes32 proposed = propose(4, "proposed only");
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerEpoch.selector, proposed)
        );
        slashing.proveWrongShare(proposed, opening, POSITION, accusers, accused, reporter);
    }

    function test_whatWasSignedInAnEpochThatIsOverStaysSigned() public {
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        retire(epochId);
        vm.prank(ownerOf(LIAR));
        registry.beginUnbonding();
        vm.assertTrue(
            registry.getOperator(ownerOf(LIAR)).state == OperatorState.Unbonding,
            "unbonding"
        );
        prove(accusers, wrong());
        vm.assertEq(bondOf(LIAR), 0, "slashed while unbonding");

        bytes32 frozen = frozenEpochOf("frozen");
        vm.warp(block.timestamp + SETUP_WINDOW + 1);
        epochs.abandonProposal(epochs.epoch(frozen).proposalId);
        slashing.proveEquivocation(
            frozen,
            openingId,
            3,
            signedRoot(frozen, openingId, "a", 3),
            signedRoot(frozen, openingId, "b", 3),
            reporter
        );
        vm.assertEq(bondOf(3), 0, "slashed for an abandoned epoch");
    }

    // Equivocation

    function test_twoRootsForOneOpeningAreSlashed() public {
        bytes memory data = equivocation(LIAR, "a", "b");
        expectPunished(LIAR, Offence.Equivocation, epochId, openingId);
        submit(data);
    }

    function test_twoSignaturesOfOneRootAreNone() public {
        bytes memory data = equivocation(LIAR, "a", "a");
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerSameRoot.selector, bytes32("a"))
        );
        submit(data);
    }

    function test_bothRootsAreSignedByTheAccused() public {
        bytes memory other = signRoot(signerKey(3), epochId, openingId, "b");
        SignedRoot memory first = signedRoot(epochId, openingId, "a", LIAR);
        SignedRoot memory second = SignedRoot("b", other);
        bytes memory expected = signatureError(LIAR, signerOf(3));
        vm.expectRevert(expected);
        slashing.proveEquivocation(epochId, openingId, 2, first, second, reporter);
        vm.expectRevert(expected);
        slashing.proveEquivocation(epochId, openingId, 2, second, first, reporter);
        vm.expectRevert(indexError(0));
        slashing.proveEquivocation(epochId, openingId, 0, first, second, reporter);
        vm.expectRevert(indexError(5));
        slashing.proveEquivocation(epochId, openingId, 5, first, second, reporter);
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerEpoch.selector, bytes32("no"))
        );
        slashing.proveEquivocation("no", openingId, 2, first, second, reporter);
    }

    // Wrong results

    function test_aSignedResultOtherThanTheRecordedOneIsSlashed() public {
        RecordedRequests source = new RecordedRequests("Requests");
        bytes32 requestId = keccak256("request");
        source.record(requestId, epochId, keccak256("right"));
        bytes memory data = wrongResult(source, requestId, keccak256("wrong"));
        expectPunished(LIAR, Offence.WrongResult, epochId, requestId);
        submit(data);
        vm.assertEq(bondOf(LIAR), 0, "bond");
    }

    function test_aResultIsComparedWithARecordedOne() public {
        RecordedRequests source = new RecordedRequests("Requests");
        bytes32 requestId = keccak256("request");
        bytes memory data = wrongResult(source, requestId, keccak256("wrong"));
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerNoResult.selector, requestId)
        );
        submit(data);

        source.record(requestId, epochId, keccak256("right"));
        bytes memory right = wrongResult(source, requestId, keccak256("right"));
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerResultRight.selector, requestId)
        );
        submit(right);

        source.record(requestId, "no epoch", keccak256("right"));
        vm.expectRevert(
            abi.encodeWithSelector(
                ISlashingManager.SlashingManagerEpoch.selector,
                bytes32("no epoch")
            )
        );
        submit(data);
    }

    // Punishment

    function test_anOffenceIsPunishedOnce() public {
        slashing.setPenalty(Offence.WrongShare, 0.5e18, 0);
        slashing.setPenalty(Offence.Equivocation, 0.5e18, 0);
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        prove(accusers, wrong());
        bytes32 id = slashing.offenceId(Offence.WrongShare, epochId, openingId, uint8(LIAR));
        vm.assertTrue(slashing.isPunished(id), "on record");
        bytes memory again = abi.encodeWithSelector(
            ISlashingManager.SlashingManagerPunished.selector,
            id
        );
        expectRefused(again, accusers, wrong());

        // Another position of the same opening is the same offence; another opening is not.
        uint256 elsewhere = POSITION + 60;
        accusers = accusersOf(epochId, opening, LIAR, elsewhere);
        ShareProof memory accused = wrongAt(elsewhere);
        vm.expectRevert(again);
        slashing.proveWrongShare(epochId, opening, elsewhere, accusers, accused, reporter);

        submit(equivocation(LIAR, "a", "b"));
        vm.assertEq(bondOf(LIAR), 250, "twice, for two offences");
        bytes memory data = equivocation(LIAR, "b", "c");
        vm.expectPartialRevert(ISlashingManager.SlashingManagerPunished.selector);
        submit(data);
    }

    /// @dev The registry refuses what the manager has no record of: the same offence, and any other.
    function test_withoutABondThereIsNothingToPunish() public {
        submit(equivocation(LIAR, "a", "b"));
        ShareProof[] memory accusers = accusersOf(epochId, opening, LIAR, POSITION);
        expectRefused(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryNothingToSlash.selector,
                ownerOf(LIAR)
            ),
            accusers,
            wrong()
        );
        bytes memory data = equivocation(LIAR, "a", "b");
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryNothingToSlash.selector,
                ownerOf(LIAR)
            )
        );
        submit(data);
    }

    function test_theBeneficiaryIsNamed() public {
        SignedRoot memory first = signedRoot(epochId, openingId, "a", LIAR);
        SignedRoot memory second = signedRoot(epochId, openingId, "b", LIAR);
        vm.expectRevert(ISlashingManager.SlashingManagerZeroAccount.selector);
        slashing.proveEquivocation(epochId, openingId, 2, first, second, address(0));
    }

    function test_penaltiesAreBoundedAndGoverned() public {
        for (uint8 k = 0; k < 3; ++k) {
            Penalty memory penalty = slashing.penalty(Offence(k));
            vm.assertEq(penalty.slashWad, 1e18, "default slash");
            vm.assertEq(penalty.rewardWad, 0.05e18, "default reward");
        }
        bytes4 range = ISlashingManager.SlashingManagerPenaltyRange.selector;
        vm.expectRevert(abi.encodeWithSelector(range, 0.1e18 - 1, 0));
        slashing.setPenalty(Offence.WrongShare, 0.1e18 - 1, 0);
        vm.expectRevert(abi.encodeWithSelector(range, 1e18 + 1, 0));
        slashing.setPenalty(Offence.WrongShare, 1e18 + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(range, 1e18, 0.1e18 + 1));
        slashing.setPenalty(Offence.WrongShare, 1e18, 0.1e18 + 1);

        vm.expectEmit(address(slashing));
        emit ISlashingManager.PenaltySet(Offence.WrongResult, 0.1e18, 0.1e18);
        slashing.setPenalty(Offence.WrongResult, 0.1e18, 0.1e18);
        vm.assertEq(slashing.penalty(Offence.WrongResult).slashWad, 0.1e18, "set");
        vm.assertEq(slashing.penalty(Offence.WrongShare).slashWad, 1e18, "only that one");

        vm.expectRevert(unauthorized(governor));
        vm.prank(governor);
        slashing.setPenalty(Offence.WrongShare, 1e18, 0);
        vm.expectRevert(unauthorized(governor));
        vm.prank(governor);
        slashing.setTreasury(governor);
        vm.expectRevert(ISlashingManager.SlashingManagerZeroAccount.selector);
        slashing.setTreasury(address(0));
        vm.expectEmit(address(slashing));
        emit ISlashingManager.TreasurySet(stranger);
        slashing.setTreasury(stranger);
        submit(equivocation(LIAR, "a", "b"));
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OwedCollected(stranger, 950);
        slashing.payTreasury();
        vm.assertEq(token.balanceOf(stranger), 950, "the new treasury");
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.OperatorRegistryNothingOwed.selector, stranger)
        );
        slashing.payTreasury();
    }

    function test_theTreasuryIsAnAccount() public {
        address implementation = address(new SlashingManager());
        vm.expectRevert(ISlashingManager.SlashingManagerZeroAccount.selector);
        proxyOf(
            implementation,
            abi.encodeCall(SlashingManager.initialize, (address(authority), keys, address(0)))
        );
    }

    function test_itKnowsItsDeployment() public view {
        vm.assertEq(address(slashing.keyManager()), address(keys), "keys");
        vm.assertEq(address(slashing.epochManager()), address(epochs), "epochs");
        vm.assertEq(address(slashing.operatorRegistry()), address(registry), "registry");
        vm.assertEq(address(gateway.slashingManager()), address(slashing), "from the gateway");
    }

    function wrong() private view returns (ShareProof memory) {
        return wrongAt(POSITION);
    }

    function wrongAt(uint256 position) private view returns (ShareProof memory) {
        Change memory change = offByOne(epochId, opening, LIAR, position);
        return proofOf(epochId, opening, LIAR, position, change);
    }

    function prove(ShareProof[] memory accusers, ShareProof memory accused) private {
        slashing.proveWrongShare(epochId, opening, POSITION, accusers, accused, reporter);
    }

    function expectRefused(
        bytes memory reason,
        ShareProof[] memory accusers,
        ShareProof memory accused
    ) private {
        vm.expectRevert(reason);
        prove(accusers, accused);
    }

    function equivocation(
        uint256 i,
        bytes32 first,
        bytes32 second
    ) private view returns (bytes memory) {
        SignedRoot memory one = signedRoot(epochId, openingId, first, i);
        SignedRoot memory other = signedRoot(epochId, openingId, second, i);
        return
            abi.encodeCall(
                ISlashingManager.proveEquivocation,
                (epochId, openingId, uint8(i), one, other, reporter)
            );
    }

    /// @dev Signed by the liar.
    function wrongResult(
        RecordedRequests source,
        bytes32 requestId,
        bytes32 resultHash
    ) private view returns (bytes memory) {
        bytes32 digest = source.hashResult(epochId, requestId, resultHash);
        bytes memory signed = signature(signerKey(LIAR), digest);
        return
            abi.encodeCall(
                ISlashingManager.proveWrongResult,
                (source, requestId, uint8(LIAR), resultHash, signed, reporter)
            );
    }

    /// @dev By operators 5 to 8, as the first ones may have been slashed.
    function frozenEpochOf(bytes32 salt) private returns (bytes32) {
        address[] memory operators = new address[](4);
        for (uint256 i = 5; i <= 8; ++i) {
            registerOperator(i, MINIMUM_BOND);
            operators[i - 5] = ownerOf(i);
        }
        operators[2] = ownerOf(3);
        vm.prank(governor);
        bytes32 proposalId = epochs.proposeEpoch(operators, salt);
        uint256[3] memory dealers = [uint256(5), 6, 3];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(signerOf(dealers[i]));
            epochs.postDealing(proposalId, rootOf(dealers[i]));
        }
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(signerOf(dealers[i]));
            epochs.acknowledge(proposalId, 7);
        }
        return epochs.proposal(proposalId).epochId;
    }

    function accusersError(uint256 number) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashingManager.SlashingManagerAccusers.selector, number);
    }

    function indexError(uint256 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashingManager.SlashingManagerIndex.selector, index, 4);
    }

    function shapeError() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashingManager.SlashingManagerShape.selector);
    }

    function signatureError(uint256 index, address recovered) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                ISlashingManager.SlashingManagerSignature.selector,
                index,
                signerOf(index),
                recovered
            );
    }
}
