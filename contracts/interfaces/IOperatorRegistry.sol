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
/// @param removed Whether it has been slashed: it never takes a seat again.
/// @param seats Number of live epochs (proposed, frozen or active) the operator sits in.
/// @param benchedUntil Timestamp in seconds before which it takes no new seat; 0 if it never was benched.
/// @param withdrawableAt Timestamp in seconds from which an unbonding operator without a seat may
/// withdraw, else 0.
/// @param bondWei Bond held by the registry, in the token's smallest unit.
/// @param peerId libp2p peer id as multihash bytes.
/// @param multiaddr Where peers dial the operator.
/// @param endpoint Base URL of the operator's public HTTP interface; may be empty.
struct Operator {
    address signer;
    OperatorState state;
    bool removed;
    uint16 seats;
    uint64 benchedUntil;
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
    /// @param withdrawableAt 0 if the operator is seated: the date follows when its last seat is released.
    event UnbondingBegun(address indexed operator, uint64 withdrawableAt);
    /// @notice The last seat of an unbonding operator was released.
    event UnbondingDated(address indexed operator, uint64 withdrawableAt);
    event BondWithdrawn(address indexed operator, uint256 amountWei);
    /// @param bondWei What is left of the bond.
    event OperatorSlashed(
        address indexed operator,
        address indexed beneficiary,
        uint256 slashedWei,
        uint256 rewardWei,
        uint256 bondWei
    );
    event OperatorBenched(address indexed operator, uint64 benchedUntil);
    event OwedCollected(address indexed account, uint256 amountWei);
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
    /// @notice The operator sits in live epochs: its unbonding has not begun to count.
    error OperatorRegistryStillSeated(address operator, uint16 seats);
    /// @notice The operator does not sit in any epoch.
    error OperatorRegistryNotSeated(address operator);
    /// @notice The bond can be withdrawn from `withdrawableAt` (seconds) on.
    error OperatorRegistryStillUnbonding(address operator, uint64 withdrawableAt);
    /// @notice The operator may not take a seat: not bonded, bonded with too little, benched or removed.
    error OperatorRegistryNotEligible(address operator);
    /// @notice The operator has been slashed and cannot add to its bond.
    error OperatorRegistryRemoved(address operator);
    /// @notice The operator has no bond: it never registered, has withdrawn, or has lost all of it.
    error OperatorRegistryNothingToSlash(address operator);
    /// @notice Nothing is owed to the account.
    error OperatorRegistryNothingOwed(address account);
    /// @notice An operator cannot be benched for longer than until `maximum` (seconds).
    error OperatorRegistryBenchTooLong(uint64 untilTimestamp, uint64 maximum);
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

    /// @notice Adds to the bond of the calling operator, which must be bonded and not removed.
    /// @param amountWei Amount in the token's smallest unit; not zero.
    function topUp(uint256 amountWei) external;

    /// @notice Replaces the addresses of the calling operator, or of the operator whose signer calls.
    /// @dev An account that is both an operator and another operator's signer acts as operator.
    function updateEndpoints(string calldata multiaddr, string calldata endpoint) external;

    /// @notice Starts the unbonding of the calling operator. It takes no new seat and stays slashable.
    /// @dev The delay counts from when its last seat was released, or will be; from registration if it
    /// never had one. So the date may have passed. The delay is the one in force now: a later change
    /// does not move the date.
    function beginUnbonding() external;

    /// @notice Pays what is left of the bond to the calling operator once its unbonding is over.
    function withdraw() external;

    /// @notice Takes a part of an operator's bond and removes the operator. Only for the slashing manager.
    /// @dev Reverts without a bond: there is nothing left to punish or to reward. Bonded and unbonding
    /// operators alike. Parts round down; what the reward does not take is the treasury's.
    /// @param slashWad Part of the bond, in 1e-18; at most 1e18.
    /// @param beneficiary Who is owed the reward.
    /// @param rewardWad Part of what is taken that is the reward, in 1e-18; at most 1e18.
    /// @return leftWei What is left of the bond. It never grows again.
    function slash(
        address operator,
        uint256 slashWad,
        address beneficiary,
        uint256 rewardWad
    ) external returns (uint256 leftWei);

    /// @notice Pays the caller what it is owed.
    function collect() external;

    /// @notice Pays out what was slashed beyond rewards. Only for the slashing manager.
    function payTreasury(address treasury) external;

    /// @notice Makes operators ineligible for seats until a time. Only for the epoch manager.
    /// @dev Never shortens an earlier one. Seats that an operator has are not touched.
    /// @param untilTimestamp In seconds; at most MAX_BENCH_SECONDS from now.
    function bench(address[] calldata benched, uint64 untilTimestamp) external;

    /// @notice Gives each operator one more seat. Only for the epoch manager.
    /// @param seated Operators, each of which must be eligible.
    /// @return signers Their signers, in the same order.
    function seat(address[] calldata seated) external returns (address[] memory signers);

    /// @notice Takes one seat from each operator. Only for the epoch manager.
    /// @dev The delay of an unbonding operator counts from its last seat.
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

    /// @notice Seconds from an operator's last seat to withdraw, for unbondings that begin now.
    function unbondingDelaySeconds() external view returns (uint64);

    /// @notice Sum of all bonds held.
    /// @dev This and totalOwedWei together are the registry's balance of the token, but for what somebody
    /// has sent it unasked.
    function totalBondsWei() external view returns (uint256);

    /// @notice Sum of all that is owed and not yet collected, the treasury's part included.
    function totalOwedWei() external view returns (uint256);

    /// @notice What was slashed beyond rewards and not yet paid out.
    function treasuryWei() external view returns (uint256);

    /// @notice What an account can collect.
    function owedWei(address account) external view returns (uint256);

    /// @notice The operator a signer belongs or belonged to; zero if none.
    function operatorOf(address signer) external view returns (address);

    /// @notice The record of an operator; state None if the account never registered.
    function getOperator(address operator) external view returns (Operator memory);

    /// @notice Whether the operator may take a seat: bonded with at least the minimum, neither removed nor
    /// benched.
    function isEligible(address operator) external view returns (bool);

    /// @notice Number of operators ever registered.
    function operatorCount() external view returns (uint256);

    /// @notice Operators in order of registration, from `offset`, at most `limit` of them.
    function operators(uint256 offset, uint256 limit) external view returns (address[] memory);
}
