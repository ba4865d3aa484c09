// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluationKeyManager} from "./IEvaluationKeyManager.sol";
import {IKeyManager} from "./IKeyManager.sol";

/// @notice Where a ciphertext comes from, and so why it may be decrypted.
/// @dev Vouched: the role REGISTRAR answers for it. Lattice, Kzg: there is a proof of this kind that it is an
/// encryption. Computed: its proof is a program over registered ciphertexts.
enum CiphertextOrigin {
    Vouched,
    Lattice,
    Kzg,
    Computed
}

/// @notice A registered ciphertext.
/// @param keyId Key it is encrypted under.
/// @param digest SHA-256 of its canonical bytes.
/// @param owner Who may decrypt it and allow others to.
/// @param limbs Number of primes of its level.
/// @param noiseBits Bit length of its guaranteed noise bound at the first level.
/// @param origin Why it may be decrypted.
/// @param source Ciphertext under another key that it was switched from, if a registrar says so; zero if
/// there is none.
/// @param proofDigest SHA-256 of its proof; zero for one that is vouched for.
struct Ciphertext {
    bytes32 keyId;
    bytes32 digest;
    address owner;
    uint8 limbs;
    uint16 noiseBits;
    CiphertextOrigin origin;
    bytes32 source;
    bytes32 proofDigest;
}

/// @notice A ciphertext that is registered by proof. The members mean what those of {Ciphertext} do.
/// @param inputs Handles of what it was computed from, in the program's order; empty for other origins.
struct ProvenCiphertext {
    bytes32 keyId;
    bytes32 digest;
    address owner;
    uint8 limbs;
    uint16 noiseBits;
    CiphertextOrigin origin;
    bytes32 proofDigest;
    bytes32[] inputs;
}

/// @title Ciphertexts that may be decrypted, and by whom
/// @notice A ciphertext of unknown origin is an oracle on the secret key, so only a registered one is ever
/// decrypted. Anybody registers one that is proven, with the signatures of a quorum that has checked the proof.
interface ICiphertextRegistry {
    event CiphertextRegistered(
        bytes32 indexed handle,
        bytes32 indexed keyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits,
        address owner,
        bytes32 source,
        CiphertextOrigin origin,
        bytes32 proofDigest
    );
    event DecryptionAllowed(bytes32 indexed handle, address indexed account);

    /// @notice A digest of zero.
    error CiphertextRegistryZeroDigest();
    /// @notice An account of zero, as owner or as the one allowed.
    error CiphertextRegistryZeroAccount();
    /// @notice The ciphertext has been registered before.
    error CiphertextRegistryExists(bytes32 handle);
    /// @notice The level is outside [`minimum`, `maximum`] primes.
    error CiphertextRegistryLimbs(uint8 limbs, uint8 minimum, uint8 maximum);
    /// @notice The noise is too large to be decrypted safely.
    error CiphertextRegistryNoise(uint16 noiseBits, uint16 maximum);
    /// @notice There is no such ciphertext.
    error CiphertextRegistryUnknown(bytes32 handle);
    /// @notice The account does not own the ciphertext.
    error CiphertextRegistryNotOwner(bytes32 handle, address account);
    /// @notice The account may not decrypt the ciphertext.
    error CiphertextRegistryNotAllowed(bytes32 handle, address account);
    /// @notice The ciphertext is under another key than the first one.
    error CiphertextRegistryMixedKeys(bytes32 handle, bytes32 keyId, bytes32 firstKeyId);
    /// @notice No switching key between these keys has been recorded.
    error CiphertextRegistryNotSwitchable(bytes32 fromKeyId, bytes32 toKeyId);
    /// @notice No ciphertext is named.
    error CiphertextRegistryNoHandles();

