// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DevnetToken} from "../../../contracts/devnet/DevnetToken.sol";

/// @title A token that keeps one unit of every transfer
contract FeeToken is DevnetToken {
    function _update(address from, address to, uint256 amountWei) internal override {
        super._update(from, to, amountWei);
        if (from != address(0) && to != address(0)) super._update(to, address(0), 1);
    }
}
