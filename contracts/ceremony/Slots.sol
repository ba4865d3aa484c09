// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommitteeSize} from "../libraries/CommitteeSize.sol";

/// @notice A ceremony but for its hashes, in one storage slot.
/// @param cursor Position, from 0, after which members are waited for.
/// @param cursorAt Timestamp in seconds from which slots count.
/// @param count Contributions, that of the beacon included.
/// @param contributed Members with a contribution; bit i-1 for index i.
/// @param excluded Members whose contribution was proven wrong.
/// @param order Index of contribution k in bits 4k to 4k+3; 0 is the beacon.
struct CeremonyHeader {
    uint16 epochNumber;
    uint8 size;
    uint8 power;
    uint16 slotSeconds;
    uint8 beaconIterationsExp;
    uint8 cursor;
    uint32 cursorAt;
    uint8 count;
    uint16 contributed;
    uint16 excluded;
    bool revoked;
    uint40 beaconBlock;
    uint64 order;
}

/// @title Whose turn it is in a ceremony, and whether it is complete
/// @notice Members that have not contributed and are not excluded wait, in cyclic order after the cursor.
/// Each has a slot of `slotSeconds`, one after the other; who lets it pass has another one in the next
/// round. With t+1 contributions there is no next round: the ceremony is complete when the first one is
/// over, or nobody waits. Then one contributor is honest, if at most t members are not.
library Slots {
    /// @notice Committee index of the member whose slot it is, and when it ends; zeros if there is none.
    /// @param time Timestamp in seconds, not before `cursorAt`.
    function turn(
        CeremonyHeader memory header,
        uint256 time
    ) internal pure returns (uint8 index, uint64 until) {
        uint256 waiting = _waiting(header);
        if (waiting == 0 || completeAt(header, time) != 0) return (0, 0);
        uint256 elapsed = (time - header.cursorAt) / header.slotSeconds;
        uint256 skip = elapsed % waiting;
        uint256 out = header.contributed | header.excluded;
        uint256 position = header.cursor;
        while (true) {
            position = (position + 1) % header.size;
            if ((out >> position) & 1 != 0) continue;
            if (skip == 0) break;
            --skip;
        }
        index = uint8(position + 1);
        until = uint64(header.cursorAt + (elapsed + 1) * header.slotSeconds);
    }

    /// @notice When the ceremony became complete; 0 if it is not.
    /// @param time Timestamp in seconds, not before `cursorAt`.
    function completeAt(CeremonyHeader memory header, uint256 time) internal pure returns (uint64) {
        uint256 size = header.size;
        if (CommitteeSize.count(header.contributed) < (size + 2) / 3) return 0;
        uint256 end = header.cursorAt + _waiting(header) * header.slotSeconds;
        return time < end ? 0 : uint64(end);
    }

    /// @notice Whether the contribution of the beacon is there: each member has at most one.
    function hasBeaconContribution(CeremonyHeader memory header) internal pure returns (bool) {
        return header.count > CommitteeSize.count(header.contributed);
    }

    /// @notice Index of the contributor at a position of the chain; 0 is the beacon.
    function contributor(
        CeremonyHeader memory header,
        uint256 position
    ) internal pure returns (uint8) {
        return uint8((header.order >> (4 * position)) & 0xf);
    }

    /// @notice Appends a contribution.
    function append(CeremonyHeader memory header, uint8 index, uint256 time) internal pure {
        header.order |= uint64(index) << (4 * header.count);
        ++header.count;
        if (index == 0) return;
        header.contributed |= uint16(1 << (index - 1));
        header.cursor = index - 1;
        header.cursorAt = uint32(time);
    }

    /// @notice Takes the contributions from a position on away. The contributor at it is excluded, and those
    /// after it wait again; behind a wrong contribution of the beacon nobody does.
    function truncate(CeremonyHeader memory header, uint256 position, uint256 time) internal pure {
        uint8 index = contributor(header, position);
        header.count = uint8(position);
        header.order &= uint64((1 << (4 * position)) - 1);
        header.beaconBlock = 0;
        if (index == 0) return;
        header.contributed = 0;
        for (uint256 k = 0; k < position; ++k) {
            header.contributed |= uint16(1 << (contributor(header, k) - 1));
        }
        header.excluded |= uint16(1 << (index - 1));
        header.cursor = index - 1;
        header.cursorAt = uint32(time);
    }

    function _waiting(CeremonyHeader memory header) private pure returns (uint256) {
        return header.size - CommitteeSize.count(header.contributed | header.excluded);
    }
}
