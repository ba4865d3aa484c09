// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommitteeSize} from "./CommitteeSize.sol";

/// @title Who acknowledged whose dealing, in one word
/// @notice Lane d-1 of 16 bits is the bitmap of the members that acknowledged dealer d; thirteen
/// lanes fit into 256 bits.
library Acknowledgements {
    /// @notice The word after a member has acknowledged some dealers.
    /// @param member Committee index, from 1.
    /// @param dealerBitmap Bits below the committee's size.
    function add(
        uint256 word,
        uint256 member,
        uint256 dealerBitmap
    ) internal pure returns (uint256) {
        for (uint256 d = 0; dealerBitmap >> d != 0; ++d) {
            word |= ((dealerBitmap >> d) & 1) << (16 * d + member - 1);
        }
        return word;
    }

    /// @notice Bitmap of the members that acknowledged the dealer with this index, from 1.
    function byDealer(uint256 word, uint256 dealer) internal pure returns (uint256) {
        return (word >> (16 * (dealer - 1))) & 0xffff;
    }

    /// @notice Bitmap of the dealers with a quorum of acknowledgements in a committee of n.
    function standing(uint256 word, uint256 n) internal pure returns (uint256 bitmap) {
        uint256 quorum = CommitteeSize.quorum(n);
        for (uint256 dealer = 1; dealer <= n; ++dealer) {
            if (CommitteeSize.count(byDealer(word, dealer)) >= quorum) bitmap |= 1 << (dealer - 1);
        }
    }
}
