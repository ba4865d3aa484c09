// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IRecordedResults} from "../../../contracts/interfaces/IRecordedResults.sol";

/// @title A contract that takes requests, as far as evidence sees one: its results are what it is told
contract RecordedRequests is EIP712, IRecordedResults {
    struct Recorded {
        bytes32 epochId;
        bytes32 resultHash;
    }

    bytes32 private constant RESULT_TYPEHASH = keccak256(
        "Result(bytes32 epochId,bytes32 requestId,bytes result)"
    );

    mapping(bytes32 requestId => Recorded) private records;

    constructor(string memory name) EIP712(name, "1") {}

    function record(bytes32 requestId, bytes32 epochId, bytes32 resultHash) external {
        records[requestId] = Recorded(epochId, resultHash);
    }

    function recordedResult(bytes32 requestId) external view returns (bytes32, bytes32) {
        return (records[requestId].epochId, records[requestId].resultHash);
    }

    function hashResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) external view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(RESULT_TYPEHASH, epochId, requestId, resultHash))
            );
    }
}
