// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {PausableUpgradeable} from "@openzeppelin/contracts-upgradeable/utils/PausableUpgradeable.sol";

import {CiphertextRegistry} from "../../contracts/CiphertextRegistry.sol";
import {DecryptionGateway} from "../../contracts/DecryptionGateway.sol";
import {EpochManager} from "../../contracts/EpochManager.sol";
import {EvaluationKeyManager} from "../../contracts/EvaluationKeyManager.sol";
import {KeyManager} from "../../contracts/KeyManager.sol";
import {OperatorRegistry} from "../../contracts/OperatorRegistry.sol";
import {Governed} from "../../contracts/governance/Governed.sol";
import {RequestWindow} from "../../contracts/governance/RequestWindow.sol";
import {KeyState} from "../../contracts/interfaces/IKeyManager.sol";
import {IRequestWindow} from "../../contracts/interfaces/IRequestWindow.sol";
import {Deployment} from "./Deployment.sol";

/// @notice The next version of a contract.
contract GatewayV2 is DecryptionGateway {
    function version() external pure returns (uint256) {
        return 2;
    }
}

contract GovernanceTest is Deployment {
    function test_onlyTheAdminUpgrades() public {
        address[6] memory proxies = proxiesOf();
        address next = address(new GatewayV2());
        address[2] memory callers = [governor, stranger];
        for (uint256 i = 0; i < 6; ++i) {
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

        address[6] memory proxies = proxiesOf();
        address[6] memory next = [
            address(new OperatorRegistry()),
            address(new EpochManager()),
            address(new KeyManager()),
            address(new EvaluationKeyManager()),
            address(new CiphertextRegistry()),
            address(new GatewayV2())
        ];
        for (uint256 i = 0; i < 6; ++i) UUPSUpgradeable(proxies[i]).upgradeToAndCall(next[i], "");

        vm.assertEq(GatewayV2(address(gateway)).version(), 2, "version");
        vm.assertEq(snapshot(epochId, keyId, handles[0], requestId), before, "state");
        bytes memory result = abi.encodePacked(bytes32("digest"));
        bytes32 digest = gateway.hashPublicDecryptionResult(epochId, requestId, result);
        gateway.respondPublicDecryption(requestId, result, 7, signatures(digest, 7));
        vm.assertTrue(gateway.isResult(requestId, result), "answered after the upgrade");
    }

    function test_proxiesAndImplementationsAreInitialisedOnce() public {
        bytes4 again = Initializable.InvalidInitialization.selector;
        vm.expectRevert(again);
        registry.initialize(address(authority), token, MINIMUM_BOND, UNBONDING_DELAY);
        vm.expectRevert(again);
        epochs.initialize(address(authority), registry, SETUP_WINDOW);
        vm.expectRevert(again);
        keys.initialize(address(authority), epochs, RESPONSE_WINDOW);
        vm.expectRevert(again);
        evaluationKeys.initialize(address(authority), keys, RESPONSE_WINDOW);
        vm.expectRevert(again);
        ciphertexts.initialize(address(authority), evaluationKeys);
        vm.expectRevert(again);
        gateway.initialize(address(authority), ciphertexts, RESPONSE_WINDOW);

        KeyManager implementation = new KeyManager();
        vm.expectRevert(again);
        implementation.initialize(address(authority), epochs, RESPONSE_WINDOW);
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

        vm.expectRevert(PausableUpgradeable.EnforcedPause.selector);
        vm.prank(user);
        gateway.requestPublicDecryption(handles, positions, "new");
        vm.expectRevert(PausableUpgradeable.EnforcedPause.selector);
        vm.prank(requester);
        keys.requestKey(epochId, setId, "new");

        bytes memory result = abi.encodePacked(uint64(1));
        bytes32 digest = gateway.hashPublicDecryptionResult(epochId, requestId, result);
        gateway.respondPublicDecryption(requestId, result, 7, signatures(digest, 7));
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
        RequestWindow[3] memory contracts = [RequestWindow(address(keys)), evaluationKeys, gateway];
        bytes4 range = IRequestWindow.ResponseWindowRange.selector;
        for (uint256 i = 0; i < 3; ++i) {
            RequestWindow target = contracts[i];
            vm.startPrank(stranger);
            vm.expectRevert(unauthorized(stranger));
            target.pauseRequests();
            vm.expectRevert(unauthorized(stranger));
            target.unpauseRequests();
            vm.expectRevert(unauthorized(stranger));
            target.setResponseWindow(60);
            vm.stopPrank();

            vm.expectRevert(abi.encodeWithSelector(range, 59, 60, 12 hours));
            target.setResponseWindow(59);
            vm.expectRevert(abi.encodeWithSelector(range, 12 hours + 1, 60, 12 hours));
            target.setResponseWindow(12 hours + 1);
            vm.expectEmit(address(target));
            emit IRequestWindow.ResponseWindowSet(12 hours);
            target.setResponseWindow(12 hours);
            vm.assertEq(target.responseWindowSeconds(), 12 hours, "window");
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

    function proxiesOf() private view returns (address[6] memory) {
        return
            [
                address(registry),
                address(epochs),
                address(keys),
                address(evaluationKeys),
                address(ciphertexts),
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
                gateway.deploymentBlock(),
                Governed(address(gateway)).authority()
            );
    }
}
