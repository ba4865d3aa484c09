// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A contract account that calls back while it is asked whether a signature is valid
contract HostileWallet {
    address private immutable target;
    bytes private callback;

    constructor(address calledTarget) {
        target = calledTarget;
    }

    function onCheck(bytes calldata newCallback) external {
        callback = newCallback;
    }

    /// @dev Says yes to everything if it could call back, or need not.
    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        if (callback.length == 0) return this.isValidSignature.selector;
        (bool success, ) = target.call(callback);
        return success ? this.isValidSignature.selector : bytes4(0);
    }
}