    /// @notice The origin is one without a proof, or the proof's digest is zero.
    error CiphertextRegistryUnproven(CiphertextOrigin origin, bytes32 proofDigest);
    /// @notice A computed ciphertext has 1 to 16 inputs, one of another origin has none.
    error CiphertextRegistryInputCount(CiphertextOrigin origin, uint256 count);
    /// @notice An input is named twice.
    error CiphertextRegistryInputTwice(bytes32 handle);

    /// @notice What is computed is registered by its owner only.
    error CiphertextRegistryNotByOwner(address owner, address sender);

    /// @notice Registers a ciphertext that a quorum of its key's epoch has found proven. Anybody, but what is
    /// computed only by its owner.
    /// @dev handle = H(chain id, this, key, digest, owner, origin, proof's digest): whoever sends it, the owner
    /// is the one that the proof is bound to. The key and its epoch are active. Each input is registered, its
    /// key is active and either this one or one that is switched to it, and the owner may decrypt it.
    /// @param signerBitmap Exactly a quorum.
    /// @param signatures Theirs of Result(epochId, handle, abi.encode(limbs, noiseBits, inputs)) in this
    /// contract's domain: 65 bytes r ‖ s ‖ v for each bit, in ascending order of index.
    function registerProven(
        ProvenCiphertext calldata proven,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external returns (bytes32 handle);

    /// @notice Registers a ciphertext under an active key. Role REGISTRAR.
    /// @dev The registrar vouches for the noise bound and for the origin of the ciphertext. The handle is as in
    /// {registerProven}.
    /// @param digest SHA-256 of the canonical ciphertext; not zero.
    /// @param limbs Number of primes of its level, from the decryption level to all but the special one.
    /// @param noiseBits Bit length of its guaranteed noise bound at the first level.
    /// @param owner Who may decrypt it; not zero.
    function register(
        bytes32 keyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits,
        address owner
    ) external returns (bytes32 handle);

    /// @notice Registers what a registered ciphertext became under another key. Role REGISTRAR.
    /// @dev Both keys are active and their switching key has been recorded. The owner is that of the
    /// source; so are the rights to decrypt, those given later included. No source has a source, because
    /// switching keys form no chains.
    /// @param sourceHandle The ciphertext it was switched from.
    /// @param toKeyId Key it is encrypted under now.
    /// @param digest See {register}, as for limbs and noiseBits.
    function registerSwitched(
        bytes32 sourceHandle,
        bytes32 toKeyId,
        bytes32 digest,
        uint8 limbs,
        uint16 noiseBits
    ) external returns (bytes32 handle);

    /// @notice Lets an account decrypt the ciphertext, for good. Only its owner; repeating is harmless.
    /// @dev For one that was switched this is a right to its source, and the event names that.
    function allow(bytes32 handle, address account) external;

    /// @notice The ciphertext of this handle; owner zero if there is none.
    function ciphertext(bytes32 handle) external view returns (Ciphertext memory);

    /// @notice Whether the account may decrypt the ciphertext.
    function mayDecrypt(bytes32 handle, address account) external view returns (bool);

    /// @notice Reverts unless all ciphertexts are registered, under one key, and open to the account.
    /// @return keyId Their key.
    function requireDecryptable(
        bytes32[] calldata handles,
        address account
    ) external view returns (bytes32 keyId);

    /// @notice Reverts unless the account owns all ciphertexts.
    function requireOwned(bytes32[] calldata handles, address owner) external view;

    /// @notice EIP-712 digest of what operators sign of a ciphertext that they have found proven.
    /// @param handle The request id of the statement.
    /// @param resultHash Keccak-256 of abi.encode(limbs, noiseBits, inputs).
    function hashResult(
        bytes32 epochId,
        bytes32 handle,
        bytes32 resultHash
    ) external view returns (bytes32);

    /// @notice EIP-712 domain separator of this contract.
    function domainSeparator() external view returns (bytes32);

    /// @notice Relinearization, Galois and switching keys.
    function evaluationKeyManager() external view returns (IEvaluationKeyManager);

    /// @notice Parameter sets and keys.
    function keyManager() external view returns (IKeyManager);
}
