// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PowersState} from "../ceremony/PowersStates.sol";
import {UpdateProof} from "../ceremony/UpdateProofs.sol";
import {IRequests} from "./IRequests.sol";
import {ISlashingManager} from "./ISlashingManager.sol";

/// @notice Life of a ceremony. Contributing while slots run, Closing while a wrong contribution may still be
/// shown before anything is built on the chain, Beacon while that of the beacon is awaited, Final while
/// only {finish} is missing. A recorded ceremony with a wrong contribution is Revoked.
enum CeremonyPhase {
    None,
    Contributing,
    Closing,
    Beacon,
    Final,
    Recorded,
    Revoked,
    Expired
}

/// @notice Everything about a ceremony.
/// @param power The result has 2^power powers in G2.
/// @param slotSeconds Length of a slot.
/// @param beaconIterationsExp The beacon is hashed 2^beaconIterationsExp times; 0 if there is no beacon.
/// @param size Members of the committee.
/// @param deadline Timestamp in seconds: of the result, and once there is one, of attestations.
/// @param completeAt Timestamp at which the last slot ended; 0 while slots run.
/// @param closesAt Timestamp at which the challenge window ends; 0 while slots run.
/// @param contributed Members with a contribution; bit i-1 for index i.
/// @param excluded Members whose contribution was proven wrong.
/// @param cursor Committee index after which members are waited for.
/// @param cursorAt Timestamp from which slots count.
/// @param beaconBlock Block whose hash is the beacon; 0 while none is fixed.
/// @param beacon That hash; 0 while it is not drawn.
/// @param stateHash Of the last contribution; 0 if there is none.
struct Ceremony {
    CeremonyPhase phase;
    bytes32 epochId;
    uint8 power;
    uint16 slotSeconds;
    uint8 beaconIterationsExp;
    uint8 size;
    uint64 deadline;
    uint64 completeAt;
    uint64 closesAt;
    uint16 contributed;
    uint16 excluded;
    uint8 cursor;
    uint64 cursorAt;
    uint64 beaconBlock;
    bytes32 beacon;
    bytes32 stateHash;
}

/// @notice A contribution of the chain.
/// @param index Committee index; 0 is the beacon.
struct Contribution {
    uint8 index;
    bytes32 stateHash;
}

/// @title Ceremonies in which committees make powers of tau
/// @notice Members contribute one after the other, each in its slot; a contribution is recorded with the
/// signatures of a quorum that holds all of its bytes and has checked them. The result of the request is
/// the hash of the last state.
interface ICrsManager is IRequests {
    event CrsRequested(
        bytes32 indexed ceremonyId,
        bytes32 indexed epochId,
        uint8 power,
        uint16 slotSeconds,
        uint8 beaconIterationsExp,
        address requester,
        uint64 deadline,
        bytes32 salt
    );
    /// @param position In the chain, from 0.
    /// @param index Committee index of the contributor; 0 is the beacon.
    /// @param previous Hash of the state before; 0 at position 0.
    event ContributionRecorded(
        bytes32 indexed ceremonyId,
        uint8 position,
        uint8 index,
        bytes32 previous,
        PowersState next,
        uint256 signerBitmap
    );
    event BeaconFixed(bytes32 indexed ceremonyId, uint64 beaconBlock);
    event BeaconDrawn(bytes32 indexed ceremonyId, bytes32 beacon);
    event CrsRecorded(bytes32 indexed ceremonyId, bytes32 stateHash, uint256 signerBitmap);
    /// @notice The contributions from this position on are gone, and its contributor is excluded. Slots count
    /// anew from now, after that contributor; behind a contribution of the beacon they do not.
    event ContributionRolledBack(
        bytes32 indexed ceremonyId,
        uint8 position,
        uint8 index,
        bytes32 stateHash
    );
    event CrsRevoked(bytes32 indexed ceremonyId, uint8 position, bytes32 stateHash);

