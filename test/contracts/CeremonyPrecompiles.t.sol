// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "../../contracts/ceremony/Bn254.sol";
import {PowersState} from "../../contracts/ceremony/PowersStates.sol";
import {
    Accused,
    Flaw,
    FlawKind,
    ISlashingManager,
    Leaf
} from "../../contracts/interfaces/ISlashingManager.sol";
import {Ceremonies} from "./Ceremonies.sol";

/// @notice A pairing precompile that is starved, dearer than ever, or not there. An honest operator signed a
/// state whose point of G2 is right; whatever the precompile does, that is no flaw.
contract CeremonyPrecompilesTest is Ceremonies {
    address private constant PAIRING = address(8);

    bytes32 private epochId;
    PowersState private state;
    bytes private call;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        Flaw memory flaw;
        flaw.kind = FlawKind.MalformedLeaf;
        flaw.section = 3;
        flaw.leaves = new Leaf[](1);
        flaw.leaves[0].point = abi.encode(g2(5));
        flaw.leaves[0].path = new bytes32[](POWER);
        PowersState memory signed = stateOf("honest", 1);
        signed.g2Root = sha256(bytes.concat(hex"00", flaw.leaves[0].point));
        for (uint256 i = 0; i < POWER; ++i) {
            signed.g2Root = sha256(bytes.concat(hex"01", signed.g2Root, bytes32(0)));
        }
        state = signed;
        Accused[] memory accused = new Accused[](1);
        accused[0].index = 1;
        accused[0].signature = signature(
            signerKey(1),
            epochs.hashContribution(epochId, "ceremony", 0, hashOf(signed))
        );
        call = abi.encodeCall(
            ISlashingManager.proveWrongContribution,
            (epochId, "ceremony", 0, signed, flaw, accused, stranger)
        );
    }

    function test_thePointIsRight() public {
        expectRefused(gasleft(), ISlashingManager.SlashingManagerNoFlaw.selector);
    }

    function test_withTooLittleGasNothingIsJudged() public {
        expectRefused(400_000, Bn254.Bn254GasTooLow.selector);
    }

    function test_aRefusalOfEverythingIsNoFlaw() public {
        vm.mockCallRevert(PAIRING, "", "");
        expectRefused(gasleft(), Bn254.Bn254PrecompileFailed.selector);
    }

    function test_noPrecompileIsNoFlaw() public {
        vm.mockCall(PAIRING, "", "");
        expectRefused(gasleft(), Bn254.Bn254PrecompileFailed.selector);
    }

    function expectRefused(uint256 gas, bytes4 reason) private {
        (bool accepted, bytes memory data) = address(slashing).call{gas: gas}(call);
        vm.assertFalse(accepted, "accepted");
        vm.assertTrue(bytes4(data) == reason, "reason");
        vm.assertFalse(slashing.isWrongState(hashOf(state)), "not on record");
        vm.assertEq(registry.getOperator(ownerOf(1)).bondWei, MINIMUM_BOND, "bond");
    }
}
