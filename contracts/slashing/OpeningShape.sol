// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ISlashingManager, OpeningPreimage} from "../interfaces/ISlashingManager.sol";

/// @notice Where a residue is in a share.
/// @param limb Number of its prime in the parameter set, from 0.
/// @param chunk Number of its chunk, from 0.
/// @param slot Its place within the chunk, from 0.
/// @param height Siblings between a chunk's leaf and the root.
struct Place {
    uint256 limb;
    uint256 chunk;
    uint256 slot;
    uint256 height;
}

/// @title The shape of an opening
/// @notice The one place that knows how a position maps to a prime and into a share's tree. Everything
/// used for it is inside the opening id, and the id is what the accused signed: a shape that was chosen
/// to judge values modulo another prime has another id, for which no honest operator signed anything.
library OpeningShape {
    /// @dev Residues per leaf of a share's tree.
    uint256 internal constant CHUNK_RESIDUES = 64;

    bytes32 private constant OPENING_DOMAIN = keccak256("keyloom/opening/1");

    /// @notice The opening id, as docs/formats.md has it (Ids).
    /// @param setupDigest That of the epoch.
    function id(
        OpeningPreimage calldata opening,
        bytes32 setupDigest
    ) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    OPENING_DOMAIN,
                    setupDigest,
                    opening.itemPrefix,
                    opening.generations,
                    opening.parameterSetId,
                    opening.step,
                    opening.digit,
                    opening.galoisElement,
                    opening.limbs,
                    opening.width,
                    opening.polynomials,
                    opening.positionsDigest
                )
            );
    }

    /// @notice Finds residue number `position`; reverts if the share has none of that number.
    /// @dev Residues are below 2^16 · 2^16 · 2^32: nothing overflows. What fills up the last chunk, and
    /// the tree beyond the last chunk, is no residue. That the parameter set has `limbs` primes is for
    /// the caller to check, who has the set.
    function locate(
        OpeningPreimage calldata opening,
        uint256 position
    ) internal pure returns (Place memory place) {
        unchecked {
            uint256 limbs = opening.limbs;
            uint256 width = opening.width;
            uint256 residues = opening.polynomials * limbs * width;
            if (residues == 0) revert ISlashingManager.SlashingManagerShape();
            if (position >= residues) {
                revert ISlashingManager.SlashingManagerPosition(position, residues);
            }
            // position = (polynomial · limbs + limb) · width + place
            place.limb = (position / width) % limbs;
            place.chunk = position / CHUNK_RESIDUES;
            place.slot = position % CHUNK_RESIDUES;
            place.height = Math.log2(
                (residues + CHUNK_RESIDUES - 1) / CHUNK_RESIDUES,
                Math.Rounding.Ceil
            );
        }
    }
}