    /// @notice The power is outside [`minimum`, `maximum`], or that of the state is not the ceremony's.
    error CrsManagerPower(uint8 power, uint8 minimum, uint8 maximum);
    /// @notice The slot in seconds is outside [`minimum`, `maximum`].
    error CrsManagerSlotSeconds(uint16 slotSeconds, uint16 minimum, uint16 maximum);
    /// @notice The exponent is not 0 and outside [`minimum`, `maximum`].
    error CrsManagerBeaconIterations(uint8 beaconIterationsExp, uint8 minimum, uint8 maximum);
    /// @notice The response window is too short for slots of this length.
    error CrsManagerWindow(uint256 requiredSeconds, uint256 windowSeconds);
    /// @notice There is, or was, a ceremony of this id: another salt makes another one.
    error CrsManagerExists(bytes32 ceremonyId);
    /// @notice The ceremony is not in the phase that the call needs.
    error CrsManagerPhase(bytes32 ceremonyId, CeremonyPhase phase);
    /// @notice It is the turn of the member with index `expected`, not of `index`.
    error CrsManagerTurn(uint8 index, uint8 expected);
    /// @notice The beacon has not been drawn, or has been.
    error CrsManagerBeaconDrawn(bytes32 ceremonyId, bytes32 beacon);
    /// @notice The hash of this block is not to be had now, or still is and another must not be fixed.
    error CrsManagerBeaconBlock(uint256 beaconBlock, uint256 blockNumber);
    /// @notice The previous state is not the last one of the chain.
    error CrsManagerPrevious(bytes32 given, bytes32 expected);
    /// @notice The state has been proven wrong.
    error CrsManagerStateWrong(bytes32 stateHash);
    /// @notice The state has not been proven wrong.
    error CrsManagerStateNotWrong(bytes32 stateHash);
    /// @notice A point is not canonical, not on its curve, or infinity: 1 to 5 are tauG1, alphaG1, betaG1, tauG2
    /// and betaG2.
    error CrsManagerPoint(uint256 number);
    /// @notice A factor is 1, or the product of all factors is; numbers as in CrsManagerPoint.
    error CrsManagerUnchanged(uint256 number);
    /// @notice The proof of knowledge does not hold.
    error CrsManagerProof();
    /// @notice The points of G2 do not fit to those of G1, or are not in G2.
    error CrsManagerPairing();
    /// @notice There is no contribution at this position.
    error CrsManagerPosition(uint256 position, uint256 count);

    /// @notice Requests powers of tau of an active epoch's committee. Anybody; not while paused.
    /// @dev ceremonyId = H(chain id, this, epoch, power, slotSeconds, beaconIterationsExp, caller, salt). Unlike
    /// other requests one that expired is not made again: its result would be another one, and whoever had
    /// signed the first would be guilty of a wrong result.
    /// @param power MIN_POWER to MAX_POWER.
    /// @param slotSeconds MIN_ to MAX_SLOT_SECONDS; 2n+4 slots fit into the response window.
    /// @param beaconIterationsExp 0 for no beacon, else MIN_ to MAX_BEACON_ITERATIONS_EXP.
    /// @param salt Tells ceremonies of one requester apart.
    function requestCrs(
        bytes32 epochId,
        uint8 power,
        uint16 slotSeconds,
        uint8 beaconIterationsExp,
        bytes32 salt
    ) external returns (bytes32 ceremonyId);

    /// @notice Records the contribution of the member whose slot it is, or of the beacon. Anybody, even while
    /// paused.
    /// @param index Committee index of the contributor; 0 for the beacon.
    /// @param previous The last state of the chain; before the first contribution generators and zeros.
    /// @param next The state that it becomes.
    /// @param proof That the contributor knows what it has multiplied by.
    /// @param signerBitmap Exactly a quorum of the ceremony's epoch.
    /// @param signatures Theirs of Contribution(epochId, ceremonyId, previous, next), in the domain of the
    /// EpochManager, in ascending order of index. The hash of the previous state is 0 at position 0.
    function contribute(
        bytes32 ceremonyId,
        uint8 index,
        PowersState calldata previous,
        PowersState calldata next,
        UpdateProof calldata proof,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external;

    /// @notice Says which block's hash will be the beacon: BEACON_DELAY_BLOCKS after this one. Anybody, once
    /// the challenge window is over. Again only if the hash was not drawn while it was to be had.
    /// @dev Whoever makes that block can choose among hashes. The beacon is there on top of t+1 contributions,
    /// never instead.
    function fixBeacon(bytes32 ceremonyId) external;

    /// @notice Keeps the hash of the fixed block as the beacon. Anybody, within 256 blocks.
    function drawBeacon(bytes32 ceremonyId) external;

    /// @notice Records the result: the hash of the last state. Anybody, once the challenge window is over, or
    /// the contribution of the beacon is there.
    /// @param signatures Of Result(epochId, ceremonyId, state hash as 32 bytes), in ascending order of index.
    function finish(bytes32 ceremonyId, uint256 signerBitmap, bytes calldata signatures) external;

    /// @notice Takes away a contribution whose state has been proven wrong, and those behind it; its
    /// contributor is excluded. A recorded ceremony is revoked instead. Anybody.
    /// @param position In the chain, from 0.
    function rollBack(bytes32 ceremonyId, uint256 position) external;

    /// @notice The ceremony of this id; phase None if there is none.
    function ceremony(bytes32 ceremonyId) external view returns (Ceremony memory);

    /// @notice The chain of contributions.
    function contributions(bytes32 ceremonyId) external view returns (Contribution[] memory);

    /// @notice Committee index of the member whose slot it is, and the timestamp at which it ends; zeros if
    /// no slot runs.
    function slotOf(bytes32 ceremonyId) external view returns (uint8 index, uint64 until);

    /// @notice Whether the ceremony is recorded and not revoked.
    function isUsable(bytes32 ceremonyId) external view returns (bool);

    /// @notice Where wrong contributions are proven.
    function slashingManager() external view returns (ISlashingManager);
}
