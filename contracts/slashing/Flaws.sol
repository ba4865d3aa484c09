// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254, G1Point, G2Point} from "../ceremony/Bn254.sol";
import {PowersState, PowersStates} from "../ceremony/PowersStates.sol";
import {Flaw, FlawKind, ISlashingManager, Leaf} from "../interfaces/ISlashingManager.sol";
import {MerklePath} from "./MerklePath.sol";

/// @title Whether a state of the powers of tau is wrong where somebody says so
/// @notice The shape of the file follows from the power, so a path has one length, a leaf one place, and
/// neighbours are of one section. Points are checked here before a precompile sees them. A pairing counts
/// against the state only if it was computed; the one exception is {Bn254-isInG2}.
library Flaws {
    uint256 private constant G1_BYTES = 64;
    uint256 private constant G2_BYTES = 128;

    uint8 private constant TAU_G1 = 2;
    uint8 private constant TAU_G2 = 3;
    uint8 private constant ALPHA_G1 = 4;
    uint8 private constant BETA_G1 = 5;

    /// @notice Reverts unless the state has the flaw.
    function requireWrong(
        PowersState memory state,
        bytes32 stateHash,
        Flaw calldata flaw
    ) internal view {
        uint8 power = state.power;
        if (power < PowersStates.MIN_POWER || power > PowersStates.MAX_POWER) {
            revert ISlashingManager.SlashingManagerPower(
                power,
                PowersStates.MIN_POWER,
                PowersStates.MAX_POWER
            );
        }
        _requireLeaves(flaw);
        bool wrong;
        if (flaw.kind == FlawKind.WrongPoints) wrong = _arePointsWrong(state, stateHash);
        else if (flaw.section == TAU_G2) wrong = _isWrongInG2(state, flaw);
        else wrong = _isWrongInG1(state, flaw);
        if (!wrong) revert ISlashingManager.SlashingManagerNoFlaw();
    }

    function _arePointsWrong(
        PowersState memory state,
        bytes32 stateHash
    ) private view returns (bool) {
        if (
            !Bn254.isInG1(state.tauG1) ||
            !Bn254.isInG1(state.alphaG1) ||
            !Bn254.isInG1(state.betaG1) ||
            !Bn254.isOnTwist(state.tauG2) ||
            !Bn254.isOnTwist(state.betaG2)
        ) return true;
        if (!Bn254.isInG2(state.tauG2) || !Bn254.isInG2(state.betaG2)) return true;
        (bool valid, bool equal) = PowersStates.consistency(state, stateHash);
        return _computed(valid, !equal);
    }

    function _isWrongInG1(
        PowersState memory state,
        Flaw calldata flaw
    ) private view returns (bool) {
        G1Point memory point = _leafOfG1(state, flaw, 0);
        if (flaw.kind == FlawKind.MalformedLeaf) return !Bn254.isInG1(point);
        if (flaw.kind == FlawKind.WrongStart) return !Bn254.equals(point, _startInG1(state, flaw));
        G1Point memory next = _leafOfG1(state, flaw, 1);
        if (!Bn254.isInG1(point) || !Bn254.isInG1(next)) {
            revert ISlashingManager.SlashingManagerMalformed();
        }
        // e(next, G2) = e(point, tauG2)
        (bool valid, bool equal) = Bn254.pairing(
            abi.encode(next, Bn254.generator2(), Bn254.negate(point), state.tauG2)
        );
        return _computed(valid, !equal);
    }

    function _isWrongInG2(
        PowersState memory state,
        Flaw calldata flaw
    ) private view returns (bool) {
        G2Point memory point = _leafOfG2(state, flaw, 0);
        if (flaw.kind == FlawKind.MalformedLeaf) {
            return !Bn254.isOnTwist(point) || !Bn254.isInG2(point);
        }
        if (flaw.kind == FlawKind.WrongStart) {
            if (flaw.place > 1) _revertPlace(flaw);
            G2Point memory start = flaw.place == 0 ? Bn254.generator2() : state.tauG2;
            return keccak256(abi.encode(point)) != keccak256(abi.encode(start));
        }
        G2Point memory next = _leafOfG2(state, flaw, 1);
        if (!Bn254.isOnTwist(point) || !Bn254.isOnTwist(next)) {
            revert ISlashingManager.SlashingManagerMalformed();
        }
        // e(G1, next) = e(tauG1, point)
        (bool valid, bool equal) = Bn254.pairing(
            abi.encode(Bn254.negate(Bn254.generator1()), next, state.tauG1, point)
        );
        return _computed(valid, !equal);
    }

    /// @dev What the leaf at this place must be.
    function _startInG1(
        PowersState memory state,
        Flaw calldata flaw
    ) private pure returns (G1Point memory) {
        if (flaw.place == 1 && flaw.section == TAU_G1) return state.tauG1;
        if (flaw.place != 0) _revertPlace(flaw);
        if (flaw.section == ALPHA_G1) return state.alphaG1;
        if (flaw.section == BETA_G1) return state.betaG1;
        return Bn254.generator1();
    }

    /// @dev The point at the flaw's place, or behind it. Sections 2, 4 and 5 have 2N-1, N and N points and
    /// are one tree of 4N-1 leaves, N = 2^power.
    function _leafOfG1(
        PowersState memory state,
        Flaw calldata flaw,
        uint256 number
    ) private view returns (G1Point memory) {
        uint256 n = 1 << state.power;
        uint256 offset = 0;
        uint256 length = n;
        if (flaw.section == TAU_G1) length = 2 * n - 1;
        else if (flaw.section == ALPHA_G1) offset = 2 * n - 1;
        else if (flaw.section == BETA_G1) offset = 3 * n - 1;
        else _revertPlace(flaw);
        uint256 place = flaw.place + number;
        if (place >= length) _revertPlace(flaw);
        Leaf calldata leaf = flaw.leaves[number];
        _requireIn(state.g1Root, leaf, G1_BYTES, offset + place, state.power + 2);
        return abi.decode(leaf.point, (G1Point));
    }

    /// @dev As {_leafOfG1}: section 3 is a tree of N leaves.
    function _leafOfG2(
        PowersState memory state,
        Flaw calldata flaw,
        uint256 number
    ) private view returns (G2Point memory) {
        uint256 place = flaw.place + number;
        if (place >= 1 << state.power) _revertPlace(flaw);
        Leaf calldata leaf = flaw.leaves[number];
        _requireIn(state.g2Root, leaf, G2_BYTES, place, state.power);
        return abi.decode(leaf.point, (G2Point));
    }

    /// @dev Reverts unless the leaf has this position in the tree with this root.
    function _requireIn(
        bytes32 root,
        Leaf calldata leaf,
        uint256 length,
        uint256 position,
        uint256 height
    ) private view {
        if (leaf.point.length != length) {
            revert ISlashingManager.SlashingManagerPoint(leaf.point.length, length);
        }
        if (leaf.path.length != height) {
            revert ISlashingManager.SlashingManagerPath(leaf.path.length, height);
        }
        bytes32 reached = MerklePath.root(leaf.point, leaf.path, position);
        if (reached != root) revert ISlashingManager.SlashingManagerRoot(reached, root);
    }

    function _requireLeaves(Flaw calldata flaw) private pure {
        uint256 required = 1;
        if (flaw.kind == FlawKind.WrongPoints) required = 0;
        if (flaw.kind == FlawKind.WrongNeighbours) required = 2;
        if (flaw.leaves.length != required) {
            revert ISlashingManager.SlashingManagerLeaves(flaw.leaves.length, required);
        }
    }

    /// @dev A pairing that was refused says nothing about the leaves: the state's own points may be why.
    function _computed(bool valid, bool wrong) private pure returns (bool) {
        if (!valid) revert ISlashingManager.SlashingManagerMalformed();
        return wrong;
    }

    function _revertPlace(Flaw calldata flaw) private pure {
        revert ISlashingManager.SlashingManagerPlace(flaw.section, flaw.place);
    }
}
