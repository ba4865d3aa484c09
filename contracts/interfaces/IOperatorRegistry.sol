// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice Life of an operator. It moves to the right only; a withdrawn operator never returns.
enum OperatorState {
    None,
    Bonded,
    Unbonding,
    Withdrawn
}

/// @notice A registered operator.
/// @param signer Hot key of the operator's process: signs shares and results, sends transactions.
/// @param state Where the operator is in its life.
/// @param seats Number of live epochs (proposed, frozen or active) the operator sits in.
/// @param withdrawableAt Timestamp in seconds from which an unbonding operator may withdraw, else 0.
/// @param bondWei Bond held by the registry, in the token's smallest unit.
/// @param peerId libp2p peer id as multihash bytes.
/// @param multiaddr Where peers dial the operator.
/// @param endpoint Base URL of the operator's public HTTP interface; may be empty.
struct Operator {
    address signer;
    OperatorState state;
    uint16 seats;
    uint64 withdrawableAt;
    uint256 bondWei;
    bytes peerId;
    string multiaddr;
    string endpoint;
}

/// @title Operators, their keys, addresses and bonds
/// @notice An operator is the account that registers: it owns the bond. The signer only works for it.
interface IOperatorRegistry {
    event OperatorRegistered(
        address indexed operator,
        address indexed signer,
        bytes peerId,
        string multiaddr,
        string endpoint,
        uint256 bondWei
    );
    event EndpointsUpdated(address indexed operator, string multiaddr, string endpoint);
    event BondToppedUp(address indexed operator, uint256 amountWei, uint256 bondWei);
    event UnbondingBegun(address indexed operator, uint64 withdrawableAt);
    event BondWithdrawn(address indexed operator, uint256 amountWei);
    event MinimumBondSet(uint256 minimumBondWei);
    event UnbondingDelaySet(uint64 unbondingDelaySeconds);

    /// @notice The account has been an operator before, or still is.
    error OperatorRegistryAlreadyRegistered(address operator);
    /// @notice The signer address is zero.
    error OperatorRegistryZeroSigner();
    /// @notice The signer belongs, or belonged, to another operator.
    error OperatorRegistrySignerTaken(address signer, address operator);
    /// @notice The peer id belongs, or belonged, to another operator.
    error OperatorRegistryPeerIdTaken(bytes peerId);
    /// @notice The peer id is empty or longer than `maximum` bytes.
    error OperatorRegistryPeerIdLength(uint256 length, uint256 maximum);
    /// @notice The multiaddr is empty or longer than `maximum` bytes.
    error OperatorRegistryMultiaddrLength(uint256 length, uint256 maximum);
    /// @notice The endpoint is longer than `maximum` bytes.
    error OperatorRegistryEndpointLength(uint256 length, uint256 maximum);
    /// @notice The bond would be below the minimum.
    error OperatorRegistryBondTooSmall(uint256 bondWei, uint256 minimumBondWei);
    /// @notice A top-up of nothing.
    error OperatorRegistryZeroAmount();
    /// @notice The token moved another amount than asked for: fee-on-transfer tokens are refused.
    error OperatorRegistryTransferMismatch(uint256 receivedWei, uint256 expectedWei);
    /// @notice The account is neither an operator nor the signer of one.
    error OperatorRegistryUnknownOperator(address account);
    /// @notice The operator is not in the state that the call needs.
    error OperatorRegistryWrongState(address operator, OperatorState state);
    /// @notice The operator sits in live epochs and cannot leave.
    error OperatorRegistryStillSeated(address operator, uint16 seats);
    /// @notice The operator does not sit in any epoch.
    error OperatorRegistryNotSeated(address operator);
    /// @notice The bond can be withdrawn from `withdrawableAt` (seconds) on.
    error OperatorRegistryStillUnbonding(address operator, uint64 withdrawableAt);
    /// @notice The operator may not take a seat: not bonded, or bonded with too little.
    error OperatorRegistryNotEligible(address operator);
    /// @notice The minimum bond is outside [1, `maximum`].
    error OperatorRegistryMinimumBondRange(uint256 minimumBondWei, uint256 maximum);
    /// @notice The unbonding delay is outside [`minimum`, `maximum`] seconds.
    error OperatorRegistryUnbondingDelayRange(uint64 delaySeconds, uint64 minimum, uint64 maximum);
    /// @notice The bond token is not a contract.
    error OperatorRegistryInvalidToken(address token);

