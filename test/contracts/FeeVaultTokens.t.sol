// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {DevnetToken} from "../../contracts/devnet/DevnetToken.sol";
import {IFeeVault} from "../../contracts/interfaces/IFeeVault.sol";
import {IOperatorRegistry} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {Deployment} from "./Deployment.sol";
import {FeeToken} from "./tokens/FeeToken.sol";
import {ReentrantToken} from "./tokens/ReentrantToken.sol";
import {SilentToken} from "./tokens/SilentToken.sol";

/// @notice Tokens that do what a token should not: deposits stay covered, and nobody is paid twice.
contract FeeVaultTokensTest is Deployment {
    uint8 private constant OPERATION = 20;

    function test_aTokenThatKeepsAFeeIsRefused() public {
        deployWith(new FeeToken());
        approved(100);
        vm.expectRevert(mismatch(99, 100));
        vm.prank(user);
        vault.deposit(user, 100);
        assertMoney(0, 0);
    }

    function test_aTokenThatReturnsNothingIsTaken() public {
        SilentToken silent = new SilentToken();
        deployWith(IERC20(address(silent)));
        silent.mint(user, 100);
        vm.startPrank(user);
        vault.deposit(user, 100);
        vault.withdraw(40);
        vm.assertEq(silent.balanceOf(user), 40, "withdrawn");
        silent.refuse();
        bytes memory failed = abi.encodeWithSelector(
            SafeERC20.SafeERC20FailedOperation.selector,
            address(silent)
        );
        vm.expectRevert(failed);
        vault.withdraw(10);
        vm.expectRevert(failed);
        vault.deposit(user, 10);
        vm.stopPrank();
        assertMoney(60, 0);
    }

    function test_aTransferCannotCallBack() public {
        ReentrantToken reentrant = deployReentrant();
        bytes4 reentrancy = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        bytes[2] memory calls = [
            abi.encodeCall(vault.deposit, (stranger, 10)),
            abi.encodeCall(vault.withdraw, (10))
        ];
        vm.startPrank(user);
        for (uint256 i = 0; i < 2; ++i) {
            reentrant.onNextTransfer(address(vault), calls[i]);
            vm.expectRevert(reentrancy);
            vault.deposit(user, 10);
            reentrant.onNextTransfer(address(vault), calls[i]);
            vm.expectRevert(reentrancy);
            vault.withdraw(10);
        }
        vm.stopPrank();
        assertMoney(100, 0);
    }

    /// @dev Tokens that arrive within a deposit, beside it, are not counted as deposited.
    function test_nothingIsDepositedTwice() public {
        ReentrantToken reentrant = deployReentrant();
        reentrant.mint(address(reentrant), 10);
        reentrant.onNextTransfer(
            address(reentrant),
            abi.encodeCall(reentrant.transfer, (address(vault), 10))
        );
        vm.expectRevert(mismatch(20, 10));
        vm.prank(user);
        vault.deposit(user, 10);
        assertMoney(100, 0);
    }

    /// @dev A request in the middle of a deposit or a withdrawal finds the balance there is after it.
    function test_aRequestWithinATransferSpendsWhatIsThere() public {
        ReentrantToken reentrant = deployReentrant();
        vault.addOperation(OPERATION, address(reentrant));
        vault.setPrice(OPERATION, 1, 0);
        bytes memory charge = abi.encodeCall(vault.charge, (user, OPERATION, 1));
        vm.startPrank(user);
        reentrant.onNextTransfer(address(vault), charge);
        vm.expectRevert(
            abi.encodeWithSelector(IFeeVault.FeeVaultBalance.selector, user, 90, FEE_QUANTUM)
        );
        vault.withdraw(10);
        reentrant.onNextTransfer(address(vault), charge);
        vault.deposit(user, 10);
        vm.stopPrank();
        (, uint256 escrowWei) = vault.escrowOf(OPERATION);
        assertMoney(10, escrowWei);
        vm.assertEq(escrowWei, FEE_QUANTUM, "escrow");
    }

    /// @dev The user has 100 in the vault, and 1000 more to spend.
    function deployReentrant() private returns (ReentrantToken reentrant) {
        reentrant = new ReentrantToken();
        token = reentrant;
        deployWith(reentrant);
        approved(1100);
        vm.prank(user);
        vault.deposit(user, 100);
    }

    function approved(uint256 amountWei) private {
        DevnetToken fees = DevnetToken(address(vault.token()));
        fees.mint(user, amountWei);
        vm.prank(user);
        fees.approve(address(vault), amountWei);
    }

    function mismatch(
        uint256 receivedWei,
        uint256 expectedWei
    ) private pure returns (bytes memory) {
        bytes4 selector = IOperatorRegistry.OperatorRegistryTransferMismatch.selector;
        return abi.encodeWithSelector(selector, receivedWei, expectedWei);
    }

    function assertMoney(uint256 balanceWei, uint256 escrowWei) private view {
        vm.assertEq(vault.balanceOf(user), balanceWei, "balance");
        vm.assertEq(vault.balanceOf(stranger), 0, "nobody else's");
        uint256 held = vault.token().balanceOf(address(vault));
        vm.assertEq(held, balanceWei + escrowWei, "tokens");
    }
}
