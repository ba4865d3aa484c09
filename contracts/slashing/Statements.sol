// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {ISlashingManager} from "../interfaces/ISlashingManager.sol";
import {CommitteeCode} from "../libraries/CommitteeCode.sol";
import {ContributionStatement} from "../libraries/ContributionStatement.sol";
import {ResultStatement} from "../libraries/ResultStatement.sol";

/// @title What operators sign, as far as it is evidence (docs/formats.md, Signatures)
library Statements {
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant SHARE_COMMITMENT_TYPEHASH = keccak256(
        "ShareCommitment(bytes32 epochId,bytes32 openingId,bytes32 root)"
    );

    /// @notice Digest of a share commitment.
    /// @param domain Separator of the EpochManager.
    function shareCommitment(
        bytes32 domain,
        bytes32 epochId,
        bytes32 openingId,
        bytes32 root
    ) internal pure returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                domain,
                keccak256(abi.encode(SHARE_COMMITMENT_TYPEHASH, epochId, openingId, root))
            );
    }

    /// @notice Digest of a contribution to a ceremony.
    /// @param domain Separator of the EpochManager.
    function contribution(
        bytes32 domain,
        bytes32 epochId,
        bytes32 ceremonyId,
        bytes32 previous,
        bytes32 next
    ) internal pure returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                domain,
                ContributionStatement.structHash(epochId, ceremonyId, previous, next)
            );
    }

    /// @notice Digest of a result, in the domain of the contract that took the request.
    /// @dev Chain and address are put in here. Were they, or the separator, asked of `source`, a contract
    /// made for the purpose could name the deployment's own one, present any result as the recorded one,
    /// and so turn every honest signature into evidence.
    function result(
        IERC5267 source,
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) internal view returns (bytes32) {
        (, string memory name, string memory version, , , , ) = source.eip712Domain();
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN_TYPEHASH,
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                block.chainid,
                source
            )
        );
        return
            MessageHashUtils.toTypedDataHash(
                domain,
                ResultStatement.structHash(epochId, requestId, resultHash)
            );
    }

    /// @notice Reverts unless the committee has a member of this index and it signed the digest.
    /// @dev Only the one accepted form of a signature counts, as in a quorum: 65 bytes, s in the lower
    /// half, v 27 or 28.
    /// @param members Packed signers of the committee, none of them zero, and its operators.
    /// @param index From 1.
    function requireSigned(
        bytes memory members,
        uint256 index,
        bytes32 digest,
        bytes calldata signature
    ) internal pure {
        uint256 size = members.length / 40;
        if (index == 0 || index > size) revert ISlashingManager.SlashingManagerIndex(index, size);
        address expected = CommitteeCode.nth(members, index - 1);
        (address recovered, , ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered != expected) {
            revert ISlashingManager.SlashingManagerSignature(index, expected, recovered);
        }
    }
}
