// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Bond token of local networks: anybody mints as much as they like
contract DevnetToken is ERC20 {
    constructor() ERC20("Keyloom Devnet Token", "DEVNET") {}

    /// @notice Gives an account tokens out of nothing.
    /// @param account Who receives them.
    /// @param amountWei How many, in units of 10^-18.
    function mint(address account, uint256 amountWei) external {
        _mint(account, amountWei);
    }
}
