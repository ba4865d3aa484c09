// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {CiphertextRegistry} from "../../contracts/CiphertextRegistry.sol";
import {CrsManager} from "../../contracts/CrsManager.sol";
import {DecryptionGateway} from "../../contracts/DecryptionGateway.sol";
import {EpochManager} from "../../contracts/EpochManager.sol";
import {EvaluationKeyManager} from "../../contracts/EvaluationKeyManager.sol";
import {KeyManager} from "../../contracts/KeyManager.sol";
import {OperatorRegistry} from "../../contracts/OperatorRegistry.sol";
import {SlashingManager} from "../../contracts/SlashingManager.sol";
import {Governed} from "../../contracts/governance/Governed.sol";
import {ICiphertextRegistry} from "../../contracts/interfaces/ICiphertextRegistry.sol";
import {ICrsManager} from "../../contracts/interfaces/ICrsManager.sol";
import {IDecryptionGateway} from "../../contracts/interfaces/IDecryptionGateway.sol";
import {KeyState} from "../../contracts/interfaces/IKeyManager.sol";
import {IRequests} from "../../contracts/interfaces/IRequests.sol";
import {Requests} from "../../contracts/requests/Requests.sol";
import {Deployment} from "./Deployment.sol";

/// @notice The next version of a contract.
contract GatewayV2 is DecryptionGateway {
    constructor(ICiphertextRegistry registry, ICrsManager crs) DecryptionGateway(registry, crs) {}

    function version() external pure returns (uint256) {
        return 2;
    }
}

