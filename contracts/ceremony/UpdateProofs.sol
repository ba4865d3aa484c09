// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICrsManager} from "../interfaces/ICrsManager.sol";
import {Bn254, G1Point} from "./Bn254.sol";
import {PowersState, PowersStates} from "./PowersStates.sol";

/// @notice Proof of knowledge of the factors between two states: c, and k + c·x of each factor x, where k
/// is a secret number used once.
struct UpdateProof {
    uint256 challenge;
    uint256 tau;
    uint256 alpha;
    uint256 beta;
}

/// @notice Which step a proof is of. It proves nothing for another one, or by another contributor.
/// @param index Committee index, or 0 for the beacon.
struct Step {
    bytes32 ceremonyId;
    uint8 index;
    bytes32 previousHash;
    bytes32 nextHash;
}

/// @title Whether one state follows from another by factors that the contributor knows
/// @notice Schnorr's proof in G1 for all three factors, with one challenge
///
///     c = H(tag, chain id, this, ceremony, index, previous, next, k_tau·tauG1, k_alpha·alphaG1,
///           k_beta·betaG1) mod R
///
/// over the points of the previous state. The verifier computes k·A as z·A - c·B from z = k + c·x and
/// B = x·A. A factor of 0 or 1 is refused, and a product of all factors that is 1.
library UpdateProofs {
    bytes32 private constant PROOF_TAG = keccak256("Keyloom powers of tau: proof of knowledge v1");

    /// @notice Reverts unless the proof holds and the points of the next state fit together.
    function requireValid(
        Step memory step,
        PowersState memory previous,
        PowersState memory next,
        UpdateProof calldata proof
    ) internal view {
        _requireChanged(1, previous.tauG1, next.tauG1);
        _requireChanged(2, previous.alphaG1, next.alphaG1);
        _requireChanged(3, previous.betaG1, next.betaG1);
        if (!Bn254.isOnTwist(next.tauG2)) revert ICrsManager.CrsManagerPoint(4);
        if (!Bn254.isOnTwist(next.betaG2)) revert ICrsManager.CrsManagerPoint(5);
        uint256 c = proof.challenge;
        G1Point memory tau = _commitment(previous.tauG1, next.tauG1, proof.tau, c);
        G1Point memory alpha = _commitment(previous.alphaG1, next.alphaG1, proof.alpha, c);
        G1Point memory beta = _commitment(previous.betaG1, next.betaG1, proof.beta, c);
        if (c != _challenge(step, tau, alpha, beta)) revert ICrsManager.CrsManagerProof();
        (, bool equal) = PowersStates.consistency(next, step.nextHash);
        if (!equal) revert ICrsManager.CrsManagerPairing();
    }

    /// @param number Of the point, as errors name it.
    function _requireChanged(
        uint256 number,
        G1Point memory previous,
        G1Point memory next
    ) private pure {
        if (!Bn254.isInG1(next)) revert ICrsManager.CrsManagerPoint(number);
        if (Bn254.equals(previous, next) || Bn254.equals(Bn254.generator1(), next)) {
            revert ICrsManager.CrsManagerUnchanged(number);
        }
    }

    /// @dev z·A - c·B. There is one form of a proof: its numbers are below R.
    function _commitment(
        G1Point memory a,
        G1Point memory b,
        uint256 z,
        uint256 c
    ) private view returns (G1Point memory) {
        if (z >= Bn254.R || c >= Bn254.R) revert ICrsManager.CrsManagerProof();
        return Bn254.add(Bn254.mul(a, z), Bn254.mul(b, Bn254.R - c));
    }

    function _challenge(
        Step memory step,
        G1Point memory tau,
        G1Point memory alpha,
        G1Point memory beta
    ) private view returns (uint256) {
        return
            uint256(
                keccak256(
                    abi.encode(PROOF_TAG, block.chainid, address(this), step, tau, alpha, beta)
                )
            ) % Bn254.R;
    }
}
