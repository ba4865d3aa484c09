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
import {Deployment} from "./Deployment.sol";

/// @notice The next version of a contract.
contract RegistryV2 is OperatorRegistry {
    function version() external pure returns (uint256) {
        return 2;
    }
}

/// @notice Upgrades as they are after the handover: by an admin with a delay, through the authority.
contract UpgradeTest is Deployment {
    struct Upgrade {
        address proxy;
        address implementation;
        bytes initializer;
    }

    function test_anUpgradeWaitsInTheAuthorityAndKeepsTheState() public {
        bytes32 epochId = activeEpoch(4, 0);
        bytes memory before = stateOf(epochId);
        address proxy = address(registry);
        authority.grantRole(0, stranger, 2 days);
        bytes memory call = abi.encodeCall(
            UUPSUpgradeable.upgradeToAndCall,
            (address(new RegistryV2()), "")
        );

        vm.startPrank(stranger);
        vm.expectPartialRevert(bytes4(keccak256("AccessManagerNotScheduled(bytes32)")));
        authority.execute(proxy, call);
        authority.schedule(proxy, call, 0);
        vm.warp(block.timestamp + 2 days - 1);
        vm.expectPartialRevert(bytes4(keccak256("AccessManagerNotReady(bytes32)")));
        authority.execute(proxy, call);
        vm.warp(block.timestamp + 1);
        authority.execute(proxy, call);
        vm.stopPrank();

        vm.assertEq(RegistryV2(proxy).version(), 2, "version");
        vm.assertEq(stateOf(epochId), before, "state");
        retire(epochId);
        vm.prank(ownerOf(1));
        registry.beginUnbonding();
    }

    /// @dev Neither in the same call nor later: whoever could would name another authority.
    function test_anUpgradedContractIsNotInitialisedAgain() public {
        Upgrade[7] memory all = upgrades();
        for (uint256 i = 0; i < all.length; ++i) {
            UUPSUpgradeable proxy = UUPSUpgradeable(all[i].proxy);
            vm.expectRevert(Initializable.InvalidInitialization.selector);
            proxy.upgradeToAndCall(all[i].implementation, all[i].initializer);
            proxy.upgradeToAndCall(all[i].implementation, "");
            expectInitialised(all[i].proxy, all[i].initializer);
        }
    }

    function test_implementationsAreNeitherInitialisedNorUpgraded() public {
        Upgrade[7] memory all = upgrades();
        for (uint256 i = 0; i < all.length; ++i) {
            expectInitialised(all[i].implementation, all[i].initializer);
            vm.expectRevert(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector);
            UUPSUpgradeable(all[i].implementation).upgradeToAndCall(all[i].implementation, "");
        }
    }

    /// @dev An implementation without upgrades would be the last one.
    function test_onlyWhatCanBeUpgradedAgainIsTaken() public {
        Upgrade[7] memory all = upgrades();
        for (uint256 i = 0; i < all.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSignature("ERC1967InvalidImplementation(address)", authority)
            );
            UUPSUpgradeable(all[i].proxy).upgradeToAndCall(address(authority), "");
        }
    }

    function expectInitialised(address target, bytes memory initializer) private {
        (bool done, bytes memory data) = target.call(initializer);
        vm.assertFalse(done, "initialised again");
        vm.assertEq(
            data,
            abi.encodeWithSelector(Initializable.InvalidInitialization.selector),
            "reason"
        );
    }

    function stateOf(bytes32 epochId) private view returns (bytes memory) {
        return
            abi.encode(
                registry.getOperator(ownerOf(1)),
                registry.operators(0, 100),
                registry.totalBondsWei(),
                registry.minimumBondWei(),
                registry.bondToken(),
                registry.authority(),
                epochs.epoch(epochId)
            );
    }

    /// @dev Every proxy with a next implementation and a call of its initializer.
    function upgrades() private returns (Upgrade[7] memory) {
        address rules = address(authority);
        return
            [
                Upgrade(
                    address(registry),
                    address(new OperatorRegistry()),
                    abi.encodeCall(
                        OperatorRegistry.initialize,
                        (rules, token, MINIMUM_BOND, UNBONDING_DELAY)
                    )
                ),
                Upgrade(
                    address(epochs),
                    address(new EpochManager()),
                    abi.encodeCall(EpochManager.initialize, (rules, registry, SETUP_WINDOW))
                ),
                Upgrade(
                    address(keys),
                    address(new KeyManager(vault)),
                    abi.encodeCall(
                        KeyManager.initialize,
                        (rules, RESPONSE_WINDOW, ATTESTATION_WINDOW)
                    )
                ),
                Upgrade(
                    address(evaluationKeys),
                    address(new EvaluationKeyManager(keys)),
                    abi.encodeCall(
                        EvaluationKeyManager.initialize,
                        (rules, RESPONSE_WINDOW, ATTESTATION_WINDOW)
                    )
                ),
                Upgrade(
                    address(ciphertexts),
                    address(new CiphertextRegistry()),
                    abi.encodeCall(CiphertextRegistry.initialize, (rules, evaluationKeys))
                ),
                Upgrade(
                    address(crs),
                    address(new CrsManager(slashing)),
                    abi.encodeCall(
                        CrsManager.initialize,
                        (rules, RESPONSE_WINDOW, ATTESTATION_WINDOW)
                    )
                ),
                Upgrade(
                    address(gateway),
                    address(new DecryptionGateway(ciphertexts, crs)),
                    abi.encodeCall(
                        DecryptionGateway.initialize,
                        (rules, RESPONSE_WINDOW, ATTESTATION_WINDOW)
                    )
                )
            ];
    }
}
