// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What is told when an epoch ends
/// @notice The KeyManager, whose keys are usable while their epochs are active.
interface IEpochFollower {
    /// @notice Notes that an epoch was retired. Only for the EpochManager.
    /// @dev Nothing takes this back: what is retired stays so.
    /// @param number Stands for the epoch within this deployment.
    function endEpoch(uint16 number) external;
}
