// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DevnetToken} from "../../../contracts/devnet/DevnetToken.sol";

/// @title A token that calls back while it moves, like one with transfer hooks
contract ReentrantToken is DevnetToken {
    address private target;
    bytes private callback;

    function onNextTransfer(address newTarget, bytes calldata newCallback) external {
        target = newTarget;
        callback = newCallback;
    }

    function _update(address from, address to, uint256 amountWei) internal override {
        super._update(from, to, amountWei);
        address called = target;
        if (called == address(0)) return;
        target = address(0);
        (bool success, bytes memory reason) = called.call(callback);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
