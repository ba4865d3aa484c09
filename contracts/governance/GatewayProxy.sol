// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

/// @title Proxy in front of each gateway contract
contract GatewayProxy is ERC1967Proxy {
    /// @param implementation First implementation.
    /// @param initializer Call of its initialize function; in the constructor, so nobody can come before.
    constructor(
        address implementation,
        bytes memory initializer
    ) ERC1967Proxy(implementation, initializer) {}
}
