// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Governed} from "../governance/Governed.sol";
import {IOperatorRegistry, OperatorState} from "../interfaces/IOperatorRegistry.sol";
import {ExactTransfer} from "../libraries/ExactTransfer.sol";

/// @title The money of the operators: bonds, the way out, slashing, and what is owed from it
abstract contract Bonds is Governed, ReentrancyGuardTransient, IOperatorRegistry {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev 10^9 tokens of 18 decimals: far from any overflow of the sum of bonds.
    uint256 public constant MAX_MINIMUM_BOND_WEI = 1e27;

    /// @dev Longer than the longest response window: a result is final before its signers' bonds leave.
    uint64 public constant MIN_UNBONDING_DELAY_SECONDS = 1 days;

    /// @dev An operator that leaves is paid within a stated time, whatever governance does.
    uint64 public constant MAX_UNBONDING_DELAY_SECONDS = 90 days;

    uint256 private constant WAD = 1e18;

    /// @dev Two slots before the strings: seating and slashing write the second one only.
    struct OperatorRecord {
        address signer;
        uint64 unseatedAt;
        uint32 unbondingDelaySeconds;
        uint128 bondWei;
        uint64 benchedUntil;
        uint16 seats;
        OperatorState state;
        bool removed;
        bytes peerId;
        string multiaddr;
        string endpoint;
    }

    /// @dev A first slash writes one new slot, that of the reward: the treasury's part shares one with the
    /// minimum bond, which is never zero.
    /// @custom:storage-location erc7201:keyloom.storage.OperatorRegistry
    struct OperatorRegistryStorage {
        IERC20 bondToken;
        uint64 unbondingDelaySeconds;
        uint128 minimumBondWei;
        uint128 treasuryWei;
        uint128 totalBondsWei;
        uint128 totalOwedWei;
        mapping(address operator => OperatorRecord) records;
        mapping(address signer => address operator) operatorOf;
        mapping(bytes32 peerIdHash => bool) peerIdTaken;
        mapping(address account => uint256) owedWei;
        address[] operators;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.OperatorRegistry");

    // solhint-disable-next-line func-name-mixedcase
    function __Bonds_init(
        IERC20 token,
        uint256 minimumBond,
        uint64 unbondingDelay
    ) internal onlyInitializing {
        if (address(token).code.length == 0) revert OperatorRegistryInvalidToken(address(token));
        _storage().bondToken = token;
        _setMinimumBond(minimumBond);
        _setUnbondingDelay(unbondingDelay);
    }

    /// @inheritdoc IOperatorRegistry
    function topUp(uint256 amountWei) external nonReentrant {
        OperatorRegistryStorage storage $ = _storage();
        OperatorRecord storage record = _inState($, msg.sender, OperatorState.Bonded);
        if (record.removed) revert OperatorRegistryRemoved(msg.sender);
        if (amountWei == 0) revert OperatorRegistryZeroAmount();
        uint128 bondWei = record.bondWei + amountWei.toUint128();
        record.bondWei = bondWei;
        _takeBond($, amountWei);
        emit BondToppedUp(msg.sender, amountWei, bondWei);
    }

    /// @inheritdoc IOperatorRegistry
    function beginUnbonding() external {
        OperatorRegistryStorage storage $ = _storage();
        OperatorRecord storage record = _inState($, msg.sender, OperatorState.Bonded);
        record.state = OperatorState.Unbonding;
        record.unbondingDelaySeconds = uint32($.unbondingDelaySeconds);
        emit UnbondingBegun(msg.sender, _withdrawableAt(record));
    }

    /// @inheritdoc IOperatorRegistry
    function withdraw() external nonReentrant {
        OperatorRegistryStorage storage $ = _storage();
        OperatorRecord storage record = _inState($, msg.sender, OperatorState.Unbonding);
        if (record.seats != 0) revert OperatorRegistryStillSeated(msg.sender, record.seats);
        uint64 withdrawableAt = _withdrawableAt(record);
        if (block.timestamp < withdrawableAt) {
            revert OperatorRegistryStillUnbonding(msg.sender, withdrawableAt);
        }
        uint128 amountWei = record.bondWei;
        record.state = OperatorState.Withdrawn;
        record.bondWei = 0;
        $.totalBondsWei -= amountWei;
        $.bondToken.safeTransfer(msg.sender, amountWei);
        emit BondWithdrawn(msg.sender, amountWei);
    }

    /// @inheritdoc IOperatorRegistry
    function slash(
        address operator,
        uint256 slashWad,
        address beneficiary,
        uint256 rewardWad
    ) external restricted returns (uint256 leftWei) {
        OperatorRegistryStorage storage $ = _storage();
        OperatorRecord storage record = $.records[operator];
        uint256 bondWei = record.bondWei;
        if (bondWei == 0) revert OperatorRegistryNothingToSlash(operator);

        // Below 2^188: neither product overflows. Parts above 1e18 underflow, which reverts.
        uint256 slashedWei = (bondWei * slashWad) / WAD;
        uint256 rewardWei = (slashedWei * rewardWad) / WAD;
        uint256 restWei = slashedWei - rewardWei;
        leftWei = bondWei - slashedWei;

        record.bondWei = uint128(leftWei);
        record.removed = true;
        $.totalBondsWei -= uint128(slashedWei);
        $.totalOwedWei += uint128(slashedWei);
        $.owedWei[beneficiary] += rewardWei;
        $.treasuryWei += uint128(restWei);
        emit OperatorSlashed(operator, beneficiary, slashedWei, rewardWei, leftWei);
    }

    /// @inheritdoc IOperatorRegistry
    function collect() external nonReentrant {
        OperatorRegistryStorage storage $ = _storage();
        uint256 amountWei = $.owedWei[msg.sender];
        if (amountWei == 0) revert OperatorRegistryNothingOwed(msg.sender);
        $.owedWei[msg.sender] = 0;
        _pay($, msg.sender, amountWei);
    }

    /// @inheritdoc IOperatorRegistry
    function payTreasury(address treasury) external restricted nonReentrant {
        OperatorRegistryStorage storage $ = _storage();
        uint256 amountWei = $.treasuryWei;
        if (amountWei == 0) revert OperatorRegistryNothingOwed(treasury);
        $.treasuryWei = 0;
        _pay($, treasury, amountWei);
    }

    /// @inheritdoc IOperatorRegistry
    function setMinimumBond(uint256 minimumBond) external restricted {
        _setMinimumBond(minimumBond);
    }

    /// @inheritdoc IOperatorRegistry
    function setUnbondingDelay(uint64 unbondingDelay) external restricted {
        _setUnbondingDelay(unbondingDelay);
    }

    /// @inheritdoc IOperatorRegistry
    function bondToken() external view returns (IERC20) {
        return _storage().bondToken;
    }

    /// @inheritdoc IOperatorRegistry
    function minimumBondWei() external view returns (uint256) {
        return _storage().minimumBondWei;
    }

    /// @inheritdoc IOperatorRegistry
    function unbondingDelaySeconds() external view returns (uint64) {
        return _storage().unbondingDelaySeconds;
    }

    /// @inheritdoc IOperatorRegistry
    function totalBondsWei() external view returns (uint256) {
        return _storage().totalBondsWei;
    }

    /// @inheritdoc IOperatorRegistry
    function totalOwedWei() external view returns (uint256) {
        return _storage().totalOwedWei;
    }

    /// @inheritdoc IOperatorRegistry
    function treasuryWei() external view returns (uint256) {
        return _storage().treasuryWei;
    }

    /// @inheritdoc IOperatorRegistry
    function owedWei(address account) external view returns (uint256) {
        return _storage().owedWei[account];
    }

    /// @dev Counts a bond and takes it from the caller.
    function _takeBond(OperatorRegistryStorage storage $, uint256 amountWei) internal {
        $.totalBondsWei += amountWei.toUint128();
        ExactTransfer.pull($.bondToken, msg.sender, amountWei);
    }

    /// @dev 0 for an operator that is not unbonding, or is seated: its delay does not count yet.
    function _withdrawableAt(OperatorRecord storage record) internal view returns (uint64) {
        if (record.state != OperatorState.Unbonding || record.seats != 0) return 0;
        return record.unseatedAt + record.unbondingDelaySeconds;
    }

    function _storage() internal pure returns (OperatorRegistryStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }

    /// @dev Pays what is owed and not counted as owed to anybody any more.
    function _pay(OperatorRegistryStorage storage $, address account, uint256 amountWei) private {
        $.totalOwedWei -= uint128(amountWei);
        $.bondToken.safeTransfer(account, amountWei);
        emit OwedCollected(account, amountWei);
    }

    function _setMinimumBond(uint256 minimumBond) private {
        if (minimumBond == 0 || minimumBond > MAX_MINIMUM_BOND_WEI) {
            revert OperatorRegistryMinimumBondRange(minimumBond, MAX_MINIMUM_BOND_WEI);
        }
        _storage().minimumBondWei = uint128(minimumBond);
        emit MinimumBondSet(minimumBond);
    }

    function _setUnbondingDelay(uint64 unbondingDelay) private {
        if (
            unbondingDelay < MIN_UNBONDING_DELAY_SECONDS ||
            unbondingDelay > MAX_UNBONDING_DELAY_SECONDS
        ) {
            revert OperatorRegistryUnbondingDelayRange(
                unbondingDelay,
                MIN_UNBONDING_DELAY_SECONDS,
                MAX_UNBONDING_DELAY_SECONDS
            );
        }
        _storage().unbondingDelaySeconds = unbondingDelay;
        emit UnbondingDelaySet(unbondingDelay);
    }

    function _inState(
        OperatorRegistryStorage storage $,
        address operator,
        OperatorState state
    ) private view returns (OperatorRecord storage record) {
        record = $.records[operator];
        if (record.state == OperatorState.None) revert OperatorRegistryUnknownOperator(operator);
        if (record.state != state) revert OperatorRegistryWrongState(operator, record.state);
    }
}
