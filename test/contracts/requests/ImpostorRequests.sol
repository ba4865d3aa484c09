// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRecordedResults} from "../../../contracts/interfaces/IRecordedResults.sol";
import {RecordedRequests} from "./RecordedRequests.sol";

/// @title A contract that says it is another one, and that another result was recorded there
/// @notice Chain id, address, separator and digests are those of the impersonated contract.
contract ImpostorRequests is IRecordedResults {
    RecordedRequests private immutable impersonated;
    bytes32 private immutable falseHash;

    constructor(RecordedRequests victim, bytes32 resultHash) {
        impersonated = victim;
        falseHash = resultHash;
    }

    function recordedResult(bytes32 requestId) external view returns (bytes32 epochId, bytes32) {
        (epochId, ) = impersonated.recordedResult(requestId);
        return (epochId, falseHash);
    }

    function hashResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) external view returns (bytes32) {
        return impersonated.hashResult(epochId, requestId, resultHash);
    }

    function domainSeparator() external view returns (bytes32) {
        (bool success, bytes memory answer) = address(impersonated).staticcall(
            abi.encodeWithSignature("domainSeparator()")
        );
        return success ? abi.decode(answer, (bytes32)) : bytes32(0);
    }

    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return impersonated.eip712Domain();
    }
}
