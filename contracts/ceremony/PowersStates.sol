// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254, G1Point, G2Point} from "./Bn254.sol";

/// @notice What contracts see of the powers of tau, all of which are in one file (docs/formats.md).
/// @param power The file has 2^power powers in G2.
/// @param digest SHA-256 of the file.
/// @param g1Root Root of the tree over its points of G1: sections 2, 4 and 5.
/// @param g2Root Root of the tree over section 3.
/// @param tauG1 tau·G1, point 1 of section 2.
/// @param alphaG1 alpha·G1, point 0 of section 4.
/// @param betaG1 beta·G1, point 0 of section 5.
/// @param tauG2 tau·G2, point 1 of section 3.
/// @param betaG2 beta·G2, section 6.
struct PowersState {
    uint8 power;
    bytes32 digest;
    bytes32 g1Root;
    bytes32 g2Root;
    G1Point tauG1;
    G1Point alphaG1;
    G1Point betaG1;
    G2Point tauG2;
    G2Point betaG2;
}

/// @title States of the powers of tau
library PowersStates {
    uint8 internal constant MIN_POWER = 8;
    uint8 internal constant MAX_POWER = 17;

    bytes32 private constant CONSISTENCY_TAG = keccak256("Keyloom powers of tau: consistency v1");

    /// @notice What a state is named by in statements, contributions and evidence.
    function hash(PowersState memory state) internal pure returns (bytes32) {
        return keccak256(abi.encode(state));
    }

    /// @notice What the first contribution builds on: generators everywhere, and no file.
    function initial(uint8 power) internal pure returns (PowersState memory state) {
        state.power = power;
        state.tauG1 = Bn254.generator1();
        state.alphaG1 = Bn254.generator1();
        state.betaG1 = Bn254.generator1();
        state.tauG2 = Bn254.generator2();
        state.betaG2 = Bn254.generator2();
    }

    /// @notice Whether the numbers behind tauG1 and tauG2 are equal, and those behind betaG1 and betaG2:
    ///
    ///     e(tauG1 + rho·betaG1, G2) = e(G1, tauG2) · e(rho·G1, betaG2)
    ///
    /// @dev rho is 128 bits of a hash of the state, so two errors do not cancel each other. The points of
    /// G1 are in G1.
    /// @return valid False if a point of G2 is not in G2.
    /// @return equal False unless valid.
    function consistency(
        PowersState memory state,
        bytes32 stateHash
    ) internal view returns (bool valid, bool equal) {
        uint256 rho = uint128(uint256(keccak256(abi.encode(CONSISTENCY_TAG, stateHash))));
        return
            Bn254.pairing(
                abi.encode(
                    Bn254.add(state.tauG1, Bn254.mul(state.betaG1, rho)),
                    Bn254.generator2(),
                    Bn254.negate(Bn254.generator1()),
                    state.tauG2,
                    Bn254.negate(Bn254.mul(Bn254.generator1(), rho)),
                    state.betaG2
                )
            );
    }
}
