// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

/// @title Base of the gateway contracts: behind a proxy, governed by the authority, upgraded by it
abstract contract Governed is AccessManagedUpgradeable, UUPSUpgradeable {
    /// @dev An implementation is never used directly.
    constructor() {
        _disableInitializers();
    }

    // solhint-disable-next-line func-name-mixedcase
    function __Governed_init(address authority) internal onlyInitializing {
        if (authority.code.length == 0) revert AccessManagedInvalidAuthority(authority);
        __AccessManaged_init(authority);
    }

    /// @dev Reached through upgradeToAndCall only, whose selector is what the authority judges.
    function _authorizeUpgrade(address) internal override restricted {}
}
