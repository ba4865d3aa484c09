// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title An account that is a contract: its signatures are those of its owner, until it is locked
contract ContractWallet is IERC1271 {
    address private immutable owner;
    bool private locked;

    constructor(address walletOwner) {
        owner = walletOwner;
    }

    function lock() external {
        locked = true;
    }

    function isValidSignature(
        bytes32 hash,
        bytes calldata signature
    ) external view returns (bytes4) {
        bool valid = !locked && ECDSA.recover(hash, signature) == owner;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
