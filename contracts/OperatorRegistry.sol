// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Governed} from "./governance/Governed.sol";
import {IOperatorRegistry, Operator, OperatorState} from "./interfaces/IOperatorRegistry.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";
import {OperatorFields} from "./libraries/OperatorFields.sol";

/// @title OperatorRegistry
contract OperatorRegistry is Governed, ReentrancyGuardTransient, IOperatorRegistry {
    using SafeERC20 for IERC20;

    uint256 public constant MAX_PEER_ID_BYTES = OperatorFields.MAX_PEER_ID_BYTES;
    uint256 public constant MAX_MULTIADDR_BYTES = OperatorFields.MAX_MULTIADDR_BYTES;
    uint256 public constant MAX_ENDPOINT_BYTES = OperatorFields.MAX_ENDPOINT_BYTES;

    /// @dev 10^9 tokens of 18 decimals: far from any overflow of the sum of bonds.
    uint256 public constant MAX_MINIMUM_BOND_WEI = 1e27;

    /// @dev Longer than the longest response window: a result is final before its signers' bonds leave.
    uint64 public constant MIN_UNBONDING_DELAY_SECONDS = 1 days;

    /// @dev An operator that leaves is paid within a stated time, whatever governance does.
    uint64 public constant MAX_UNBONDING_DELAY_SECONDS = 90 days;

    /// @custom:storage-location erc7201:keyloom.storage.OperatorRegistry
    struct OperatorRegistryStorage {
        IERC20 bondToken;
        uint64 unbondingDelaySeconds;
        uint256 minimumBondWei;
        uint256 totalBondsWei;
        mapping(address operator => Operator) records;
        mapping(address signer => address operator) operatorOf;
        mapping(bytes32 peerIdHash => bool) peerIdTaken;
        address[] operators;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.OperatorRegistry");

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param token ERC-20 for bonds; one that takes a fee on transfers is refused when it does.
    /// @param minimumBond In the token's smallest unit.
    /// @param unbondingDelay In seconds.
    function initialize(
        address authority,
        IERC20 token,
        uint256 minimumBond,
        uint64 unbondingDelay
    ) external initializer {
        __Governed_init(authority);
        if (address(token).code.length == 0) revert OperatorRegistryInvalidToken(address(token));
        _storage().bondToken = token;
        _setMinimumBond(minimumBond);
        _setUnbondingDelay(unbondingDelay);
    }

    /// @inheritdoc IOperatorRegistry
    function register(
        address signer,
        bytes calldata peerId,
        string calldata multiaddr,
        string calldata endpoint,
        uint256 bondWei
    ) external nonReentrant {
        OperatorRegistryStorage storage $ = _storage();
        if ($.records[msg.sender].state != OperatorState.None) {
            revert OperatorRegistryAlreadyRegistered(msg.sender);
        }
        if (bondWei < $.minimumBondWei) {
            revert OperatorRegistryBondTooSmall(bondWei, $.minimumBondWei);
        }
        OperatorFields.validateEndpoints(multiaddr, endpoint);
        _claimSigner($, signer);
        _claimPeerId($, peerId);

        $.operators.push(msg.sender);
        $.records[msg.sender] = Operator({
            signer: signer,
            state: OperatorState.Bonded,
            seats: 0,
            withdrawableAt: 0,
            bondWei: bondWei,
            peerId: peerId,
            multiaddr: multiaddr,
            endpoint: endpoint
        });
        $.totalBondsWei += bondWei;
        ExactTransfer.pull($.bondToken, msg.sender, bondWei);
        emit OperatorRegistered(msg.sender, signer, peerId, multiaddr, endpoint, bondWei);
    }

    /// @inheritdoc IOperatorRegistry
    function topUp(uint256 amountWei) external nonReentrant {
        OperatorRegistryStorage storage $ = _storage();
        Operator storage record = _inState($, msg.sender, OperatorState.Bonded);
        if (amountWei == 0) revert OperatorRegistryZeroAmount();
        record.bondWei += amountWei;
        $.totalBondsWei += amountWei;
        ExactTransfer.pull($.bondToken, msg.sender, amountWei);
        emit BondToppedUp(msg.sender, amountWei, record.bondWei);
    }

    /// @inheritdoc IOperatorRegistry
    function updateEndpoints(string calldata multiaddr, string calldata endpoint) external {
        OperatorRegistryStorage storage $ = _storage();
        bool isOperator = $.records[msg.sender].state != OperatorState.None;
        address operator = isOperator ? msg.sender : $.operatorOf[msg.sender];
        if (operator == address(0)) revert OperatorRegistryUnknownOperator(msg.sender);
        Operator storage record = $.records[operator];
        if (record.state == OperatorState.Withdrawn) {
            revert OperatorRegistryWrongState(operator, record.state);
        }
        OperatorFields.validateEndpoints(multiaddr, endpoint);
        record.multiaddr = multiaddr;
        record.endpoint = endpoint;
        emit EndpointsUpdated(operator, multiaddr, endpoint);
    }

    /// @inheritdoc IOperatorRegistry
    function beginUnbonding() external {
        OperatorRegistryStorage storage $ = _storage();
        Operator storage record = _inState($, msg.sender, OperatorState.Bonded);
        if (record.seats != 0) revert OperatorRegistryStillSeated(msg.sender, record.seats);
        uint64 withdrawableAt = uint64(block.timestamp) + $.unbondingDelaySeconds;
        record.state = OperatorState.Unbonding;
        record.withdrawableAt = withdrawableAt;
        emit UnbondingBegun(msg.sender, withdrawableAt);
    }

    /// @inheritdoc IOperatorRegistry
    function withdraw() external nonReentrant {
        OperatorRegistryStorage storage $ = _storage();
        Operator storage record = _inState($, msg.sender, OperatorState.Unbonding);
        if (block.timestamp < record.withdrawableAt) {
            revert OperatorRegistryStillUnbonding(msg.sender, record.withdrawableAt);
        }
        uint256 amountWei = record.bondWei;
        record.state = OperatorState.Withdrawn;
        record.withdrawableAt = 0;
        record.bondWei = 0;
        $.totalBondsWei -= amountWei;
        $.bondToken.safeTransfer(msg.sender, amountWei);
        emit BondWithdrawn(msg.sender, amountWei);
    }

    /// @inheritdoc IOperatorRegistry
    function seat(
        address[] calldata seated
    ) external restricted returns (address[] memory signers) {
        OperatorRegistryStorage storage $ = _storage();
        signers = new address[](seated.length);
        for (uint256 i = 0; i < seated.length; ++i) {
            if (!isEligible(seated[i])) revert OperatorRegistryNotEligible(seated[i]);
            Operator storage record = $.records[seated[i]];
            ++record.seats;
            signers[i] = record.signer;
        }
    }

    /// @inheritdoc IOperatorRegistry
    function unseat(address[] calldata unseated) external restricted {
        OperatorRegistryStorage storage $ = _storage();
        for (uint256 i = 0; i < unseated.length; ++i) {
            Operator storage record = $.records[unseated[i]];
            if (record.seats == 0) revert OperatorRegistryNotSeated(unseated[i]);
            --record.seats;
        }
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
    function operatorOf(address signer) external view returns (address) {
        return _storage().operatorOf[signer];
    }

    /// @inheritdoc IOperatorRegistry
    function getOperator(address operator) external view returns (Operator memory) {
        return _storage().records[operator];
    }

    /// @inheritdoc IOperatorRegistry
    function operatorCount() external view returns (uint256) {
        return _storage().operators.length;
    }

    /// @inheritdoc IOperatorRegistry
    function operators(
        uint256 offset,
        uint256 limit
    ) external view returns (address[] memory page) {
        address[] storage all = _storage().operators;
        uint256 available = offset < all.length ? all.length - offset : 0;
        page = new address[](limit < available ? limit : available);
        for (uint256 i = 0; i < page.length; ++i) page[i] = all[offset + i];
    }

    /// @inheritdoc IOperatorRegistry
    function isEligible(address operator) public view returns (bool) {
        OperatorRegistryStorage storage $ = _storage();
        Operator storage record = $.records[operator];
        return record.state == OperatorState.Bonded && record.bondWei >= $.minimumBondWei;
    }

    function _claimSigner(OperatorRegistryStorage storage $, address signer) private {
        if (signer == address(0)) revert OperatorRegistryZeroSigner();
        if ($.operatorOf[signer] != address(0)) {
            revert OperatorRegistrySignerTaken(signer, $.operatorOf[signer]);
        }
        $.operatorOf[signer] = msg.sender;
    }

    function _claimPeerId(OperatorRegistryStorage storage $, bytes calldata peerId) private {
        OperatorFields.validatePeerId(peerId);
        bytes32 peerIdHash = keccak256(peerId);
        if ($.peerIdTaken[peerIdHash]) revert OperatorRegistryPeerIdTaken(peerId);
        $.peerIdTaken[peerIdHash] = true;
    }

    function _setMinimumBond(uint256 minimumBond) private {
        if (minimumBond == 0 || minimumBond > MAX_MINIMUM_BOND_WEI) {
            revert OperatorRegistryMinimumBondRange(minimumBond, MAX_MINIMUM_BOND_WEI);
        }
        _storage().minimumBondWei = minimumBond;
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
    ) private view returns (Operator storage record) {
        record = $.records[operator];
        if (record.state == OperatorState.None) revert OperatorRegistryUnknownOperator(operator);
        if (record.state != state) revert OperatorRegistryWrongState(operator, record.state);
    }

    function _storage() private pure returns (OperatorRegistryStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
