// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IEpochManager} from "../interfaces/IEpochManager.sol";
import {CommitteeCode} from "./CommitteeCode.sol";
import {CommitteeSize} from "./CommitteeSize.sol";

/// @title Verification of a quorum's signatures
library Quorum {
    uint256 internal constant SIGNATURE_BYTES = 65;

    /// @notice Reverts unless exactly 2t+1 of the committee's signers signed the digest.
    /// @dev A bit counts once, and its signature is checked against the one signer of that index, so
    /// no signature counts twice. Signatures with s in the upper half are refused, as are v other than
    /// 27 and 28.
    /// @param signers Packed signers of the committee, none of them zero.
    /// @param size n.
    /// @param digest What they signed.
    /// @param signerBitmap Bit i-1 for committee index i.
    /// @param signatures r ‖ s ‖ v for each bit, in ascending order.
    function verify(
        bytes memory signers,
        uint256 size,
        bytes32 digest,
        uint256 signerBitmap,
        bytes calldata signatures
    ) internal pure {
        if (signerBitmap >> size != 0) {
            revert IEpochManager.EpochManagerBitmapRange(signerBitmap, size);
        }
        uint256 quorum = CommitteeSize.quorum(size);
        uint256 count = CommitteeSize.count(signerBitmap);
        if (count != quorum) revert IEpochManager.EpochManagerQuorumSize(count, quorum);
        if (signatures.length != SIGNATURE_BYTES * quorum) {
            revert IEpochManager.EpochManagerSignaturesLength(
                signatures.length,
                SIGNATURE_BYTES * quorum
            );
        }

        uint256 offset = 0;
        for (uint256 i = 0; i < size; ++i) {
            if ((signerBitmap >> i) & 1 == 0) continue;
            (address recovered, , ) = ECDSA.tryRecoverCalldata(
                digest,
                signatures[offset:offset + SIGNATURE_BYTES]
            );
            address expected = CommitteeCode.nth(signers, i);
            if (recovered != expected) {
                revert IEpochManager.EpochManagerWrongSigner(i + 1, expected, recovered);
            }
            offset += SIGNATURE_BYTES;
        }
    }
}
