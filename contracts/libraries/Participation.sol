// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How many of the latest requests each member served, in one word
/// @notice Lane 0 of 16 bits counts requests, lane i those that committee index i signed or attested to;
/// fourteen lanes fit into 256 bits.
library Participation {
    /// @notice The word after one more request.
    /// @param signers Bitmap of who served it; bit i-1 for index i.
    /// @param size Members of the committee.
    function add(uint256 word, uint256 signers, uint256 size) internal pure returns (uint256) {
        ++word;
        for (uint256 i = 1; i <= size; ++i) word += ((signers >> (i - 1)) & 1) << (16 * i);
        return word;
    }

    /// @notice Requests counted.
    function total(uint256 word) internal pure returns (uint256) {
        return word & 0xffff;
    }

    /// @notice Requests that the member with this index, from 1, has not served.
    function missed(uint256 word, uint256 index) internal pure returns (uint256) {
        return total(word) - ((word >> (16 * index)) & 0xffff);
    }
}
