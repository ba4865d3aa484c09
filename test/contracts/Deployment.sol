// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {CiphertextRegistry} from "../../contracts/CiphertextRegistry.sol";
import {CrsManager} from "../../contracts/CrsManager.sol";
import {DecryptionGateway} from "../../contracts/DecryptionGateway.sol";
import {EpochManager} from "../../contracts/EpochManager.sol";
import {EvaluationKeyManager} from "../../contracts/EvaluationKeyManager.sol";
import {FeeVault} from "../../contracts/FeeVault.sol";
import {KeyManager} from "../../contracts/KeyManager.sol";
import {OperatorRegistry} from "../../contracts/OperatorRegistry.sol";
import {SlashingManager} from "../../contracts/SlashingManager.sol";
import {DevnetToken} from "../../contracts/devnet/DevnetToken.sol";
import {Authority} from "../../contracts/governance/Authority.sol";
import {GatewayProxy} from "../../contracts/governance/GatewayProxy.sol";
import {CiphertextOrigin} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {EpochPhase} from "../../contracts/interfaces/IEpochManager.sol";
import {FeeTerms} from "../../contracts/interfaces/IFeeVault.sol";
import {EvaluationKeys} from "../../contracts/interfaces/IEvaluationKeyManager.sol";
import {ParameterSet} from "../../contracts/interfaces/IKeyManager.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {Vm} from "./Vm.sol";

