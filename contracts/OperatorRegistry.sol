// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IOperatorRegistry, Operator, OperatorState} from "./interfaces/IOperatorRegistry.sol";
import {OperatorFields} from "./libraries/OperatorFields.sol";
import {Bonds} from "./operators/Bonds.sol";

/// @title OperatorRegistry
/// @notice Who the operators are and where they sit. Their money is in Bonds.
contract OperatorRegistry is Bonds {
    using SafeCast for uint256;

    uint256 public constant MAX_PEER_ID_BYTES = OperatorFields.MAX_PEER_ID_BYTES;
    uint256 public constant MAX_MULTIADDR_BYTES = OperatorFields.MAX_MULTIADDR_BYTES;
    uint256 public constant MAX_ENDPOINT_BYTES = OperatorFields.MAX_ENDPOINT_BYTES;

    /// @dev Nobody is kept away from seats for good without having been slashed.
    uint64 public constant MAX_BENCH_SECONDS = 90 days;

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
        __Bonds_init(token, minimumBond, unbondingDelay);
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
        OperatorRecord storage record = $.records[msg.sender];
        if (record.state != OperatorState.None) {
            revert OperatorRegistryAlreadyRegistered(msg.sender);
        }
        if (bondWei < $.minimumBondWei) {
            revert OperatorRegistryBondTooSmall(bondWei, $.minimumBondWei);
        }
        OperatorFields.validateEndpoints(multiaddr, endpoint);
        _claimSigner($, signer);
        _claimPeerId($, peerId);

        $.operators.push(msg.sender);
        record.signer = signer;
        record.unseatedAt = uint64(block.timestamp);
        record.bondWei = bondWei.toUint128();
        record.state = OperatorState.Bonded;
        record.peerId = peerId;
        record.multiaddr = multiaddr;
        record.endpoint = endpoint;
        _takeBond($, bondWei);
        emit OperatorRegistered(msg.sender, signer, peerId, multiaddr, endpoint, bondWei);
    }

    /// @inheritdoc IOperatorRegistry
    function updateEndpoints(string calldata multiaddr, string calldata endpoint) external {
        OperatorRegistryStorage storage $ = _storage();
        bool isOperator = $.records[msg.sender].state != OperatorState.None;
        address operator = isOperator ? msg.sender : $.operatorOf[msg.sender];
        if (operator == address(0)) revert OperatorRegistryUnknownOperator(msg.sender);
        OperatorRecord storage record = $.records[operator];
        if (record.state == OperatorState.Withdrawn) {
            revert OperatorRegistryWrongState(operator, record.state);
        }
        OperatorFields.validateEndpoints(multiaddr, endpoint);
        record.multiaddr = multiaddr;
        record.endpoint = endpoint;
        emit EndpointsUpdated(operator, multiaddr, endpoint);
    }

    /// @inheritdoc IOperatorRegistry
    function seat(
        address[] calldata seated
    ) external restricted returns (address[] memory signers) {
        OperatorRegistryStorage storage $ = _storage();
        signers = new address[](seated.length);
        for (uint256 i = 0; i < seated.length; ++i) {
            if (!isEligible(seated[i])) revert OperatorRegistryNotEligible(seated[i]);
            OperatorRecord storage record = $.records[seated[i]];
            ++record.seats;
            signers[i] = record.signer;
        }
    }

    /// @inheritdoc IOperatorRegistry
    function unseat(address[] calldata unseated) external restricted {
        OperatorRegistryStorage storage $ = _storage();
        for (uint256 i = 0; i < unseated.length; ++i) {
            OperatorRecord storage record = $.records[unseated[i]];
            uint16 seats = record.seats;
            if (seats == 0) revert OperatorRegistryNotSeated(unseated[i]);
            record.seats = seats - 1;
            if (seats != 1) continue;
            record.unseatedAt = uint64(block.timestamp);
            if (record.state == OperatorState.Unbonding) {
                emit UnbondingDated(unseated[i], _withdrawableAt(record));
            }
        }
    }

    /// @inheritdoc IOperatorRegistry
    function bench(address[] calldata benched, uint64 untilTimestamp) external restricted {
        uint64 maximum = uint64(block.timestamp) + MAX_BENCH_SECONDS;
        if (untilTimestamp > maximum) revert OperatorRegistryBenchTooLong(untilTimestamp, maximum);
        OperatorRegistryStorage storage $ = _storage();
        for (uint256 i = 0; i < benched.length; ++i) {
            OperatorRecord storage record = $.records[benched[i]];
            if (record.state == OperatorState.None) {
                revert OperatorRegistryUnknownOperator(benched[i]);
            }
            if (record.benchedUntil >= untilTimestamp) continue;
            record.benchedUntil = untilTimestamp;
            emit OperatorBenched(benched[i], untilTimestamp);
        }
    }

    /// @inheritdoc IOperatorRegistry
    function operatorOf(address signer) external view returns (address) {
        return _storage().operatorOf[signer];
    }

    /// @inheritdoc IOperatorRegistry
    function getOperator(address operator) external view returns (Operator memory) {
        OperatorRecord storage record = _storage().records[operator];
        return
            Operator({
                signer: record.signer,
                state: record.state,
                removed: record.removed,
                seats: record.seats,
                benchedUntil: record.benchedUntil,
                withdrawableAt: _withdrawableAt(record),
                bondWei: record.bondWei,
                peerId: record.peerId,
                multiaddr: record.multiaddr,
                endpoint: record.endpoint
            });
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
        OperatorRecord storage record = $.records[operator];
        return
            record.state == OperatorState.Bonded &&
            !record.removed &&
            record.bondWei >= $.minimumBondWei &&
            block.timestamp >= record.benchedUntil;
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
}
