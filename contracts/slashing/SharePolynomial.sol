// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommitteeSize} from "../libraries/CommitteeSize.sol";
import {ISlashingManager} from "../interfaces/ISlashingManager.sol";

/// @title Whether residues lie on one polynomial of degree at most t
/// @notice A degree test without a modular inverse.
///
/// Let x_1..x_m, m = t+2, be different integers in 1..13, v_i their values, p a prime above 12, and
///
///     D_i = Π_{j≠i} (x_i - x_j)      W_i = 12! / D_i
///
/// 1. W_i is an integer. The factors of D_i with x_j below x_i are different numbers of 1..x_i-1, so
///    their product divides (x_i-1)!; the absolute values of those above are different numbers of
///    1..13-x_i, so their product divides (13-x_i)!. Hence |D_i| divides (x_i-1)!·(13-x_i)!, which
///    divides 12! with quotient C(12, x_i-1).
/// 2. Modulo p the x_i are different, as p > 12, so exactly one polynomial f of degree at most t+1 goes
///    through the points. By Lagrange f = Σ v_i·Π_{j≠i}(x - x_j)/D_i, whose coefficient of x^(t+1) is
///    c = Σ v_i/D_i, because each product has m-1 = t+1 factors x - x_j.
/// 3. Σ W_i·v_i ≡ 12!·c. No factor of 12! is divisible by p, so 12! is invertible and the sum is 0
///    exactly if c is: if f has degree at most t.
/// 4. So the points lie on a polynomial of degree at most t exactly if Σ W_i·v_i ≡ 0 modulo p: if they
///    do, it is f, as f is unique.
/// 5. |W_i| ≤ 12! < 2^29 and v_i < 2^64: six terms stay below 2^96, so the sum is exact in an int256.
///
/// Indices of operators are the x_i; committees have at most 13. A parameter set's primes are 1 modulo
/// 2N ≥ 2048. That they are prime is no contract's check: operators sign only for sets that they know.
library SharePolynomial {
    int256 private constant FACTORIAL_12 = 479001600;
    uint256 private constant MIN_PRIME = 13;

    /// @notice Reverts unless the accusers' values lie on one polynomial of degree at most t, and the
    /// accused value does not.
    /// @dev Of 2t+1 accusers beside an honest accused, at least t+1 are honest, and their values fix the
    /// polynomial on which all honest values are: an honest operator's too. Honest residues are below
    /// their prime. An accuser's value that is not proves nothing; an accused one is wrong by itself.
    /// @param n Committee size.
    /// @param indices Committee indices of the accusers, ascending, 2t+1 of them; then the accused.
    /// @param values Their values, in the same order.
    function requireWrong(
        uint256 n,
        uint256[] memory indices,
        uint256[] memory values,
        uint256 prime
    ) internal pure {
        if (prime < MIN_PRIME) revert ISlashingManager.SlashingManagerShape();
        uint256 quorum = CommitteeSize.quorum(n);
        uint256 basis = (n - 1) / 3 + 1;
        for (uint256 i = 0; i < quorum; ++i) {
            if (values[i] >= prime) {
                revert ISlashingManager.SlashingManagerAccuserValue(indices[i], values[i], prime);
            }
        }
        int256[] memory divisors = _divisors(indices, basis);
        for (uint256 i = basis; i < quorum; ++i) {
            if (!_fits(indices, values, divisors, i, prime)) {
                revert ISlashingManager.SlashingManagerAccusersDisagree(indices[i]);
            }
        }
        if (values[quorum] < prime && _fits(indices, values, divisors, quorum, prime)) {
            revert ISlashingManager.SlashingManagerShareRight(indices[quorum]);
        }
    }

    /// @dev Π (x_i - x_j) over the other points of the basis, for each of its points.
    function _divisors(
        uint256[] memory indices,
        uint256 basis
    ) private pure returns (int256[] memory divisors) {
        divisors = new int256[](basis);
        unchecked {
            for (uint256 i = 0; i < basis; ++i) {
                int256 divisor = 1;
                for (uint256 j = 0; j < basis; ++j) {
                    if (j != i) divisor *= int256(indices[i]) - int256(indices[j]);
                }
                divisors[i] = divisor;
            }
        }
    }

    /// @dev Whether point number `last` lies on the polynomial through the basis: steps 3 and 4.
    function _fits(
        uint256[] memory indices,
        uint256[] memory values,
        int256[] memory divisors,
        uint256 last,
        uint256 prime
    ) private pure returns (bool) {
        unchecked {
            int256 x = int256(indices[last]);
            int256 divisor = 1;
            int256 sum = 0;
            for (uint256 i = 0; i < divisors.length; ++i) {
                int256 difference = int256(indices[i]) - x;
                divisor *= -difference;
                sum += (FACTORIAL_12 / (divisors[i] * difference)) * int256(values[i]);
            }
            sum += (FACTORIAL_12 / divisor) * int256(values[last]);
            return sum % int256(prime) == 0;
        }
    }
}