/// @title A deployment for tests, with operators, committees and signatures at hand
/// @notice The test contract is the admin; the other roles have accounts of their own.
abstract contract Deployment {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant MINIMUM_BOND = 1000;
    uint64 internal constant UNBONDING_DELAY = 2 days;
    uint64 internal constant SETUP_WINDOW = 1 hours;
    uint64 internal constant RESPONSE_WINDOW = 10 minutes;
    uint64 internal constant ATTESTATION_WINDOW = 5 minutes;
    uint256 internal constant FEE_QUANTUM = 100;

    uint64 internal constant GOVERNOR = 1;
    uint64 internal constant REGISTRAR = 2;
    uint64 internal constant KEY_REQUESTER = 3;
    uint64 internal constant EPOCH_MANAGER = 4;
    uint64 internal constant SLASHING_MANAGER = 5;
    uint64 internal constant FEE_VAULT = 6;
    uint64 internal constant EVALUATION_KEY_MANAGER = 7;

    address internal constant governor = address(0x60);
    address internal constant registrar = address(0x61);
    address internal constant requester = address(0x62);
    address internal constant user = address(0x63);
    address internal constant stranger = address(0x64);
    address internal constant treasury = address(0x65);

    DevnetToken internal token;
    Authority internal authority;
    OperatorRegistry internal registry;
    EpochManager internal epochs;
    FeeVault internal vault;
    KeyManager internal keys;
    SlashingManager internal slashing;
    EvaluationKeyManager internal evaluationKeys;
    CiphertextRegistry internal ciphertexts;
    CrsManager internal crs;
    DecryptionGateway internal gateway;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        token = new DevnetToken();
        deployWith(IERC20(address(token)));
    }

    function deployWith(IERC20 bondToken) internal {
        authority = new Authority(address(this));
        registry = OperatorRegistry(
            proxyOf(
                address(new OperatorRegistry()),
                abi.encodeCall(
                    OperatorRegistry.initialize,
                    (address(authority), bondToken, MINIMUM_BOND, UNBONDING_DELAY)
                )
            )
        );
        epochs = EpochManager(
            proxyOf(
                address(new EpochManager()),
                abi.encodeCall(
                    EpochManager.initialize,
                    (address(authority), registry, SETUP_WINDOW)
                )
            )
        );
        vault = new FeeVault(
            address(authority),
            bondToken,
            epochs,
            FEE_QUANTUM,
            FeeTerms({treasury: treasury, reimbursement: 2, retentionBps: 1000})
        );
        keys = KeyManager(
            proxyOf(
                address(new KeyManager(vault)),
                abi.encodeCall(
                    KeyManager.initialize,
                    (address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW)
                )
            )
        );
        slashing = SlashingManager(
            proxyOf(
                address(new SlashingManager()),
                abi.encodeCall(SlashingManager.initialize, (address(authority), keys, treasury))
            )
        );
        evaluationKeys = EvaluationKeyManager(
            proxyOf(
                address(new EvaluationKeyManager(keys)),
                abi.encodeCall(
                    EvaluationKeyManager.initialize,
                    (address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW)
                )
            )
        );
        ciphertexts = CiphertextRegistry(
            proxyOf(
                address(new CiphertextRegistry()),
                abi.encodeCall(CiphertextRegistry.initialize, (address(authority), evaluationKeys))
            )
        );
        crs = CrsManager(
            proxyOf(
                address(new CrsManager(slashing)),
                abi.encodeCall(
                    CrsManager.initialize,
                    (address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW)
                )
            )
        );
        gateway = DecryptionGateway(
            proxyOf(
                address(new DecryptionGateway(ciphertexts, crs)),
                abi.encodeCall(
                    DecryptionGateway.initialize,
                    (address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW)
                )
            )
        );
        assignRoles();
    }

    function proxyOf(address implementation, bytes memory initializer) internal returns (address) {
        return address(new GatewayProxy(implementation, initializer));
    }

    /// @dev The same assignment as deploy/roles.ts; deploy.test.ts checks that one.
    function assignRoles() private {
        assign(address(registry), EPOCH_MANAGER, OperatorRegistry.seat.selector);
        assign(address(registry), EPOCH_MANAGER, OperatorRegistry.unseat.selector);
        assign(address(registry), SLASHING_MANAGER, registry.slash.selector);
        assign(address(registry), EPOCH_MANAGER, OperatorRegistry.bench.selector);
        assign(address(registry), SLASHING_MANAGER, registry.payTreasury.selector);
        assign(address(epochs), GOVERNOR, epochs.proposeEpoch.selector);
        assign(address(epochs), GOVERNOR, EpochManager.retire.selector);
        assign(address(epochs), FEE_VAULT, EpochManager.recordService.selector);
        assign(address(keys), EVALUATION_KEY_MANAGER, KeyManager.markTarget.selector);
        assign(address(keys), EPOCH_MANAGER, KeyManager.endEpoch.selector);
        assign(address(keys), GOVERNOR, KeyManager.addParameterSet.selector);
        assign(address(keys), GOVERNOR, KeyManager.retireKey.selector);
        assign(address(keys), GOVERNOR, keys.pauseRequests.selector);
        assign(address(keys), GOVERNOR, keys.unpauseRequests.selector);
        assign(address(keys), KEY_REQUESTER, KeyManager.requestKey.selector);
        address evaluation = address(evaluationKeys);
        assign(evaluation, KEY_REQUESTER, evaluationKeys.requestRelinearizationKey.selector);
        assign(evaluation, KEY_REQUESTER, evaluationKeys.requestGaloisKeys.selector);
        assign(evaluation, GOVERNOR, evaluationKeys.pauseRequests.selector);
        assign(evaluation, GOVERNOR, evaluationKeys.unpauseRequests.selector);
        assign(address(ciphertexts), REGISTRAR, CiphertextRegistry.register.selector);
        assign(address(ciphertexts), REGISTRAR, CiphertextRegistry.registerSwitched.selector);
        assign(address(crs), GOVERNOR, crs.pauseRequests.selector);
        assign(address(crs), GOVERNOR, crs.unpauseRequests.selector);
        assign(address(gateway), GOVERNOR, gateway.pauseRequests.selector);
        assign(address(gateway), GOVERNOR, gateway.unpauseRequests.selector);
        authority.grantRole(GOVERNOR, governor, 0);
        authority.grantRole(REGISTRAR, registrar, 0);
        authority.grantRole(KEY_REQUESTER, requester, 0);
        authority.grantRole(EPOCH_MANAGER, address(epochs), 0);
        authority.grantRole(FEE_VAULT, address(vault), 0);
        authority.grantRole(EVALUATION_KEY_MANAGER, address(evaluationKeys), 0);
        epochs.setKeyManager(keys);
        vault.addOperation(Operations.KEY_GENERATION, address(keys));
        vault.addOperation(Operations.PUBLIC_DECRYPTION, address(gateway));
        vault.addOperation(Operations.RELINEARIZATION_KEY, address(evaluationKeys));
        vault.addOperation(Operations.GALOIS_KEYS, address(evaluationKeys));
        vault.addOperation(Operations.SWITCHING_KEY, address(evaluationKeys));
        vault.addOperation(Operations.USER_DECRYPTION, address(gateway));
        vault.addOperation(Operations.CRS, address(crs));
        authority.grantRole(SLASHING_MANAGER, address(slashing), 0);
    }

    function assign(address target, uint64 role, bytes4 selector) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        authority.setTargetFunctionRole(target, selectors, role);
    }

    // Operators: number i, from 1, is committee index i in every committee of these tests.

    function ownerOf(uint256 i) internal pure returns (address) {
        return address(uint160(0x10000 + i));
    }

    function signerKey(uint256 i) internal pure returns (uint256) {
        return 0xA11CE000 + i;
    }

    function signerOf(uint256 i) internal pure returns (address) {
        return vm.addr(signerKey(i));
    }

    function peerIdOf(uint256 i) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"002408011220", keccak256(abi.encode("peer", i)));
    }

    function fund(address owner, uint256 amountWei) internal {
        token.mint(owner, amountWei);
        vm.prank(owner);
        token.approve(address(registry), amountWei);
    }

    function registerOperator(uint256 i, uint256 bondWei) internal {
        fund(ownerOf(i), bondWei);
        address signer = signerOf(i);
        vm.prank(ownerOf(i));
        registry.register(
            signer,
            peerIdOf(i),
            "/ip4/127.0.0.1/tcp/4001",
            "http://127.0.0.1",
            bondWei
        );
    }

    /// @dev The first n operators, registered where they are not yet.
    function committee(uint256 n) internal returns (address[] memory operators) {
        operators = new address[](n);
        for (uint256 i = 1; i <= n; ++i) {
            if (registry.operatorOf(signerOf(i)) == address(0)) registerOperator(i, MINIMUM_BOND);
            operators[i - 1] = ownerOf(i);
        }
    }

    // Epochs

    function quorumOf(uint256 n) internal pure returns (uint256) {
        return ((n - 1) / 3) * 2 + 1;
    }

    /// @dev Bitmap of the indices 1 to count.
    function firstMembers(uint256 count) internal pure returns (uint256) {
        return (1 << count) - 1;
    }

    function rootOf(uint256 dealer) internal pure returns (bytes32) {
        return keccak256(abi.encode("root", dealer));
    }

    function propose(uint256 n, bytes32 salt) internal returns (bytes32 proposalId) {
        address[] memory operators = committee(n);
        vm.prank(governor);
        return epochs.proposeEpoch(operators, salt);
    }

    function postDealings(bytes32 proposalId, uint256 count) internal {
        for (uint256 i = 1; i <= count; ++i) {
            vm.prank(signerOf(i));
            epochs.postDealing(proposalId, rootOf(i));
        }
    }

    /// @dev A quorum deals and acknowledges, which freezes the set-up.
    function frozenEpoch(uint256 n, bytes32 salt) internal returns (bytes32 epochId) {
        bytes32 proposalId = propose(n, salt);
        uint256 quorum = quorumOf(n);
        postDealings(proposalId, quorum);
        for (uint256 i = 1; i <= quorum; ++i) {
            vm.prank(signerOf(i));
            epochs.acknowledge(proposalId, firstMembers(quorum));
        }
        return epochs.proposal(proposalId).epochId;
    }

    function confirmBy(bytes32 epochId, uint256 i) internal {
        vm.prank(signerOf(i));
        epochs.confirm(epochId);
    }

    function activeEpoch(uint256 n, bytes32 salt) internal returns (bytes32 epochId) {
        epochId = frozenEpoch(n, salt);
        for (uint256 i = 1; i <= quorumOf(n); ++i) confirmBy(epochId, i);
    }

    function isActive(bytes32 epochId) internal view returns (bool) {
        return epochs.epoch(epochId).phase == EpochPhase.Active;
    }

    function retire(bytes32 epochId) internal {
        vm.prank(governor);
        epochs.retire(epochId);
    }

    // Signatures

    function signature(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Signatures by the operators of a bitmap, in ascending order.
    function signatures(bytes32 digest, uint256 bitmap) internal pure returns (bytes memory all) {
        for (uint256 i = 1; bitmap >> (i - 1) != 0; ++i) {
            if ((bitmap >> (i - 1)) & 1 != 0)
                all = bytes.concat(all, signature(signerKey(i), digest));
        }
    }

    // Keys and ciphertexts

    function testSet() internal pure returns (ParameterSet memory set) {
        set.name = "insecure-bfv-1024";
        set.degree = 1024;
        set.plainModulus = 120833;
        set.primes = new uint64[](4);
        set.primes[0] = 17592185853953;
        set.primes[1] = 17592185982977;
        set.primes[2] = 17592185997313;
        set.primes[3] = 17592186028033;
        set.decryptionLimbs = [3, 3, 3, 0];
        set.floodBits = [uint16(92), 93, 94, 0];
        set.maxNoiseBits = [uint16(20), 19, 18, 0];
        set.lambda = 64;
    }

    function addTestSet() internal returns (bytes32) {
        ParameterSet memory set = testSet();
        vm.prank(governor);
        return keys.addParameterSet(set);
    }

    function activeKey(
        bytes32 epochId,
        bytes32 setId,
        bytes32 label
    ) internal returns (bytes32 keyId) {
        vm.prank(requester);
        keyId = keys.requestKey(epochId, setId, label);
        recordKey(epochId, keyId);
    }

    function recordKey(bytes32 epochId, bytes32 keyId) internal {
        bytes32 digest = keccak256(abi.encode("public key", keyId));
        uint256 bitmap = firstMembers(quorumOf(epochs.epoch(epochId).signers.length));
        bytes32 typed = keys.hashResult(epochId, keyId, keccak256(abi.encode(digest)));
        keys.recordPublicKey(keyId, digest, bitmap, signatures(typed, bitmap));
    }

    /// @dev A test set whose keys have 2^(lambda - 40) units.
    function addMeteredSet(uint8 lambda) internal returns (bytes32) {
        ParameterSet memory set = testSet();
        set.name = "insecure-metered";
        set.lambda = lambda;
        vm.prank(governor);
        return keys.addParameterSet(set);
    }

    function recordEvaluationKeys(bytes32 requestId) internal {
        EvaluationKeys memory request = evaluationKeys.evaluationKeys(requestId);
        bytes memory digests;
        for (uint256 i = 0; i < request.entryCount; ++i) {
            digests = bytes.concat(digests, keccak256(abi.encode("entry", requestId, i)));
        }
        uint256 bitmap = firstMembers(quorumOf(epochs.epoch(request.epochId).signers.length));
        bytes32 typed = evaluationKeys.hashResult(request.epochId, requestId, keccak256(digests));
        evaluationKeys.recordEvaluationKeys(requestId, digests, bitmap, signatures(typed, bitmap));
    }

    /// @dev Both keys are the requester's.
    function requestSwitching(bytes32 fromKeyId, bytes32 toKeyId) internal returns (bytes32) {
        vm.startPrank(requester);
        evaluationKeys.allowSwitching(fromKeyId, toKeyId);
        bytes32 requestId = evaluationKeys.requestSwitchingKey(fromKeyId, toKeyId);
        vm.stopPrank();
        return requestId;
    }

    function registerCiphertext(bytes32 keyId, uint256 number) internal returns (bytes32 handle) {
        vm.prank(registrar);
        return
            ciphertexts.register(keyId, keccak256(abi.encode("ciphertext", number)), 3, 10, user);
    }

    /// @dev Handle of a ciphertext that a registrar registers.
    function vouchedHandle(
        bytes32 keyId,
        bytes32 digest,
        address owner
    ) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    block.chainid,
                    address(ciphertexts),
                    keyId,
                    digest,
                    owner,
                    CiphertextOrigin.Vouched,
                    bytes32(0)
                )
            );
    }

    function unauthorized(address caller) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("AccessManagedUnauthorized(address)", caller);
    }
}