    /// @notice Registers the caller as operator and takes its bond.
    /// @dev Signer and peer id are unique over all operators ever registered, so a signature or a
    /// connection names one operator for good. The caller must have approved `bondWei`.
    /// @param signer Hot key of the operator's process; not zero.
    /// @param peerId libp2p peer id as multihash bytes; 1 to MAX_PEER_ID_BYTES.
    /// @param multiaddr Where peers dial the operator; 1 to MAX_MULTIADDR_BYTES.
    /// @param endpoint Base URL of its public HTTP interface; 0 to MAX_ENDPOINT_BYTES.
    /// @param bondWei Bond in the token's smallest unit; at least the minimum bond.
    function register(
        address signer,
        bytes calldata peerId,
        string calldata multiaddr,
        string calldata endpoint,
        uint256 bondWei
    ) external;

    /// @notice Adds to the bond of the calling operator, which must be bonded.
    /// @param amountWei Amount in the token's smallest unit; not zero.
    function topUp(uint256 amountWei) external;

    /// @notice Replaces the addresses of the calling operator, or of the operator whose signer calls.
    /// @dev An account that is both an operator and another operator's signer acts as operator.
    function updateEndpoints(string calldata multiaddr, string calldata endpoint) external;

    /// @notice Starts the unbonding of the calling operator, which must not be seated.
    /// @dev The date is fixed here: a later change of the delay does not move it.
    function beginUnbonding() external;

    /// @notice Pays the bond back to the calling operator once its unbonding is over.
    function withdraw() external;

    /// @notice Gives each operator one more seat. Only for the epoch manager.
    /// @param seated Operators, each of which must be eligible.
    /// @return signers Their signers, in the same order.
    function seat(address[] calldata seated) external returns (address[] memory signers);

    /// @notice Takes one seat from each operator. Only for the epoch manager.
    function unseat(address[] calldata unseated) external;

    /// @notice Sets the minimum bond for registrations and seats from now on. Governance.
    /// @param minimumBondWei In the token's smallest unit; 1 to MAX_MINIMUM_BOND_WEI.
    function setMinimumBond(uint256 minimumBondWei) external;

    /// @notice Sets the delay of unbondings that begin from now on. Governance.
    /// @param unbondingDelaySeconds MIN_ to MAX_UNBONDING_DELAY_SECONDS.
    function setUnbondingDelay(uint64 unbondingDelaySeconds) external;

    /// @notice ERC-20 in which bonds are held.
    function bondToken() external view returns (IERC20);

    /// @notice Smallest bond with which an operator may register or take a seat.
    function minimumBondWei() external view returns (uint256);

    /// @notice Seconds from beginUnbonding to withdraw.
    function unbondingDelaySeconds() external view returns (uint64);

    /// @notice Sum of all bonds held.
    function totalBondsWei() external view returns (uint256);

    /// @notice The operator a signer belongs or belonged to; zero if none.
    function operatorOf(address signer) external view returns (address);

    /// @notice The record of an operator; state None if the account never registered.
    function getOperator(address operator) external view returns (Operator memory);

    /// @notice Whether the operator may take a seat: bonded with at least the minimum.
    function isEligible(address operator) external view returns (bool);

    /// @notice Number of operators ever registered.
    function operatorCount() external view returns (uint256);

    /// @notice Operators in order of registration, from `offset`, at most `limit` of them.
    function operators(uint256 offset, uint256 limit) external view returns (address[] memory);
}
