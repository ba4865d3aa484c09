// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Committee arithmetic: n = 3t+1 members, at most t of them faulty, a quorum is 2t+1
library CommitteeSize {
    /// @notice Whether n is 4, 7, 10 or 13.
    function isSupported(uint256 n) internal pure returns (bool) {
        return n == 4 || n == 7 || n == 10 || n == 13;
    }

    /// @notice 2t+1 for a supported n.
    function quorum(uint256 n) internal pure returns (uint256) {
        return (2 * n + 1) / 3;
    }

    /// @notice t-1 for a supported n: where arrays indexed by committee size keep it.
    function index(uint256 n) internal pure returns (uint256) {
        return (n - 4) / 3;
    }

    /// @notice Number of members in a bitmap.
    function count(uint256 bitmap) internal pure returns (uint256 members) {
        for (; bitmap != 0; bitmap &= bitmap - 1) ++members;
    }
}
