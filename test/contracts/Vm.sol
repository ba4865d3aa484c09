// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The cheat codes of Hardhat's Solidity tests that these tests use
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function record() external;

    function accesses(
        address target
    ) external returns (bytes32[] memory reads, bytes32[] memory writes);

    function load(address target, bytes32 slot) external view returns (bytes32);

    function recordLogs() external;

    function getRecordedLogs() external returns (Log[] memory);

    function etch(address target, bytes calldata code) external;

    function addr(uint256 privateKey) external pure returns (address);

    function sign(
        uint256 privateKey,
        bytes32 digest
    ) external pure returns (uint8 v, bytes32 r, bytes32 s);

    function prank(address sender) external;

    function startPrank(address sender) external;

    function stopPrank() external;

    function warp(uint256 timestamp) external;

    function roll(uint256 number) external;

    function chainId(uint256 id) external;

    function assume(bool condition) external pure;

    function expectRevert(bytes calldata data) external;

    function expectRevert(bytes4 selector) external;

    function expectPartialRevert(bytes4 selector) external;

    function expectEmit(address emitter) external;

    function mockCall(address target, bytes calldata data, bytes calldata answer) external;

    function mockCallRevert(address target, bytes calldata data, bytes calldata reason) external;

    function expectCall(address target, bytes calldata data) external;

    function expectCall(address target, bytes calldata data, uint64 count) external;

    function assertTrue(bool condition, string calldata reason) external pure;

    function assertFalse(bool condition, string calldata reason) external pure;

    function assertEq(uint256 left, uint256 right, string calldata reason) external pure;

    function assertEq(bytes32 left, bytes32 right, string calldata reason) external pure;

    function assertEq(address left, address right, string calldata reason) external pure;

    function assertEq(
        bytes calldata left,
        bytes calldata right,
        string calldata reason
    ) external pure;

    function assertEq(
        string calldata left,
        string calldata right,
        string calldata reason
    ) external pure;
}
