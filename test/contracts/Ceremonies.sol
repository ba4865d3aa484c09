// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254, G1Point, G2Point} from "../../contracts/ceremony/Bn254.sol";
import {PowersState} from "../../contracts/ceremony/PowersStates.sol";
import {UpdateProof} from "../../contracts/ceremony/UpdateProofs.sol";
import {Ceremony, CeremonyPhase} from "../../contracts/interfaces/ICrsManager.sol";
import {Accused, Flaw, FlawKind, Leaf} from "../../contracts/interfaces/ISlashingManager.sol";
import {Deployment} from "./Deployment.sol";

/// @title Ceremonies whose contributors multiply by 2
/// @notice State number k has 2^k for tau, alpha and beta. Its digest and roots are hashes of its name: what
/// is in the file is not the CrsManager's business.
abstract contract Ceremonies is Deployment {
    uint16 internal constant SLOT = 20;
    uint8 internal constant POWER = 8;
    uint256 internal constant FACTOR = 2;

    bytes32 private constant PROOF_TAG = keccak256("Keyloom powers of tau: proof of knowledge v1");

    /// @dev 2^k times the generator of G2 for k from 0 to 14, computed by noble-curves.
    bytes private constant DOUBLED =
        hex"198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
        hex"1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
        hex"090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
        hex"12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
        hex"203e205db4f19b37b60121b83a7333706db86431c6d835849957ed8c3928ad79"
        hex"27dc7234fd11d3e8c36c59277c3e6f149d5cd3cfa9a62aee49f8130962b4b3b9"
        hex"195e8aa5b7827463722b8c153931579d3505566b4edf48d498e185f0509de152"
        hex"04bb53b8977e5f92a0bc372742c4830944a59b4fe6b1c0466e2a6dad122b5d2e"
        hex"290668479e567ad5a2485a93f976d784206f66f690a18c3f5a6d85c29571236f"
        hex"29dddbf86f6a2f47c38063a850ccc442131570e5084c45fd7709b4ddb436e22c"
        hex"1e74a4bf519c267a5b16431b2413b00402d4d3b670c9414b8efff5bee661a8f6"
        hex"299f0af7f72b3a93ca7c3cc32443c83b05d041bd14276e5adca2546728bc37f7"
        hex"03589520df85791604b5a2b720a21139aabdb41949d47779484b0db588bfa699"
        hex"18afc7fd8df1c902383c213b6d989f0066b7eca1388be49721792278984d9a29"
        hex"2cc25982f4a3b75f57f8f3e966d75e6da8c51776bf0828c7ce3f10171793cd2a"
        hex"17623e9e90176bcdf8454daa96008240b12709ca5d79de805744cfd137609bec"
        hex"27a819bcf5c2c30229550cc0d34ee9c923ee6c3033a89f0be27204893b112207"
        hex"29e39258393ee0c24eb66b69973e9feb8b02e9d94a9897492c98efe5b0eb459a"
        hex"1d9caefe0c98c8ea7933f691f7820bfe9ef50064d54c698e776ab9752a5c2ad3"
        hex"10a734663ecbaf18a5a0c4852ebfab2cde26c8c56f22551be6f3e9a07fd6693b"
        hex"1aab0c647fc324190d020299395883e54811426e539897afcd8394d3891eff92"
        hex"2258565bd9f7f5bbe97697ac5a262e37559f345ec85cf8e6b9f4bdf1c4fa51d4"
        hex"0fcc4f015ad5e21ed9c669c8d1ddfb37db370391ffd77db3d9729183a4c34f4e"
        hex"0f76ffa803ca8f7bcaabc2f9db21607daf5f449385a860b0c174c6bf39dbadcf"
        hex"094f92a3a262f42639de1108d3e918178db07831c2cc1b49e2af46534b2c0002"
        hex"0b0a9a0cc7f1602ec7a7c9393269817d8d83edd4804697e4ae9066ae3e08f758"
        hex"1e0d5b6c0fc8bf926a46ea187b1b06aabd0a09c278a940281c1c40832390ede3"
        hex"0fb64a7ca55575d8a03f83cc1e718166486732e0e4656bee873eb29b63ad07ff"
        hex"1421ee37a31f1a70a11bd6e114dc263458434ea2e196f51690b2e42e92452b5d"
        hex"02acc6965cb65bb6a37acff97f51aa161039b4de2fbc86a4a38a20c73598cb68"
        hex"09670f35b5598bba902bbc9651e579cc652e38632d078a83663a420381dd2a1c"
        hex"13f351b0ef98b6294ae6ccad754586410e1f2fdd0a40719ada58675d54afbaed"
        hex"05503b24b6c32cb55cd97e291c511931e7e40714a6de5aca3ab8d97e3226af70"
        hex"072bd14e83f4516ef3cc72e25becbb0012f6b23a6255e8d4daf3d7387928e2a8"
        hex"11c44aa63194b8eb290608f2ab3e7bf93903619a6ed6a94fa215e9e8454802ef"
        hex"10c7dd6f410ed410f545b74738e4c7dbef23f8e97f4b0b18a10ab5fc86f2f1c5"
        hex"1d34fd7fd872cab7f4b94de9ad25fc997e473ef911e5c4bd76447fd9dec3c502"
        hex"188fba6cbd8eca6865f74873a6257c4c1aad4d437d556843a83c383de7a40ca5"
        hex"17378722e82ca1f863ee67944065fca81cc898160b1715a3a693a67b308e982a"
        hex"0d6ba60dd3def4fa75bf60a854c4a009a44bce525faa21b69a2c837f5b54710e"
        hex"0adb347adfcea7712e6451585347e646f283b7ea1d3a3e2c78a9b32fa549bc39"
        hex"06a98b3749ad3f47175b3e54ebaa787f29929950214770a637d85c1105b57ebe"
        hex"1926212cbb3c62423806cae076067bd87d91ed8afb5a2685a5ed60e9d9e22f61"
        hex"2c278ead1049dd47af94ae33864d9cf911cb691c7804513626410743fd296cc0"
        hex"193d4831cd429f0b2849dd148409ba96815cfbcd07b66a8665a25d63bc3c7b73"
        hex"2bcc32d180a30fc068930695c5f9f372d5015777371a95677d25d0a47f70cde4"
        hex"1efbba8297f4dc79749ec8e346381e2c31352ae7c05f8a41b982628d04f8e7d0"
        hex"2cd0148ecfaa993e433f065bc14174703c9d5c6e446a6a6447630ca6bb265585"
        hex"23663cf7104ba04ba9c25735e337d09bff47711e9891bc0dc1d97f6c1ef0dd10"
        hex"2f2d8fe369df734fbb2a742cb43911bad17d58f9b05a9adce768efbd8f9685db"
        hex"18d4adc1e41e712e4622260eb31b03cf90a47fa9f8e3b67d407d5d41d30e3c08"
        hex"0dd7ea6107faf36066554f0cd6a87857ea438a62760bf72f46834469867793f2"
        hex"0d3e8e4c40616fb76107262a9810b721cd5c6536b99358dd09bd0823a5217707"
        hex"29dec2fce95ea8cb19438fe1d85f54da00241a088d68f82aea1eb687158b1900"
        hex"1a4354f18ba55caa594e5450aab898bdd881900010fe9374e6859dc271b299ef"
        hex"29783b7cb96abbe8b7fb98d5423609f6967085404f6f0d3606b42284431ab0b6"
        hex"26cfac27481c87256ee5fd6fa7fe8bdeb285730a720079a9cce77af133385ac5"
        hex"1fd9bf071d977d090fce6274411b17f55bdbf64d45ae97a59105213676b4361a"
        hex"2ef497402f5fa55da8aef2ab2514d9c42d0d651e6a2f357569f986c7817bfe89"
        hex"20d0e36b4e6d68893ff767ec4484b2f5eadc84f0f94fe4c2aa4d2482b10c3d13";

    /// @notice A call of {CrsManager-contribute}.
    struct Move {
        bytes32 ceremonyId;
        uint8 index;
        PowersState previous;
        PowersState next;
        UpdateProof proof;
        uint256 bitmap;
        bytes signatures;
    }

    function g2(uint256 doublings) internal pure returns (G2Point memory point) {
        bytes memory all = DOUBLED;
        bytes memory one = new bytes(128);
        for (uint256 i = 0; i < 128; ++i) one[i] = all[128 * doublings + i];
        return abi.decode(one, (G2Point));
    }

    function g1(uint256 scalar) internal view returns (G1Point memory) {
        return Bn254.mul(G1Point(1, 2), scalar);
    }

    function initialState() internal pure returns (PowersState memory state) {
        state.power = POWER;
        state.tauG1 = G1Point(1, 2);
        state.alphaG1 = G1Point(1, 2);
        state.betaG1 = G1Point(1, 2);
        state.tauG2 = g2(0);
        state.betaG2 = g2(0);
    }

    /// @dev State number k of a ceremony, from 1; 0 is the initial one.
    function stateOf(bytes32 name, uint256 k) internal view returns (PowersState memory state) {
        if (k == 0) return initialState();
        state.power = POWER;
        state.digest = keccak256(abi.encode("file", name, k));
        state.g1Root = keccak256(abi.encode("G1", name, k));
        state.g2Root = keccak256(abi.encode("G2", name, k));
        state.tauG1 = g1(FACTOR ** k);
        state.alphaG1 = state.tauG1;
        state.betaG1 = state.tauG1;
        state.tauG2 = g2(k);
        state.betaG2 = state.tauG2;
    }

    /// @dev Zero for the state before the first contribution.
    function hashOf(PowersState memory state) internal pure returns (bytes32) {
        return state.digest == 0 ? bytes32(0) : keccak256(abi.encode(state));
    }

    /// @dev Written out from the protocol, not taken from the contract.
    function proofOf(
        bytes32 ceremonyId,
        uint8 index,
        PowersState memory previous,
        PowersState memory next
    ) internal view returns (UpdateProof memory proof) {
        uint256[3] memory nonces;
        for (uint256 j = 0; j < 3; ++j) {
            nonces[j] = uint256(keccak256(abi.encode("nonce", hashOf(next), j))) % Bn254.R;
        }
        proof.challenge =
            uint256(
                keccak256(
                    abi.encode(
                        PROOF_TAG,
                        block.chainid,
                        address(crs),
                        ceremonyId,
                        index,
                        hashOf(previous),
                        hashOf(next),
                        Bn254.mul(previous.tauG1, nonces[0]),
                        Bn254.mul(previous.alphaG1, nonces[1]),
                        Bn254.mul(previous.betaG1, nonces[2])
                    )
                )
            ) % Bn254.R;
        uint256 product = mulmod(proof.challenge, FACTOR, Bn254.R);
        proof.tau = addmod(nonces[0], product, Bn254.R);
        proof.alpha = addmod(nonces[1], product, Bn254.R);
        proof.beta = addmod(nonces[2], product, Bn254.R);
    }

    /// @dev A valid call, if it is the index's turn and the states follow each other.
    function moveOf(
        bytes32 ceremonyId,
        uint8 index,
        PowersState memory previous,
        PowersState memory next
    ) internal view returns (Move memory move) {
        move.ceremonyId = ceremonyId;
        move.index = index;
        move.previous = previous;
        move.next = next;
        move.proof = proofOf(ceremonyId, index, previous, next);
        Ceremony memory view_ = crs.ceremony(ceremonyId);
        move.bitmap = firstMembers(quorumOf(view_.size));
        sign(move, view_.epochId);
    }

    function sign(Move memory move, bytes32 epochId) internal view {
        bytes32 digest = epochs.hashContribution(
            epochId,
            move.ceremonyId,
            hashOf(move.previous),
            hashOf(move.next)
        );
        move.signatures = signatures(digest, move.bitmap);
    }

    function play(Move memory move) internal {
        crs.contribute(
            move.ceremonyId,
            move.index,
            move.previous,
            move.next,
            move.proof,
            move.bitmap,
            move.signatures
        );
    }

    /// @dev The next contribution of whose slot it is, to states that are named after the ceremony.
    function nextMove(bytes32 ceremonyId) internal view returns (Move memory) {
        (uint8 index, ) = crs.slotOf(ceremonyId);
        uint256 count = crs.contributions(ceremonyId).length;
        return
            moveOf(ceremonyId, index, stateOf(ceremonyId, count), stateOf(ceremonyId, count + 1));
    }

    function contributeNext(bytes32 ceremonyId) internal returns (uint8 index) {
        Move memory move = nextMove(ceremonyId);
        play(move);
        return move.index;
    }

    /// @dev t+1 members contribute, and the others let their slots pass.
    function completeCeremony(bytes32 ceremonyId) internal {
        uint256 t = (crs.ceremony(ceremonyId).size - 1) / 3;
        for (uint256 i = 0; i <= t; ++i) contributeNext(ceremonyId);
        vm.warp(block.timestamp + 2 * t * crs.ceremony(ceremonyId).slotSeconds);
    }

    /// @dev Past the challenge window.
    function closeCeremony(bytes32 ceremonyId) internal {
        vm.warp(crs.ceremony(ceremonyId).closesAt);
    }

    function finishCeremony(
        bytes32 ceremonyId,
        uint256 bitmap
    ) internal returns (bytes memory result) {
        Ceremony memory view_ = crs.ceremony(ceremonyId);
        result = abi.encode(view_.stateHash);
        bytes32 typed = crs.hashResult(view_.epochId, ceremonyId, keccak256(result));
        crs.finish(ceremonyId, bitmap, signatures(typed, bitmap));
    }

    // Wrong states

    /// @dev As {stateOf}, but section 2 does not begin with the generator.
    function wrongStateOf(
        bytes32 name,
        uint256 k
    ) internal view returns (PowersState memory state) {
        state = stateOf(name, k);
        state.g1Root = sha256(bytes.concat(hex"00", wrongStart().point));
        for (uint256 i = 0; i < POWER + 2; ++i) {
            state.g1Root = sha256(bytes.concat(hex"01", state.g1Root, bytes32(0)));
        }
    }

    function wrongStart() private pure returns (Leaf memory leaf) {
        leaf.point = abi.encode(uint256(1), uint256(3));
        leaf.path = new bytes32[](POWER + 2);
    }

    function wrongStartFlaw() internal pure returns (Flaw memory flaw) {
        flaw.kind = FlawKind.WrongStart;
        flaw.section = 2;
        flaw.leaves = new Leaf[](1);
        flaw.leaves[0] = wrongStart();
    }

    /// @dev Puts what {wrongStateOf} gives on record; nobody is accused.
    function proveWrong(bytes32 ceremonyId, PowersState memory state) internal {
        slashing.proveWrongContribution(
            crs.ceremony(ceremonyId).epochId,
            ceremonyId,
            0,
            state,
            wrongStartFlaw(),
            new Accused[](0),
            stranger
        );
    }

    function assertPhase(bytes32 ceremonyId, CeremonyPhase phase) internal view {
        vm.assertEq(uint256(crs.ceremony(ceremonyId).phase), uint256(phase), "phase");
    }
}