contract GovernanceTest is Deployment {
    function test_onlyTheAdminUpgrades() public {
        address[8] memory proxies = proxiesOf();
        address next = address(new GatewayV2(ciphertexts, crs));
        address[2] memory callers = [governor, stranger];
        for (uint256 i = 0; i < proxies.length; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                vm.expectRevert(unauthorized(callers[j]));
                vm.prank(callers[j]);
                UUPSUpgradeable(proxies[i]).upgradeToAndCall(next, "");
            }
        }
    }

    function test_anUpgradeKeepsTheState() public {
        bytes32 epochId = activeEpoch(4, 0);
        bytes32 keyId = activeKey(epochId, addTestSet(), 0);
        bytes32[] memory handles = new bytes32[](1);
        handles[0] = registerCiphertext(keyId, 1);
        vm.prank(user);
        bytes32 requestId = gateway.requestPublicDecryption(handles, new uint32[](0), 0);
        bytes memory before = snapshot(epochId, keyId, handles[0], requestId);

        address[8] memory proxies = proxiesOf();
        address[8] memory next = [
            address(new OperatorRegistry()),
            address(new EpochManager()),
            address(new KeyManager(vault)),
            address(new SlashingManager()),
            address(new EvaluationKeyManager(keys)),
            address(new CiphertextRegistry()),
            address(new CrsManager(slashing)),
            address(new GatewayV2(ciphertexts, crs))
        ];
        for (uint256 i = 0; i < proxies.length; ++i)
            UUPSUpgradeable(proxies[i]).upgradeToAndCall(next[i], "");

        vm.assertEq(GatewayV2(address(gateway)).version(), 2, "version");
        vm.assertEq(snapshot(epochId, keyId, handles[0], requestId), before, "state");
        bytes memory result = abi.encodePacked(bytes32("digest"));
        bytes32 digest = gateway.hashResult(epochId, requestId, keccak256(result));
        gateway.respond(requestId, result, 7, signatures(digest, 7));
        vm.assertTrue(gateway.isResult(requestId, result), "answered after the upgrade");
    }

    function test_proxiesAndImplementationsAreInitialisedOnce() public {
        bytes4 again = Initializable.InvalidInitialization.selector;
        vm.expectRevert(again);
        registry.initialize(address(authority), token, MINIMUM_BOND, UNBONDING_DELAY);
        vm.expectRevert(again);
        epochs.initialize(address(authority), registry, SETUP_WINDOW);
        vm.expectRevert(again);
        keys.initialize(address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW);
        vm.expectRevert(again);
        evaluationKeys.initialize(address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW);
        vm.expectRevert(again);
        ciphertexts.initialize(address(authority), evaluationKeys);
        vm.expectRevert(again);
        gateway.initialize(address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW);

        KeyManager implementation = new KeyManager(vault);
        vm.expectRevert(again);
        implementation.initialize(address(authority), RESPONSE_WINDOW, ATTESTATION_WINDOW);
    }

    function test_theAuthorityIsAContract() public {
        address implementation = address(new CiphertextRegistry());
        vm.expectRevert(
            abi.encodeWithSignature("AccessManagedInvalidAuthority(address)", stranger)
        );
        proxyOf(
            implementation,
            abi.encodeCall(CiphertextRegistry.initialize, (stranger, evaluationKeys))
        );
    }

    function test_theCeremoniesAreOfTheSameDeployment() public {
        CiphertextRegistry other = ciphertexts;
        deployWith(token);
        vm.assertEq(address(gateway.crsManager()), address(crs), "shown");
        vm.assertEq(address(gateway.slashingManager()), address(slashing), "shown");
        vm.assertEq(address(crs.feeVault()), address(vault), "one vault");
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayForeignCrsManager.selector,
                address(crs)
            )
        );
        new DecryptionGateway(other, crs);
    }

    function test_pauseStopsRequestsAndNotResponses() public {
        bytes32 epochId = activeEpoch(4, 0);
        bytes32 setId = addTestSet();
        bytes32 keyId = activeKey(epochId, setId, 0);
        bytes32[] memory handles = new bytes32[](1);
        handles[0] = registerCiphertext(keyId, 1);
        uint32[] memory positions = new uint32[](1);
        vm.prank(user);
        bytes32 requestId = gateway.requestPublicDecryption(handles, positions, 0);
        vm.prank(requester);
        bytes32 pending = keys.requestKey(epochId, setId, "pending");

        vm.startPrank(governor);
        gateway.pauseRequests();
        keys.pauseRequests();
        vm.stopPrank();

        vm.expectRevert(IRequests.RequestsPaused.selector);
        vm.prank(user);
        gateway.requestPublicDecryption(handles, positions, "new");
        vm.expectRevert(IRequests.RequestsPaused.selector);
        vm.prank(requester);
        keys.requestKey(epochId, setId, "new");

        bytes memory result = abi.encodePacked(uint64(1));
        bytes32 digest = gateway.hashResult(epochId, requestId, keccak256(result));
        gateway.respond(requestId, result, 7, signatures(digest, 7));
        recordKey(epochId, pending);
        vm.assertTrue(keys.key(pending).state == KeyState.Active, "recorded while paused");

        vm.startPrank(governor);
        gateway.unpauseRequests();
        keys.unpauseRequests();
        vm.stopPrank();
        vm.prank(user);
        gateway.requestPublicDecryption(handles, positions, "new");
        vm.prank(requester);
        keys.requestKey(epochId, setId, "new");
    }

    function test_pausesAndWindowsAreGoverned() public {
        Requests[4] memory contracts = [Requests(address(keys)), evaluationKeys, crs, gateway];
        bytes4 range = IRequests.RequestsWindowRange.selector;
        for (uint256 i = 0; i < contracts.length; ++i) {
            Requests target = contracts[i];
            vm.startPrank(stranger);
            vm.expectRevert(unauthorized(stranger));
            target.pauseRequests();
            vm.expectRevert(unauthorized(stranger));
            target.unpauseRequests();
            vm.expectRevert(unauthorized(stranger));
            target.setWindows(60, 60);
            vm.stopPrank();

            vm.startPrank(governor);
            bytes4 pauseState = IRequests.RequestsPauseState.selector;
            vm.expectRevert(abi.encodeWithSelector(pauseState, false));
            target.unpauseRequests();
            vm.expectEmit(address(target));
            emit IRequests.RequestsPauseSet(true);
            target.pauseRequests();
            vm.assertTrue(target.requestsPaused(), "paused");
            vm.expectRevert(abi.encodeWithSelector(pauseState, true));
            target.pauseRequests();
            vm.expectEmit(address(target));
            emit IRequests.RequestsPauseSet(false);
            target.unpauseRequests();
            vm.assertFalse(target.requestsPaused(), "not paused");
            vm.stopPrank();

            vm.expectRevert(abi.encodeWithSelector(range, 59, 60, 12 hours));
            target.setWindows(59, 60);
            vm.expectRevert(abi.encodeWithSelector(range, 12 hours + 1, 60, 12 hours));
            target.setWindows(12 hours + 1, 60);
            vm.expectRevert(abi.encodeWithSelector(range, 59, 60, 1 days));
            target.setWindows(60, 59);
            vm.expectRevert(abi.encodeWithSelector(range, 1 days + 1, 60, 1 days));
            target.setWindows(60, 1 days + 1);
            // Beyond 32 bits, where a window is kept.
            vm.expectRevert(abi.encodeWithSelector(range, uint64(1 << 32) + 60, 60, 12 hours));
            target.setWindows(uint64(1 << 32) + 60, 60);
            target.setWindows(60, 60);
            vm.expectEmit(address(target));
            emit IRequests.WindowsSet(12 hours, 1 days);
            target.setWindows(12 hours, 1 days);
            vm.assertEq(target.responseWindowSeconds(), 12 hours, "responses");
            vm.assertEq(target.attestationWindowSeconds(), 1 days, "attestations");
        }
    }

    /// @dev A result is final before the bonds of those who signed it can leave.
    function test_everyResponseWindowIsShorterThanEveryUnbonding() public view {
        vm.assertTrue(
            gateway.MAX_RESPONSE_WINDOW_SECONDS() < registry.MIN_UNBONDING_DELAY_SECONDS(),
            "windows"
        );
    }

    /// @dev With a delay on its role the admin announces first and executes later.
    function test_aDelayedAdminWaits() public {
        authority.grantRole(0, stranger, 2 days);
        bytes memory call = abi.encodeCall(registry.setMinimumBond, (7));
        vm.startPrank(stranger);
        vm.expectPartialRevert(bytes4(keccak256("AccessManagerNotScheduled(bytes32)")));
        authority.execute(address(registry), call);
        authority.schedule(address(registry), call, 0);
        vm.warp(block.timestamp + 2 days);
        authority.execute(address(registry), call);
        vm.stopPrank();
        vm.assertEq(registry.minimumBondWei(), 7, "executed");
    }

    function proxiesOf() private view returns (address[8] memory) {
        return
            [
                address(registry),
                address(epochs),
                address(keys),
                address(slashing),
                address(evaluationKeys),
                address(ciphertexts),
                address(crs),
                address(gateway)
            ];
    }

    function snapshot(
        bytes32 epochId,
        bytes32 keyId,
        bytes32 handle,
        bytes32 requestId
    ) private view returns (bytes memory) {
        return
            abi.encode(
                registry.getOperator(ownerOf(1)),
                registry.totalBondsWei(),
                epochs.epoch(epochId),
                keys.key(keyId),
                ciphertexts.ciphertext(handle),
                gateway.request(requestId),
                gateway.meter(keyId),
                evaluationKeys.keyManager(),
                abi.encode(slashing.keyManager(), slashing.treasury(), crs.slashingManager()),
                gateway.deploymentBlock(),
                Governed(address(gateway)).authority()
            );
    }
}
