// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeyManager, ParameterSet} from "../interfaces/IKeyManager.sol";

/// @title Identity and shape of parameter sets
/// @notice Only the shape is judged here. Security, primality and the noise plan are computed by
/// whoever proposes a set and again by every operator.
library ParameterSets {
    uint256 internal constant MAX_NAME_BYTES = 64;
    uint32 internal constant MIN_DEGREE = 1024;
    uint32 internal constant MAX_DEGREE = 32768;
    uint256 internal constant MAX_PRIMES = 16;
    /// @dev SEAL takes primes of at most 60 bits.
    uint64 internal constant MODULUS_LIMIT = 1 << 60;
    /// @dev 40 bits are what is left when a key's meter is spent.
    uint8 internal constant MIN_LAMBDA = 40;
    uint8 internal constant MAX_LAMBDA = 128;

    /// @notice H(name, degree, plain modulus, primes). The decryption plan follows from these.
    function id(ParameterSet calldata set) internal pure returns (bytes32) {
        return keccak256(abi.encode(set.name, set.degree, set.plainModulus, set.primes));
    }

    /// @notice Reverts unless the set has the shape of one.
    function validate(ParameterSet calldata set) internal pure {
        uint256 nameLength = bytes(set.name).length;
        if (nameLength == 0 || nameLength > MAX_NAME_BYTES) {
            revert IKeyManager.KeyManagerNameLength(nameLength, MAX_NAME_BYTES);
        }
        uint32 degree = set.degree;
        if (degree < MIN_DEGREE || degree > MAX_DEGREE || degree & (degree - 1) != 0) {
            revert IKeyManager.KeyManagerDegree(degree);
        }
        if (set.plainModulus < 2 || set.plainModulus >= MODULUS_LIMIT) {
            revert IKeyManager.KeyManagerPlainModulus(set.plainModulus);
        }
        if (set.lambda < MIN_LAMBDA || set.lambda > MAX_LAMBDA) {
            revert IKeyManager.KeyManagerLambda(set.lambda, MIN_LAMBDA, MAX_LAMBDA);
        }
        _validatePrimes(set.primes, degree);
        _validatePlan(set);
    }

    /// @notice 2^(λ-40) for a λ within the limits, or 2^64 - 1 if that is less.
    function decryptionUnits(uint8 lambda) internal pure returns (uint64) {
        uint256 bits = lambda - MIN_LAMBDA;
        return bits < 64 ? uint64(1 << bits) : type(uint64).max;
    }

    /// @dev At least one prime for ciphertexts and the special one. Each is 1 modulo 2N, or there is no
    /// number-theoretic transform, and different from the others, or residues do not determine a value.
    function _validatePrimes(uint64[] calldata primes, uint32 degree) private pure {
        if (primes.length < 2 || primes.length > MAX_PRIMES) {
            revert IKeyManager.KeyManagerPrimeCount(primes.length);
        }
        for (uint256 i = 0; i < primes.length; ++i) {
            uint64 prime = primes[i];
            bool bad = prime < 2 || prime >= MODULUS_LIMIT || prime % (2 * degree) != 1;
            for (uint256 j = 0; j < i; ++j) bad = bad || primes[j] == prime;
            if (bad) revert IKeyManager.KeyManagerPrime(prime);
        }
    }

    /// @dev A size is either supported, with a level below the special prime, flooding and room for
    /// noise, or not supported and all three are zero.
    function _validatePlan(ParameterSet calldata set) private pure {
        bool anySize = false;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 limbs = set.decryptionLimbs[i];
            bool supported = limbs != 0;
            if (
                limbs >= set.primes.length ||
                supported != (set.floodBits[i] != 0) ||
                supported != (set.maxNoiseBits[i] != 0)
            ) revert IKeyManager.KeyManagerDecryptionPlan(i);
            anySize = anySize || supported;
        }
        if (!anySize) revert IKeyManager.KeyManagerNoCommitteeSize();
    }
}
