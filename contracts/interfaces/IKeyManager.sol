// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochFollower} from "./IEpochFollower.sol";
import {IRequests} from "./IRequests.sol";

/// @notice Life of a key: requested, recorded, retired.
enum KeyState {
    None,
    Pending,
    Active,
    Retired
}

/// @notice Public parameters of a scheme, and what decryption needs of them for each committee size.
/// The arrays of four are indexed by t-1: n = 4, 7, 10, 13.
/// @param name Name in workers/ring, 1 to 64 bytes.
/// @param degree N, a power of two.
/// @param plainModulus Plaintext modulus.
/// @param primes Ciphertext primes in SEAL's order; the last one is the special prime.
/// @param decryptionLimbs Number of primes at the decryption level; 0 if this size is not supported.
/// @param floodBits B: flooding of each set is uniform in [-2^B, 2^B).
/// @param maxNoiseBits Largest bit length of a ciphertext's guaranteed noise bound.
/// @param lambda Statistical security of decryption in bits, 40 to 128: flooding hides the noise this
/// well, and 2^(lambda - 40) decryptions of different content leave 40 bits.
struct ParameterSet {
    string name;
    uint32 degree;
    uint64 plainModulus;
    uint64[] primes;
    uint8[4] decryptionLimbs;
    uint16[4] floodBits;
    uint16[4] maxNoiseBits;
    uint8 lambda;
}

/// @notice A key of an epoch.
/// @param state Where the key is in its life.
/// @param deadline Timestamp in seconds until which a pending key can be recorded; of a recorded one until
/// which its committee attests.
/// @param requester Who asked for it.
/// @param epochId Committee that holds it.
/// @param parameterSetId Its parameter set.
/// @param digest SHA-256 of the public key; zero while pending.
struct Key {
    KeyState state;
    uint64 deadline;
    address requester;
    bytes32 epochId;
    bytes32 parameterSetId;
    bytes32 digest;
}

/// @notice An active key of an active epoch, as those who take requests under it need it.
/// @param epochId Committee that holds it.
/// @param epochNumber Stands for the epoch within this deployment.
/// @param degree N of its parameter set.
/// @param units Decryptions of different content that it allows.
/// @param isTarget Whether ciphertexts are, or may be, switched to it from other keys.
struct UsableKey {
    bytes32 epochId;
    uint16 epochNumber;
    uint32 degree;
    uint64 units;
    bool isTarget;
}

/// @title Parameter sets and keys
/// @notice The request of a key has the key's id.
interface IKeyManager is IRequests, IEpochFollower {
    event ParameterSetAdded(bytes32 indexed parameterSetId, ParameterSet set);
    event KeyRequested(
        bytes32 indexed keyId,
        bytes32 indexed epochId,
        bytes32 parameterSetId,
        address requester,
        bytes32 label,
        uint64 deadline
    );
    event PublicKeyRecorded(bytes32 indexed keyId, bytes32 digest, uint256 signerBitmap);
    event KeyRetired(bytes32 indexed keyId);

    /// @notice The name is empty or longer than `maximum` bytes.
    error KeyManagerNameLength(uint256 length, uint256 maximum);
    /// @notice The degree is not a power of two within the stated limits.
    error KeyManagerDegree(uint32 degree);
    /// @notice The plaintext modulus is outside the stated limits.
    error KeyManagerPlainModulus(uint64 plainModulus);
    /// @notice The number of primes is outside the stated limits.
    error KeyManagerPrimeCount(uint256 count);
    /// @notice Not a prime for this degree: too large, not 1 modulo 2N, or named twice.
    error KeyManagerPrime(uint64 prime);
    /// @notice The decryption level, flooding or noise for committee size 3(`index`+1)+1 is impossible.
    error KeyManagerDecryptionPlan(uint256 index);
    /// @notice The statistical security in bits is outside [`minimum`, `maximum`].
    error KeyManagerLambda(uint8 lambda, uint8 minimum, uint8 maximum);
    /// @notice No committee size is supported.
    error KeyManagerNoCommitteeSize();
    /// @notice The parameter set has been added before.
    error KeyManagerParameterSetExists(bytes32 parameterSetId);
    /// @notice There is no such parameter set.
    error KeyManagerParameterSetUnknown(bytes32 parameterSetId);
    /// @notice The parameter set cannot be decrypted safely by a committee of this size.
    error KeyManagerCommitteeUnsupported(bytes32 parameterSetId, uint256 size);
    /// @notice The key is not in the state that the call needs.
    error KeyManagerKeyState(bytes32 keyId, KeyState state);
    /// @notice The key's epoch is not active.
    error KeyManagerEpochInactive(bytes32 keyId, bytes32 epochId);
    /// @notice A digest of zero.
    error KeyManagerZeroDigest(bytes32 keyId);

    /// @notice Adds a parameter set. Governance.
    /// @dev id = H(name, degree, plain modulus, primes). Primality and the noise plan are the proposer's
    /// word; operators refuse a set that differs from their own of the same name.
    function addParameterSet(ParameterSet calldata set) external returns (bytes32 parameterSetId);

    /// @notice Requests a key of an active epoch. Role KEY_REQUESTER; not while paused.
    /// @dev keyId = H(chain id, this, epoch, parameter set, caller, label). A pending key whose deadline
    /// has passed may be requested again: same id, new deadline, and the operators' shares are the same.
    /// @param label Tells keys of one requester apart.
    function requestKey(
        bytes32 epochId,
        bytes32 parameterSetId,
        bytes32 label
    ) external returns (bytes32 keyId);

    /// @notice Records the public key of a pending key; it becomes active. Anybody, even while paused.
    /// @param digest SHA-256 of the public key object; not zero.
    /// @param signerBitmap Exactly a quorum of the key's epoch.
    /// @param signatures Their signatures of Result, the digest being the result, in ascending order of index.
    function recordPublicKey(
        bytes32 keyId,
        bytes32 digest,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external;

    /// @notice Retires a pending or active key: nothing more is registered or decrypted. Governance.
    function retireKey(bytes32 keyId) external;

    /// @notice The parameter set of this id; an empty name if there is none.
    function parameterSet(bytes32 parameterSetId) external view returns (ParameterSet memory);

    /// @notice One prime of a parameter set, and how many there are.
    /// @param limb From 0.
    /// @return prime 0 if there is none of this number.
    /// @return count 0 if there is no such set.
    function primeOf(
        bytes32 parameterSetId,
        uint256 limb
    ) external view returns (uint64 prime, uint256 count);

    /// @notice The key of this id; state None if there is none.
    function key(bytes32 keyId) external view returns (Key memory);

    /// @notice What a ciphertext under an active key must keep to; reverts for any other key.
    /// @return minLimbs Fewest primes: the decryption level.
    /// @return maxLimbs Most primes: all but the special one.
    /// @return maxNoiseBits Largest bit length of its guaranteed noise bound.
    function ciphertextLimits(
        bytes32 keyId
    ) external view returns (uint8 minLimbs, uint8 maxLimbs, uint16 maxNoiseBits);

    /// @notice What is known of an active key of an active epoch; reverts for any other key.
    function requireUsable(bytes32 keyId) external view returns (UsableKey memory);

    /// @notice Notes that a switching key to this key has been requested. Only for the
    /// EvaluationKeyManager.
    function markTarget(bytes32 keyId) external;

    /// @notice How many decryptions of different content a key allows: 2^(lambda - 40), or 2^64 - 1 if
    /// that is less. Of a key in any state; 0 if there is none.
    function decryptionUnits(bytes32 keyId) external view returns (uint64);
}
