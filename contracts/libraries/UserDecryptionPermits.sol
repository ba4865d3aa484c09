// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IDecryptionGateway, UserDecryptionPermit} from "../interfaces/IDecryptionGateway.sol";

/// @title Form, validity, EIP-712 struct hash and signatures of permits for user decryption
library UserDecryptionPermits {
    uint64 internal constant MAX_PERMIT_SECONDS = 30 days;
    uint256 internal constant MAX_PERMIT_HANDLES = 64;

    bytes32 private constant TYPEHASH = keccak256(
        "UserDecryptionPermit(address user,bytes32 publicKeyDigest,bytes32[] handles,address owner,uint64 validFrom,uint64 validUntil)"
    );

    /// @notice Reverts unless the permit is well-formed, valid now, and names the handles or an owner.
    /// @dev Whose they are, and who signed, is for the caller to check.
    function validate(
        UserDecryptionPermit calldata permit,
        bytes32[] calldata handles
    ) internal view {
        // A recipient of zero stands for everybody, and its units are those of public decryption.
        if (permit.publicKeyDigest == 0) {
            revert IDecryptionGateway.DecryptionGatewayZeroPublicKey();
        }
        _validateTime(permit.validFrom, permit.validUntil);
        uint256 named = permit.handles.length;
        if ((named == 0) == (permit.owner == address(0))) {
            revert IDecryptionGateway.DecryptionGatewayPermitScope();
        }
        if (named > MAX_PERMIT_HANDLES) {
            revert IDecryptionGateway.DecryptionGatewayPermitHandleCount(named, MAX_PERMIT_HANDLES);
        }
        if (named == 0) return;
        for (uint256 i = 0; i < handles.length; ++i) {
            if (!_contains(permit.handles, handles[i])) {
                revert IDecryptionGateway.DecryptionGatewayPermitHandle(handles[i]);
            }
        }
    }

    /// @notice Reverts unless the user signed the digest, with its key or as a contract (ERC-1271).
    /// @dev The key comes first, so that the code of a user without any is not looked at. A key is
    /// entitled to sign for its account even if that has code (EIP-7702).
    function verify(address user, bytes32 digest, bytes calldata signature) internal view {
        (address signer, ECDSA.RecoverError flaw, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (flaw == ECDSA.RecoverError.NoError && signer == user) return;
        if (SignatureChecker.isValidERC1271SignatureNowCalldata(user, digest, signature)) return;
        revert IDecryptionGateway.DecryptionGatewayPermitSignature(user);
    }

    /// @notice EIP-712 hash of the struct.
    function structHash(UserDecryptionPermit calldata permit) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    TYPEHASH,
                    permit.user,
                    permit.publicKeyDigest,
                    keccak256(abi.encodePacked(permit.handles)),
                    permit.owner,
                    permit.validFrom,
                    permit.validUntil
                )
            );
    }

    /// @dev A permit that was kept somewhere and forgotten stops working.
    function _validateTime(uint64 validFrom, uint64 validUntil) private view {
        if (block.timestamp < validFrom || block.timestamp > validUntil) {
            revert IDecryptionGateway.DecryptionGatewayPermitTime(
                validFrom,
                validUntil,
                block.timestamp
            );
        }
        uint64 durationSeconds = validUntil - validFrom;
        if (durationSeconds > MAX_PERMIT_SECONDS) {
            revert IDecryptionGateway.DecryptionGatewayPermitDuration(
                durationSeconds,
                MAX_PERMIT_SECONDS
            );
        }
    }

    function _contains(bytes32[] calldata list, bytes32 wanted) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) if (list[i] == wanted) return true;
        return false;
    }
}
