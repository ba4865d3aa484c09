// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What contracts that take requests have in common
interface IRequestWindow {
    event ResponseWindowSet(uint64 responseWindowSeconds);

    /// @notice The response window is outside [`minimum`, `maximum`] seconds.
    error ResponseWindowRange(uint64 windowSeconds, uint64 minimum, uint64 maximum);

    /// @notice Stops new requests. Results of earlier ones are still taken. Governance.
    function pauseRequests() external;

    /// @notice Takes requests again. Governance.
    function unpauseRequests() external;

    /// @notice Sets the window of requests from now on. Governance.
    /// @param responseWindowSeconds MIN_ to MAX_RESPONSE_WINDOW_SECONDS.
    function setResponseWindow(uint64 responseWindowSeconds) external;

    /// @notice Seconds from a request to its deadline.
    function responseWindowSeconds() external view returns (uint64);
}
