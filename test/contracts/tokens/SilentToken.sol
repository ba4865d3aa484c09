// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A token whose transfers return nothing, like some old ones, or false when told to
contract SilentToken {
    mapping(address account => uint256) public balanceOf;
    bool private refusing;

    function mint(address account, uint256 amountWei) external {
        balanceOf[account] += amountWei;
    }

    function refuse() external {
        refusing = true;
    }

    function transferFrom(address from, address to, uint256 amountWei) external {
        move(from, to, amountWei);
    }

    function transfer(address to, uint256 amountWei) external {
        move(msg.sender, to, amountWei);
    }

    function move(address from, address to, uint256 amountWei) private {
        if (refusing) {
            assembly ("memory-safe") {
                mstore(0, 0)
                return(0, 32)
            }
        }
        balanceOf[from] -= amountWei;
        balanceOf[to] += amountWei;
    }
}
