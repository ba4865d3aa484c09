// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";

/// @title Taking an exact amount of a token
library ExactTransfer {
    using SafeERC20 for IERC20;

    /// @notice Takes tokens into this contract; reverts unless exactly the amount arrives.
    /// @dev So nobody is promised more than is there when a token keeps a fee. The caller must not be
    /// re-entrant: a transfer within the transfer would be counted in the difference.
    /// @param from Who has approved the amount.
    /// @param amountWei In the token's smallest unit.
    function pull(IERC20 token, address from, uint256 amountWei) internal {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amountWei);
        uint256 afterwards = token.balanceOf(address(this));
        uint256 receivedWei = afterwards > before ? afterwards - before : 0;
        if (receivedWei != amountWei) {
            revert IOperatorRegistry.OperatorRegistryTransferMismatch(receivedWei, amountWei);
        }
    }
}
