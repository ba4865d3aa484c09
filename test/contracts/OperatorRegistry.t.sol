// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {OperatorRegistry} from "../../contracts/OperatorRegistry.sol";
import {
    IOperatorRegistry,
    Operator,
    OperatorState
} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {Deployment} from "./Deployment.sol";
import {FeeToken} from "./tokens/FeeToken.sol";
import {ReentrantToken} from "./tokens/ReentrantToken.sol";
import {SilentToken} from "./tokens/SilentToken.sol";

contract OperatorRegistryTest is Deployment {
    function test_registerRecordsTheOperatorAndTakesItsBond() public {
        fund(ownerOf(1), 1500);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OperatorRegistered(
            ownerOf(1),
            signerOf(1),
            peerIdOf(1),
            "/dns/one/tcp/1",
            "",
            1500
        );
        register(1, peerIdOf(1), "/dns/one/tcp/1", "", 1500);

        Operator memory operator = registry.getOperator(ownerOf(1));
        vm.assertEq(operator.signer, signerOf(1), "signer");
        vm.assertTrue(operator.state == OperatorState.Bonded, "state");
        vm.assertEq(operator.seats, 0, "seats");
        vm.assertEq(operator.bondWei, 1500, "bond");
        vm.assertEq(operator.peerId, peerIdOf(1), "peer id");
        vm.assertEq(operator.multiaddr, "/dns/one/tcp/1", "multiaddr");
        vm.assertEq(operator.endpoint, "", "endpoint");
        vm.assertEq(registry.operatorOf(signerOf(1)), ownerOf(1), "operator of signer");
        vm.assertTrue(registry.isEligible(ownerOf(1)), "eligible");
        vm.assertEq(registry.totalBondsWei(), 1500, "total");
        vm.assertEq(token.balanceOf(address(registry)), 1500, "balance");
    }

    function test_registerOnlyOnce() public {
        registerOperator(1, MINIMUM_BOND);
        bytes memory expected = abi.encodeWithSelector(
            IOperatorRegistry.OperatorRegistryAlreadyRegistered.selector,
            ownerOf(1)
        );
        address other = signerOf(2);
        vm.expectRevert(expected);
        vm.prank(ownerOf(1));
        registry.register(other, peerIdOf(2), "/a", "", MINIMUM_BOND);

        unbond(1);
        vm.expectRevert(expected);
        vm.prank(ownerOf(1));
        registry.register(other, peerIdOf(2), "/a", "", MINIMUM_BOND);
    }

    function test_signerAndPeerIdStayTakenForGood() public {
        registerOperator(1, MINIMUM_BOND);
        unbond(1);
        fund(ownerOf(2), MINIMUM_BOND);
        address signer = signerOf(1);

        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistrySignerTaken.selector,
                signer,
                ownerOf(1)
            )
        );
        vm.prank(ownerOf(2));
        registry.register(signer, peerIdOf(2), "/a", "", MINIMUM_BOND);

        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryPeerIdTaken.selector,
                peerIdOf(1)
            )
        );
        register(2, peerIdOf(1), "/a", "", MINIMUM_BOND);
    }

    function test_registerRefusesTheZeroSigner() public {
        vm.expectRevert(IOperatorRegistry.OperatorRegistryZeroSigner.selector);
        vm.prank(ownerOf(1));
        registry.register(address(0), peerIdOf(1), "/a", "", MINIMUM_BOND);
    }

    function test_lengthsAreLimited() public {
        bytes4 peerId = IOperatorRegistry.OperatorRegistryPeerIdLength.selector;
        vm.expectRevert(abi.encodeWithSelector(peerId, 0, 64));
        register(1, "", "/a", "", MINIMUM_BOND);
        vm.expectRevert(abi.encodeWithSelector(peerId, 65, 64));
        register(1, new bytes(65), "/a", "", MINIMUM_BOND);

        bytes4 multiaddr = IOperatorRegistry.OperatorRegistryMultiaddrLength.selector;
        vm.expectRevert(abi.encodeWithSelector(multiaddr, 0, 256));
        register(1, peerIdOf(1), "", "", MINIMUM_BOND);
        vm.expectRevert(abi.encodeWithSelector(multiaddr, 257, 256));
        register(1, peerIdOf(1), string(new bytes(257)), "", MINIMUM_BOND);

        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryEndpointLength.selector,
                257,
                256
            )
        );
        register(1, peerIdOf(1), "/a", string(new bytes(257)), MINIMUM_BOND);

        fund(ownerOf(1), MINIMUM_BOND);
        register(1, new bytes(64), string(new bytes(256)), string(new bytes(256)), MINIMUM_BOND);
    }

    function test_bondIsAtLeastTheMinimum() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryBondTooSmall.selector,
                MINIMUM_BOND - 1,
                MINIMUM_BOND
            )
        );
        register(1, peerIdOf(1), "/a", "", MINIMUM_BOND - 1);
    }

    function test_topUpRestoresEligibility() public {
        registerOperator(1, MINIMUM_BOND);
        registry.setMinimumBond(MINIMUM_BOND + 1);
        vm.assertFalse(registry.isEligible(ownerOf(1)), "below the new minimum");
        fund(ownerOf(1), 1);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.BondToppedUp(ownerOf(1), 1, MINIMUM_BOND + 1);
        vm.prank(ownerOf(1));
        registry.topUp(1);
        vm.assertTrue(registry.isEligible(ownerOf(1)), "topped up");
        vm.assertEq(registry.totalBondsWei(), MINIMUM_BOND + 1, "total");
    }

    function test_topUpNeedsABondedOperatorAndAnAmount() public {
        vm.expectRevert(unknown(stranger));
        vm.prank(stranger);
        registry.topUp(1);

        registerOperator(1, MINIMUM_BOND);
        vm.expectRevert(IOperatorRegistry.OperatorRegistryZeroAmount.selector);
        vm.prank(ownerOf(1));
        registry.topUp(0);

        vm.prank(ownerOf(1));
        registry.beginUnbonding();
        vm.expectRevert(wrongState(1, OperatorState.Unbonding));
        vm.prank(ownerOf(1));
        registry.topUp(1);
    }

    function test_endpointsAreUpdatedByOperatorOrSigner() public {
        registerOperator(1, MINIMUM_BOND);
        vm.prank(ownerOf(1));
        registry.updateEndpoints("/dns/a", "https://a");
        vm.assertEq(registry.getOperator(ownerOf(1)).multiaddr, "/dns/a", "by operator");

        vm.expectEmit(address(registry));
        emit IOperatorRegistry.EndpointsUpdated(ownerOf(1), "/dns/b", "");
        vm.prank(signerOf(1));
        registry.updateEndpoints("/dns/b", "");
        vm.assertEq(registry.getOperator(ownerOf(1)).endpoint, "", "by signer");

        vm.expectRevert(unknown(stranger));
        vm.prank(stranger);
        registry.updateEndpoints("/dns/c", "");

        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryMultiaddrLength.selector,
                0,
                256
            )
        );
        vm.prank(signerOf(1));
        registry.updateEndpoints("", "");

        unbond(1);
        vm.expectRevert(wrongState(1, OperatorState.Withdrawn));
        vm.prank(signerOf(1));
        registry.updateEndpoints("/dns/c", "");
    }

    /// @dev Naming another operator's account as one's signer must not redirect that operator's calls.
    function test_anOperatorNamedAsSignerStillActsAsItself() public {
        registerOperator(1, MINIMUM_BOND);
        fund(ownerOf(2), MINIMUM_BOND);
        vm.prank(ownerOf(2));
        registry.register(ownerOf(1), peerIdOf(2), "/dns/two", "", MINIMUM_BOND);

        vm.prank(ownerOf(1));
        registry.updateEndpoints("/dns/one", "");
        vm.assertEq(registry.getOperator(ownerOf(1)).multiaddr, "/dns/one", "own record");
        vm.assertEq(registry.getOperator(ownerOf(2)).multiaddr, "/dns/two", "other record");
    }

    function test_unbondingPaysTheWholeBondBack() public {
        registerOperator(1, 1234);
        // The delay counts from registration, not from here: it never had a seat.
        vm.warp(block.timestamp + 1 hours);
        uint64 withdrawableAt = uint64(block.timestamp) - 1 hours + UNBONDING_DELAY;
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.UnbondingBegun(ownerOf(1), withdrawableAt);
        vm.prank(ownerOf(1));
        registry.beginUnbonding();
        vm.assertFalse(registry.isEligible(ownerOf(1)), "unbonding");
        vm.assertEq(registry.getOperator(ownerOf(1)).bondWei, 1234, "still bonded");

        // A longer delay does not reach an operator that is already leaving.
        registry.setUnbondingDelay(90 days);
        vm.warp(withdrawableAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryStillUnbonding.selector,
                ownerOf(1),
                withdrawableAt
            )
        );
        vm.prank(ownerOf(1));
        registry.withdraw();

        vm.warp(withdrawableAt);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.BondWithdrawn(ownerOf(1), 1234);
        vm.prank(ownerOf(1));
        registry.withdraw();
        vm.assertEq(token.balanceOf(ownerOf(1)), 1234, "paid back");
        vm.assertEq(registry.totalBondsWei(), 0, "total");
        vm.assertTrue(registry.getOperator(ownerOf(1)).state == OperatorState.Withdrawn, "state");

        vm.expectRevert(wrongState(1, OperatorState.Withdrawn));
        vm.prank(ownerOf(1));
        registry.withdraw();
    }

    function test_unbondingNeedsABondedOperator() public {
        vm.expectRevert(unknown(stranger));
        vm.prank(stranger);
        registry.beginUnbonding();
        vm.expectRevert(unknown(stranger));
        vm.prank(stranger);
        registry.withdraw();

        registerOperator(1, MINIMUM_BOND);
        vm.expectRevert(wrongState(1, OperatorState.Bonded));
        vm.prank(ownerOf(1));
        registry.withdraw();

        vm.prank(ownerOf(1));
        registry.beginUnbonding();
        vm.expectRevert(wrongState(1, OperatorState.Unbonding));
        vm.prank(ownerOf(1));
        registry.beginUnbonding();
    }

    function test_onlyTheEpochManagerSeats() public {
        address[] memory operators = committee(4);
        vm.startPrank(governor);
        vm.expectRevert(unauthorized(governor));
        registry.seat(operators);
        vm.expectRevert(unauthorized(governor));
        registry.unseat(operators);
        vm.stopPrank();

        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.OperatorRegistryNotSeated.selector, ownerOf(1))
        );
        vm.prank(address(epochs));
        registry.unseat(operators);
    }

    function test_boundsOfGovernance() public {
        bytes4 bond = IOperatorRegistry.OperatorRegistryMinimumBondRange.selector;
        uint256 most = registry.MAX_MINIMUM_BOND_WEI();
        vm.expectRevert(abi.encodeWithSelector(bond, 0, most));
        registry.setMinimumBond(0);
        vm.expectRevert(abi.encodeWithSelector(bond, most + 1, most));
        registry.setMinimumBond(most + 1);
        registry.setMinimumBond(most);
        vm.assertEq(registry.minimumBondWei(), most, "minimum bond");

        bytes4 delay = IOperatorRegistry.OperatorRegistryUnbondingDelayRange.selector;
        vm.expectRevert(abi.encodeWithSelector(delay, 1 days - 1, 1 days, 90 days));
        registry.setUnbondingDelay(1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(delay, 90 days + 1, 1 days, 90 days));
        registry.setUnbondingDelay(90 days + 1);
        registry.setUnbondingDelay(90 days);
        vm.assertEq(registry.unbondingDelaySeconds(), 90 days, "unbonding delay");

        vm.startPrank(governor);
        vm.expectRevert(unauthorized(governor));
        registry.setMinimumBond(1);
        vm.expectRevert(unauthorized(governor));
        registry.setUnbondingDelay(1 days);
        vm.stopPrank();
    }

    function test_theBondTokenIsAContract() public {
        address implementation = address(new OperatorRegistry());
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryInvalidToken.selector,
                stranger
            )
        );
        proxyOf(
            implementation,
            abi.encodeCall(
                OperatorRegistry.initialize,
                (address(authority), IERC20(stranger), MINIMUM_BOND, UNBONDING_DELAY)
            )
        );
    }

    function test_operatorsAreEnumeratedInPages() public {
        committee(4);
        vm.assertEq(registry.operatorCount(), 4, "count");
        vm.assertEq(registry.operators(0, 100).length, 4, "all");
        vm.assertEq(registry.operators(4, 1).length, 0, "past the end");
        vm.assertEq(registry.operators(type(uint256).max, type(uint256).max).length, 0, "far past");
        address[] memory page = registry.operators(1, 2);
        vm.assertEq(page.length, 2, "page");
        vm.assertEq(page[0], ownerOf(2), "first of page");
        vm.assertEq(page[1], ownerOf(3), "last of page");
    }

    function test_aTokenWithATransferFeeIsRefused() public {
        token = new FeeToken();
        deployWith(token);
        fund(ownerOf(1), MINIMUM_BOND);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryTransferMismatch.selector,
                MINIMUM_BOND - 1,
                MINIMUM_BOND
            )
        );
        register(1, peerIdOf(1), "/a", "", MINIMUM_BOND);
    }

    function test_aTokenThatReturnsNothingWorksAndOneThatReturnsFalseDoesNot() public {
        SilentToken silent = new SilentToken();
        deployWith(IERC20(address(silent)));
        silent.mint(ownerOf(1), MINIMUM_BOND);
        register(1, peerIdOf(1), "/a", "", MINIMUM_BOND);
        vm.assertEq(silent.balanceOf(address(registry)), MINIMUM_BOND, "taken");

        vm.prank(ownerOf(1));
        registry.beginUnbonding();
        vm.warp(block.timestamp + UNBONDING_DELAY);
        silent.refuse();
        vm.expectRevert(
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(silent))
        );
        vm.prank(ownerOf(1));
        registry.withdraw();
    }

    /// @dev A hook could deposit twice within one balance difference, or withdraw twice.
    function test_aTokenThatCallsBackCannotReenter() public {
        ReentrantToken reentrant = new ReentrantToken();
        token = reentrant;
        deployWith(reentrant);
        registerOperator(1, MINIMUM_BOND);
        fund(ownerOf(1), 10);
        bytes4 reentrancy = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;

        reentrant.onNextTransfer(address(registry), abi.encodeCall(registry.topUp, (1)));
        vm.expectRevert(reentrancy);
        vm.prank(ownerOf(1));
        registry.topUp(10);

        vm.prank(ownerOf(1));
        registry.beginUnbonding();
        vm.warp(block.timestamp + UNBONDING_DELAY);
        reentrant.onNextTransfer(address(registry), abi.encodeCall(registry.withdraw, ()));
        vm.expectRevert(reentrancy);
        vm.prank(ownerOf(1));
        registry.withdraw();

        // Nor collect what is not in the bond any more.
        reentrant.onNextTransfer(address(registry), abi.encodeCall(registry.collect, ()));
        vm.expectRevert(reentrancy);
        vm.prank(ownerOf(1));
        registry.withdraw();

        reentrant.onNextTransfer(
            address(registry),
            abi.encodeCall(registry.register, (address(1), hex"01", "/a", "", MINIMUM_BOND))
        );
        vm.expectRevert(reentrancy);
        vm.prank(ownerOf(1));
        registry.withdraw();
    }

    function register(
        uint256 i,
        bytes memory peerId,
        string memory multiaddr,
        string memory endpoint,
        uint256 bondWei
    ) private {
        vm.prank(ownerOf(i));
        registry.register(vm.addr(signerKey(i)), peerId, multiaddr, endpoint, bondWei);
    }

    function unbond(uint256 i) private {
        vm.prank(ownerOf(i));
        registry.beginUnbonding();
        vm.warp(registry.getOperator(ownerOf(i)).withdrawableAt);
        vm.prank(ownerOf(i));
        registry.withdraw();
    }

    function unknown(address account) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryUnknownOperator.selector,
                account
            );
    }

    function wrongState(uint256 i, OperatorState state) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorRegistryWrongState.selector,
                ownerOf(i),
                state
            );
    }
}
