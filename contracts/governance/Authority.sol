// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title The one authority of a deployment
/// @notice Every restricted function of the gateway contracts asks it. Roles are in docs/contracts.md.
contract Authority is AccessManager {
    /// @param initialAdmin Holder of the admin role, which grants all others.
    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
