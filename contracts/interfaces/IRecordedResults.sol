// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title What a contract that takes requests says of their results, for evidence
interface IRecordedResults is IERC5267 {
    /// @notice The epoch of a request and Keccak-256 of its recorded result; zero hash if there is none.
    function recordedResult(
        bytes32 requestId
    ) external view returns (bytes32 epochId, bytes32 resultHash);
}
