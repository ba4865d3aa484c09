// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISlashingManager} from "../../contracts/interfaces/ISlashingManager.sol";
import {
    Offence,
    OpeningPreimage,
    ShareProof,
    SignedRoot
} from "../../contracts/interfaces/ISlashingManager.sol";
import {IOperatorRegistry} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {Deployment} from "./Deployment.sol";

/// @title Shares, and evidence made of them
/// @notice An opening's shares follow from its id: residue r of operator i is f_r(i) for a polynomial of
/// degree t whose coefficients are hashes of id, r and power. So honest operators sign one root per id.
abstract contract Evidence is Deployment {
    address internal constant reporter = address(0x77);

    /// @dev Order of secp256k1's group.
    uint256 internal constant ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /// @dev What is changed in a share that its operator signs: residue number `position`, to `value`.
    struct Change {
        bool made;
        uint256 position;
        uint64 value;
    }

    /// @dev 3 limbs of the test set, two polynomials of width 40: 240 residues, 4 chunks, the last filled
    /// up with 16 zeros.
    function openingOf(bytes32 setId) internal pure returns (OpeningPreimage memory opening) {
        opening.itemPrefix = keccak256("item");
        opening.generations = keccak256("generations");
        opening.parameterSetId = setId;
        opening.step = 1;
        opening.digit = 2;
        opening.galoisElement = 3;
        opening.limbs = 3;
        opening.width = 40;
        opening.polynomials = 2;
        opening.positionsDigest = sha256("positions");
    }

    /// @dev Written out from docs/formats.md, not taken from the contract.
    function openingIdOf(
        bytes32 epochId,
        OpeningPreimage memory o
    ) internal view returns (bytes32) {
        bytes memory head = abi.encode(
            keccak256("keyloom/opening/1"),
            epochs.epoch(epochId).setupDigest,
            o.itemPrefix,
            o.generations,
            o.parameterSetId
        );
        bytes memory tail = abi.encode(
            o.step,
            o.digit,
            o.galoisElement,
            o.limbs,
            o.width,
            o.polynomials,
            o.positionsDigest
        );
        return keccak256(bytes.concat(head, tail));
    }

    function residuesOf(OpeningPreimage memory o) internal pure returns (uint256) {
        return uint256(o.polynomials) * o.limbs * o.width;
    }

    function primeAt(OpeningPreimage memory o, uint256 position) internal pure returns (uint64) {
        return testSet().primes[(position / o.width) % o.limbs];
    }

    function honestShare(
        uint256 n,
        bytes32 openingId,
        OpeningPreimage memory o,
        uint256 i
    ) internal pure returns (uint64[] memory share) {
        uint64[] memory primes = testSet().primes;
        share = new uint64[](residuesOf(o));
        uint256 t = (n - 1) / 3;
        for (uint256 r = 0; r < share.length; ++r) {
            uint256 prime = primes[(r / o.width) % o.limbs];
            uint256 value = 0;
            for (uint256 k = 0; k <= t; ++k) {
                value =
                    (value * i + (uint256(keccak256(abi.encode(openingId, r, k))) % prime)) % prime;
            }
            share[r] = uint64(value);
        }
    }

    // Trees

    function chunkOf(
        uint64[] memory share,
        uint256 number
    ) internal pure returns (bytes memory chunk) {
        chunk = new bytes(512);
        for (uint256 j = 0; j < 64 && 64 * number + j < share.length; ++j) {
            uint64 value = share[64 * number + j];
            for (uint256 k = 0; k < 8; ++k) chunk[8 * j + k] = bytes1(uint8(value >> (8 * k)));
        }
    }

    /// @dev All nodes, the leaves first, level after level, the root last.
    function treeOf(uint64[] memory share) internal pure returns (bytes32[] memory nodes) {
        uint256 leaves = 1;
        while (64 * leaves < share.length) leaves *= 2;
        nodes = new bytes32[](2 * leaves - 1);
        for (uint256 k = 0; k < leaves; ++k) {
            nodes[k] = sha256(bytes.concat(hex"00", chunkOf(share, k)));
        }
        uint256 below = 0;
        for (uint256 k = leaves; k < nodes.length; ++k) {
            nodes[k] = sha256(bytes.concat(hex"01", nodes[below], nodes[below + 1]));
            below += 2;
        }
    }

    function rootOf(bytes32[] memory nodes) internal pure returns (bytes32) {
        return nodes[nodes.length - 1];
    }

    function pathOf(
        bytes32[] memory nodes,
        uint256 number
    ) internal pure returns (bytes32[] memory path) {
        uint256 width = (nodes.length + 1) / 2;
        uint256 height = 0;
        for (uint256 w = width; w > 1; w /= 2) ++height;
        path = new bytes32[](height);
        uint256 start = 0;
        for (uint256 k = 0; k < height; ++k) {
            path[k] = nodes[start + ((number >> k) ^ 1)];
            start += width >> k;
        }
    }

    // Evidence

    function signRoot(
        uint256 key,
        bytes32 epochId,
        bytes32 openingId,
        bytes32 root
    ) internal view returns (bytes memory) {
        return signature(key, epochs.hashShareCommitment(epochId, openingId, root));
    }

    /// @dev Operator i's share of an opening as evidence: signed by i, with the chunk around a position.
    function proofOf(
        bytes32 epochId,
        OpeningPreimage memory o,
        uint256 i,
        uint256 position,
        Change memory change
    ) internal view returns (ShareProof memory) {
        uint256 n = epochs.epoch(epochId).signers.length;
        bytes32 openingId = openingIdOf(epochId, o);
        uint64[] memory share = honestShare(n, openingId, o, i);
        if (change.made) share[change.position] = change.value;
        return proofIn(epochId, openingId, share, i, position);
    }

    function proofIn(
        bytes32 epochId,
        bytes32 openingId,
        uint64[] memory share,
        uint256 i,
        uint256 position
    ) internal view returns (ShareProof memory) {
        bytes32[] memory nodes = treeOf(share);
        return
            ShareProof({
                index: uint8(i),
                signature: signRoot(signerKey(i), epochId, openingId, rootOf(nodes)),
                chunk: chunkOf(share, position / 64),
                path: pathOf(nodes, position / 64)
            });
    }

    /// @dev The first quorum of members but the accused, all honest.
    function accusersOf(
        bytes32 epochId,
        OpeningPreimage memory o,
        uint256 accused,
        uint256 position
    ) internal view returns (ShareProof[] memory proofs) {
        proofs = new ShareProof[](quorumOf(epochs.epoch(epochId).signers.length));
        uint256 index = 0;
        for (uint256 k = 0; k < proofs.length; ++k) {
            if (++index == accused) ++index;
            proofs[k] = proofOf(epochId, o, index, position, none());
        }
    }

    function none() internal pure returns (Change memory) {
        return Change(false, 0, 0);
    }

    /// @dev The right value at a position, plus one.
    function offByOne(
        bytes32 epochId,
        OpeningPreimage memory o,
        uint256 i,
        uint256 position
    ) internal view returns (Change memory) {
        uint256 n = epochs.epoch(epochId).signers.length;
        uint64[] memory share = honestShare(n, openingIdOf(epochId, o), o, i);
        return Change(true, position, (share[position] + 1) % primeAt(o, position));
    }

    function signedRoot(
        bytes32 epochId,
        bytes32 openingId,
        bytes32 root,
        uint256 i
    ) internal view returns (SignedRoot memory) {
        return SignedRoot(root, signRoot(signerKey(i), epochId, openingId, root));
    }

    /// @dev Signatures come before expectations, which are about the next call.
    function submit(bytes memory data) internal {
        (bool success, bytes memory reason) = address(slashing).call(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function bondOf(uint256 i) internal view returns (uint256) {
        return registry.getOperator(ownerOf(i)).bondWei;
    }

    function expectPunished(uint256 i, Offence offence, bytes32 epochId, bytes32 subject) internal {
        bytes32 id = slashing.offenceId(offence, epochId, subject, uint8(i));
        vm.expectEmit(address(slashing));
        emit ISlashingManager.OffenceProven(id, ownerOf(i), epochId, offence, subject, reporter);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OperatorSlashed(ownerOf(i), reporter, 1000, 50, 0);
    }

    function expectIntact(uint256 i) internal view {
        vm.assertEq(bondOf(i), MINIMUM_BOND, "bond");
        vm.assertFalse(registry.getOperator(ownerOf(i)).removed, "not removed");
    }

    // Signatures in other forms

    function split(bytes memory signed) internal pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signed, 32))
            s := mload(add(signed, 64))
            v := byte(0, mload(add(signed, 96)))
        }
    }

    /// @dev The same signature with the other half of s.
    function malleated(bytes memory signed) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = split(signed);
        return abi.encodePacked(r, ORDER - uint256(s), uint8(55 - v));
    }
}
