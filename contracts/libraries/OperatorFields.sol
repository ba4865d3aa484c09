// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";

/// @title Limits of what an operator says about itself
/// @notice Only lengths: whoever dials an operator parses its addresses as untrusted input.
library OperatorFields {
    uint256 internal constant MAX_PEER_ID_BYTES = 64;
    uint256 internal constant MAX_MULTIADDR_BYTES = 256;
    uint256 internal constant MAX_ENDPOINT_BYTES = 256;

    /// @notice Reverts unless the peer id has 1 to MAX_PEER_ID_BYTES bytes.
    function validatePeerId(bytes calldata peerId) internal pure {
        if (peerId.length == 0 || peerId.length > MAX_PEER_ID_BYTES) {
            revert IOperatorRegistry.OperatorRegistryPeerIdLength(peerId.length, MAX_PEER_ID_BYTES);
        }
    }

    /// @notice Reverts unless the multiaddr is there and neither string is too long.
    function validateEndpoints(string calldata multiaddr, string calldata endpoint) internal pure {
        uint256 length = bytes(multiaddr).length;
        if (length == 0 || length > MAX_MULTIADDR_BYTES) {
            revert IOperatorRegistry.OperatorRegistryMultiaddrLength(length, MAX_MULTIADDR_BYTES);
        }
        length = bytes(endpoint).length;
        if (length > MAX_ENDPOINT_BYTES) {
            revert IOperatorRegistry.OperatorRegistryEndpointLength(length, MAX_ENDPOINT_BYTES);
        }
    }
}
