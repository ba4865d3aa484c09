// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISlashingManager} from "../../contracts/interfaces/ISlashingManager.sol";
import {SharePolynomial} from "../../contracts/slashing/SharePolynomial.sol";
import {Deployment} from "./Deployment.sol";

/// @notice The library's function behind a call, so that it can be seen to revert.
contract SharePolynomialHarness {
    function requireWrong(
        uint256 n,
        uint256[] memory indices,
        uint256[] memory values,
        uint256 prime
    ) external pure {
        SharePolynomial.requireWrong(n, indices, values, prime);
    }
}

/// @notice The degree test against trying every polynomial there is.
contract SharePolynomialTest is Deployment {
    uint256 private constant FACTORIAL_12 = 479001600;

    SharePolynomialHarness private harness;

    function setUp() public override {
        harness = new SharePolynomialHarness();
    }

    /// @dev Step 1 of the derivation, for every choice of up to six of thirteen points.
    function test_everyWeightIsAnInteger() public pure {
        for (uint256 chosen = 1; chosen < 1 << 13; ++chosen) {
            uint256 count = 0;
            for (uint256 i = 0; i < 13; ++i) count += (chosen >> i) & 1;
            if (count > 6) continue;
            for (uint256 i = 0; i < 13; ++i) {
                if ((chosen >> i) & 1 == 0) continue;
                uint256 product = 1;
                for (uint256 j = 0; j < 13; ++j) {
                    if (j != i && (chosen >> j) & 1 == 1) product *= i > j ? i - j : j - i;
                }
                vm.assertTrue(FACTORIAL_12 % product == 0, "divides 12!");
            }
        }
    }

    /// @dev All p^(t+1) polynomials for p = 17 and committees of 4 and 7.
    function testFuzz_itFindsWhatTryingEveryPolynomialFinds(uint256 seed) public view {
        uint256 n = seed % 2 == 0 ? 4 : 7;
        uint256 prime = 17;
        uint256 quorum = quorumOf(n);
        uint256[] memory indices = choose(seed >> 8, n, quorum + 1);
        uint256[] memory values = new uint256[](quorum + 1);
        uint256 polynomial = uint256(keccak256(abi.encode(seed))) % (prime ** ((n + 2) / 3));
        for (uint256 i = 0; i <= quorum; ++i) {
            uint256 noise = uint256(keccak256(abi.encode(seed, i)));
            values[i] =
                noise % 12 == 0 ? (noise >> 8) % prime : evaluate(polynomial, indices[i], prime);
        }
        if ((seed >> 64) % 2 == 0) values[quorum] = (seed >> 72) % prime;

        (bool agree, bool fits) = search(n, indices, values, prime);
        try harness.requireWrong(n, indices, values, prime) {
            vm.assertTrue(agree && !fits, "wrong");
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            if (selector == ISlashingManager.SlashingManagerShareRight.selector) {
                vm.assertTrue(agree && fits, "right");
            } else {
                vm.assertTrue(
                    selector == ISlashingManager.SlashingManagerAccusersDisagree.selector,
                    "no other reason"
                );
                vm.assertFalse(agree, "no evidence");
            }
        }
    }

    function test_primesBelowThirteenAreRefused() public {
        uint256[] memory indices = new uint256[](4);
        uint256[] memory values = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) indices[i] = i + 1;
        vm.expectRevert(ISlashingManager.SlashingManagerShape.selector);
        harness.requireWrong(4, indices, values, 11);
        vm.expectRevert(
            abi.encodeWithSelector(ISlashingManager.SlashingManagerShareRight.selector, 4)
        );
        harness.requireWrong(4, indices, values, 13);
    }

    /// @dev Different indices; their order makes no difference here.
    function choose(
        uint256 seed,
        uint256 n,
        uint256 count
    ) private pure returns (uint256[] memory chosen) {
        uint256[] memory all = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) all[i] = i + 1;
        for (uint256 i = 0; i < count; ++i) {
            uint256 j = i + (uint256(keccak256(abi.encode(seed, i))) % (n - i));
            (all[i], all[j]) = (all[j], all[i]);
        }
        chosen = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) chosen[i] = all[i];
    }

    /// @dev Polynomial number `number`: its coefficients are the digits to base p.
    function evaluate(
        uint256 number,
        uint256 x,
        uint256 prime
    ) private pure returns (uint256 value) {
        uint256 power = 1;
        for (; number != 0; number /= prime) {
            value += (number % prime) * power;
            power *= x;
        }
        value %= prime;
    }

    function search(
        uint256 n,
        uint256[] memory indices,
        uint256[] memory values,
        uint256 prime
    ) private pure returns (bool agree, bool fits) {
        uint256 quorum = quorumOf(n);
        uint256 polynomials = prime ** ((n + 2) / 3);
        for (uint256 number = 0; number < polynomials && !agree; ++number) {
            uint256 i = 0;
            while (i < quorum && evaluate(number, indices[i], prime) == values[i]) ++i;
            if (i < quorum) continue;
            agree = true;
            fits = evaluate(number, indices[quorum], prime) == values[quorum];
        }
    }
}
