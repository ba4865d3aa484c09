// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PausableUpgradeable} from "@openzeppelin/contracts-upgradeable/utils/PausableUpgradeable.sol";

import {IRequestWindow} from "../interfaces/IRequestWindow.sol";
import {Governed} from "./Governed.sol";

/// @title Base of the contracts that take requests: pause and deadline of requests
abstract contract RequestWindow is Governed, PausableUpgradeable, IRequestWindow {
    uint64 public constant MIN_RESPONSE_WINDOW_SECONDS = 1 minutes;

    /// @dev Shorter than the shortest unbonding delay: whoever signs a result still has its bond there.
    uint64 public constant MAX_RESPONSE_WINDOW_SECONDS = 12 hours;

    /// @custom:storage-location erc7201:keyloom.storage.RequestWindow
    struct RequestWindowStorage {
        uint64 responseWindowSeconds;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.RequestWindow");

    // solhint-disable-next-line func-name-mixedcase
    function __RequestWindow_init(uint64 windowSeconds) internal onlyInitializing {
        __Pausable_init();
        _setResponseWindow(windowSeconds);
    }

    /// @inheritdoc IRequestWindow
    function pauseRequests() external restricted {
        _pause();
    }

    /// @inheritdoc IRequestWindow
    function unpauseRequests() external restricted {
        _unpause();
    }

    /// @inheritdoc IRequestWindow
    function setResponseWindow(uint64 windowSeconds) external restricted {
        _setResponseWindow(windowSeconds);
    }

    /// @inheritdoc IRequestWindow
    function responseWindowSeconds() external view returns (uint64) {
        return _requestWindowStorage().responseWindowSeconds;
    }

    /// @dev Deadline of a request made now, as a timestamp in seconds.
    function _responseDeadline() internal view returns (uint64) {
        return uint64(block.timestamp) + _requestWindowStorage().responseWindowSeconds;
    }

    function _setResponseWindow(uint64 windowSeconds) private {
        if (
            windowSeconds < MIN_RESPONSE_WINDOW_SECONDS ||
            windowSeconds > MAX_RESPONSE_WINDOW_SECONDS
        ) {
            revert ResponseWindowRange(
                windowSeconds,
                MIN_RESPONSE_WINDOW_SECONDS,
                MAX_RESPONSE_WINDOW_SECONDS
            );
        }
        _requestWindowStorage().responseWindowSeconds = windowSeconds;
        emit ResponseWindowSet(windowSeconds);
    }

    function _requestWindowStorage() private pure returns (RequestWindowStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
