// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A committee's addresses, kept as the code of an account
/// @notice They never change and are read together, so one account access replaces a storage read
/// per member: verifying nine of thirteen signatures reads 260 bytes of code instead of nine slots.
/// Layout: a STOP byte, so that nobody can call it, the n signers, the n operators, 20 bytes each.
library CommitteeCode {
    /// @notice The account could not be created.
    error CommitteeCodeNotWritten();

    /// @notice Writes a committee.
    /// @return pointer Account whose code holds it.
    function write(
        address[] memory signers,
        address[] memory operators
    ) internal returns (address pointer) {
        bytes memory data = bytes.concat(hex"00", _pack(signers), _pack(operators));
        // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows these 10 bytes.
        bytes memory creation = bytes.concat(
            hex"61",
            bytes2(uint16(data.length)),
            hex"80600a5f395ff3",
            data
        );
        assembly ("memory-safe") {
            pointer := create(0, add(creation, 32), mload(creation))
        }
        if (pointer == address(0)) revert CommitteeCodeNotWritten();
    }

    /// @notice The signers, packed; read them with {nth}.
    function readSigners(
        address pointer,
        uint256 size
    ) internal view returns (bytes memory packed) {
        return _read(pointer, 1, 20 * size);
    }

    /// @notice The operators, packed; read them with {nth}.
    function readOperators(
        address pointer,
        uint256 size
    ) internal view returns (bytes memory packed) {
        return _read(pointer, 1 + 20 * size, 20 * size);
    }

    /// @notice The signers and behind them the operators, as one packed list.
    function readMembers(
        address pointer,
        uint256 size
    ) internal view returns (bytes memory packed) {
        return _read(pointer, 1, 40 * size);
    }

    /// @notice Address number i, from 0, of a packed list. The caller keeps i below the list's size.
    function nth(bytes memory packed, uint256 i) internal pure returns (address account) {
        assembly ("memory-safe") {
            account := shr(96, mload(add(add(packed, 32), mul(20, i))))
        }
    }

    /// @notice Committee index, from 1, of an account in a packed list; 0 if it is not there.
    function indexOf(bytes memory packed, address account) internal pure returns (uint256 index) {
        uint256 size = packed.length / 20;
        for (uint256 i = 0; i < size; ++i) {
            if (nth(packed, i) == account) return i + 1;
        }
    }

    /// @notice A packed list as an array.
    function unpack(bytes memory packed) internal pure returns (address[] memory accounts) {
        accounts = new address[](packed.length / 20);
        for (uint256 i = 0; i < accounts.length; ++i) accounts[i] = nth(packed, i);
    }

    function _pack(address[] memory accounts) private pure returns (bytes memory packed) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            packed = bytes.concat(packed, bytes20(accounts[i]));
        }
    }

    function _read(
        address pointer,
        uint256 offset,
        uint256 length
    ) private view returns (bytes memory packed) {
        packed = new bytes(length);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(packed, 32), offset, length)
        }
    }
}
