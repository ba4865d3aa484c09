// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

import {DecryptionRights} from "./ciphertexts/DecryptionRights.sol";
import {Governed} from "./governance/Governed.sol";
import {
    Ciphertext,
    CiphertextOrigin,
    ICiphertextRegistry,
    ProvenCiphertext
} from "./interfaces/ICiphertextRegistry.sol";
import {IEvaluationKeyManager} from "./interfaces/IEvaluationKeyManager.sol";
import {IKeyManager} from "./interfaces/IKeyManager.sol";
import {ResultStatement} from "./libraries/ResultStatement.sol";

/// @title CiphertextRegistry
/// @notice Registrations. Who may decrypt what is registered is in DecryptionRights.
contract CiphertextRegistry is Governed, EIP712Upgradeable, DecryptionRights {
    uint256 public constant MAX_INPUTS = 16;

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param manager Evaluation keys; the other keys and the committees are read from it.
    function initialize(address authority, IEvaluationKeyManager manager) external initializer {
        __Governed_init(authority);
        CiphertextRegistryStorage storage $ = _storage();
        $.evaluationKeyManager = manager;
        $.keyManager = manager.keyManager();
        $.epochManager = manager.epochManager();
    }

    /// @inheritdoc ICiphertextRegistry
    function registerProven(
        ProvenCiphertext calldata proven,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external returns (bytes32 handle) {
        if (proven.origin == CiphertextOrigin.Vouched || proven.proofDigest == 0) {
            revert CiphertextRegistryUnproven(proven.origin, proven.proofDigest);
        }
        if (proven.owner == address(0)) revert CiphertextRegistryZeroAccount();
        CiphertextRegistryStorage storage $ = _storage();
        uint16 epochNumber = $.keyManager.requireUsable(proven.keyId).epochNumber;
        _requireInputs(proven);
        handle = _register(
            Ciphertext({
                keyId: proven.keyId,
                digest: proven.digest,
                owner: proven.owner,
                limbs: proven.limbs,
                noiseBits: proven.noiseBits,
                origin: proven.origin,
                source: 0,
                proofDigest: proven.proofDigest
            })
        );
        $.epochManager.verifyResult(
            epochNumber,
            _domainSeparatorV4(),
            handle,
            keccak256(abi.encode(proven.limbs, proven.noiseBits, proven.inputs)),
            signerBitmap,
            signatures
        );
    }

    /// @inheritdoc ICiphertextRegistry
    function register(
        bytes32 keyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits,
        address owner
    ) external restricted returns (bytes32 handle) {
        if (owner == address(0)) revert CiphertextRegistryZeroAccount();
        return _register(_vouched(keyId, digest, limbs, noiseBits, owner, 0));
    }

    /// @inheritdoc ICiphertextRegistry
    function registerSwitched(
        bytes32 sourceHandle,
        bytes32 toKeyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits
    ) external restricted returns (bytes32 handle) {
        Ciphertext storage source = _storage().ciphertexts[sourceHandle];
        address owner = source.owner;
        if (owner == address(0)) revert CiphertextRegistryUnknown(sourceHandle);
        _requireSwitchable(source.keyId, toKeyId);
        return _register(_vouched(toKeyId, digest, limbs, noiseBits, owner, sourceHandle));
    }

    /// @inheritdoc ICiphertextRegistry
    function ciphertext(bytes32 handle) external view returns (Ciphertext memory) {
        return _storage().ciphertexts[handle];
    }

    /// @inheritdoc ICiphertextRegistry
    function hashResult(
        bytes32 epochId,
        bytes32 handle,
        bytes32 resultHash
    ) external view returns (bytes32) {
        return _hashTypedDataV4(ResultStatement.structHash(epochId, handle, resultHash));
    }

    /// @inheritdoc ICiphertextRegistry
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc ICiphertextRegistry
    function evaluationKeyManager() external view returns (IEvaluationKeyManager) {
        return _storage().evaluationKeyManager;
    }

    /// @inheritdoc ICiphertextRegistry
    function keyManager() external view returns (IKeyManager) {
        return _storage().keyManager;
    }

    function _register(Ciphertext memory record) private returns (bytes32 handle) {
        if (record.digest == 0) revert CiphertextRegistryZeroDigest();
        CiphertextRegistryStorage storage $ = _storage();
        (uint8 minLimbs, uint8 maxLimbs, uint16 maxNoiseBits) = $.keyManager.ciphertextLimits(
            record.keyId
        );
        if (record.limbs < minLimbs || record.limbs > maxLimbs) {
            revert CiphertextRegistryLimbs(record.limbs, minLimbs, maxLimbs);
        }
        if (record.noiseBits > maxNoiseBits) {
            revert CiphertextRegistryNoise(record.noiseBits, maxNoiseBits);
        }

        handle = keccak256(
            abi.encode(
                block.chainid,
                address(this),
                record.keyId,
                record.digest,
                record.owner,
                record.origin,
                record.proofDigest
            )
        );
        if ($.ciphertexts[handle].owner != address(0)) revert CiphertextRegistryExists(handle);
        $.ciphertexts[handle] = record;
        emit CiphertextRegistered(
            handle,
            record.keyId,
            record.digest,
            record.limbs,
            record.noiseBits,
            record.owner,
            record.source,
            record.origin,
            record.proofDigest
        );
    }

    /// @dev Reverts unless the inputs are what a ciphertext of this origin has, and the owner may have each of
    /// them decrypted: whoever may decrypt a result learns of its inputs. It is the owner who asks: rights
    /// that it gave to what it owns must not come to extend to what others let it decrypt.
    function _requireInputs(ProvenCiphertext calldata proven) private view {
        bytes32[] calldata inputs = proven.inputs;
        bool computed = proven.origin == CiphertextOrigin.Computed;
        if (computed ? inputs.length == 0 || inputs.length > MAX_INPUTS : inputs.length != 0) {
            revert CiphertextRegistryInputCount(proven.origin, inputs.length);
        }
        if (computed && msg.sender != proven.owner) {
            revert CiphertextRegistryNotByOwner(proven.owner, msg.sender);
        }
        for (uint256 i = 0; i < inputs.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (inputs[j] == inputs[i]) revert CiphertextRegistryInputTwice(inputs[i]);
            }
            bytes32 keyId = _requireAllowed(inputs[i], proven.owner);
            if (keyId != proven.keyId) _requireSwitchable(keyId, proven.keyId);
        }
    }

    /// @dev Nothing leaves a retired key, and nothing goes where its key's owner has not agreed to.
    function _requireSwitchable(bytes32 fromKeyId, bytes32 toKeyId) private view {
        CiphertextRegistryStorage storage $ = _storage();
        $.keyManager.ciphertextLimits(fromKeyId);
        if (!$.evaluationKeyManager.isSwitchingRecorded(fromKeyId, toKeyId)) {
            revert CiphertextRegistryNotSwitchable(fromKeyId, toKeyId);
        }
    }

    function _vouched(
        bytes32 keyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits,
        address owner,
        bytes32 source
    ) private pure returns (Ciphertext memory) {
        return
            Ciphertext({
                keyId: keyId,
                digest: digest,
                owner: owner,
                limbs: limbs,
                noiseBits: noiseBits,
                origin: CiphertextOrigin.Vouched,
                source: source,
                proofDigest: 0
            });
    }

    /// @dev Constants instead of storage: they are read for every registration.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom CiphertextRegistry";
    }

    /// @dev See {_EIP712Name}.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }
}
