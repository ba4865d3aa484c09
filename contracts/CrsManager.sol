// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PowersState, PowersStates} from "./ceremony/PowersStates.sol";
import {CeremonyHeader, Slots} from "./ceremony/Slots.sol";
import {Step, UpdateProof, UpdateProofs} from "./ceremony/UpdateProofs.sol";
import {Ceremony, CeremonyPhase, Contribution, ICrsManager} from "./interfaces/ICrsManager.sol";
import {IRecordedResults} from "./interfaces/IRecordedResults.sol";
import {RequestState} from "./interfaces/IRequests.sol";
import {ISlashingManager} from "./interfaces/ISlashingManager.sol";
import {Operations} from "./libraries/Operations.sol";
import {Requests} from "./requests/Requests.sol";

/// @title CrsManager
/// @notice Chains of contributions. What one must be is checked in contracts/ceremony/.
contract CrsManager is Requests, ICrsManager {
    using Slots for CeremonyHeader;

    uint8 public constant MIN_POWER = PowersStates.MIN_POWER;
    uint8 public constant MAX_POWER = PowersStates.MAX_POWER;
    uint16 public constant MIN_SLOT_SECONDS = 10;
    uint16 public constant MAX_SLOT_SECONDS = 1 hours;
    uint8 public constant MIN_BEACON_ITERATIONS_EXP = 10;
    uint8 public constant MAX_BEACON_ITERATIONS_EXP = 24;
    uint256 public constant BEACON_DELAY_BLOCKS = 2;

    /// @dev So many blocks back a hash can be read.
    uint256 private constant BLOCKHASH_WINDOW = 256;

    struct CeremonyRecord {
        CeremonyHeader header;
        bytes32 beacon;
        mapping(uint256 position => bytes32) stateHashes;
    }

    /// @custom:storage-location erc7201:keyloom.storage.CrsManager
    struct CrsManagerStorage {
        mapping(bytes32 ceremonyId => CeremonyRecord) ceremonies;
    }

    uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.CrsManager");

    ISlashingManager private immutable SLASHING_MANAGER;

    /// @param slashing Where wrong contributions are proven; committees and fees are read from it.
    constructor(ISlashingManager slashing) Requests(slashing.keyManager().feeVault()) {
        SLASHING_MANAGER = slashing;
    }

    /// @notice Sets up the proxy.
    /// @param authority AccessManager of the deployment.
    /// @param responseWindow In seconds.
    /// @param attestationWindow In seconds.
    function initialize(
        address authority,
        uint64 responseWindow,
        uint64 attestationWindow
    ) external initializer {
        __Requests_init(authority, responseWindow, attestationWindow);
    }

    /// @inheritdoc ICrsManager
    function requestCrs(
        bytes32 epochId,
        uint8 power,
        uint16 slotSeconds,
        uint8 beaconIterationsExp,
        bytes32 salt
    ) external whenNotPaused returns (bytes32 ceremonyId) {
        (uint256 size, uint16 epochNumber) = epochManager().activeCommittee(epochId);
        _validate(power, slotSeconds, beaconIterationsExp, size);
        ceremonyId = _idOf(epochId, power, slotSeconds, beaconIterationsExp, salt);
        (CeremonyRecord storage record, CeremonyHeader memory header) = _load(ceremonyId);
        if (header.size != 0) revert CrsManagerExists(ceremonyId);
        uint64 deadline = _open(ceremonyId, epochNumber, Operations.CRS, 1 << power);
        _save(
            record,
            CeremonyHeader({
                epochNumber: epochNumber,
                size: uint8(size),
                power: power,
                slotSeconds: slotSeconds,
                beaconIterationsExp: beaconIterationsExp,
                cursor: uint8(((uint256(ceremonyId) % size) + size - 1) % size),
                cursorAt: uint32(block.timestamp),
                count: 0,
                contributed: 0,
                excluded: 0,
                revoked: false,
                beaconBlock: 0,
                order: 0
            })
        );
        emit CrsRequested(
            ceremonyId,
            epochId,
            power,
            slotSeconds,
            beaconIterationsExp,
            msg.sender,
            deadline,
            salt
        );
    }

    /// @inheritdoc ICrsManager
    function contribute(
        bytes32 ceremonyId,
        uint8 index,
        PowersState memory previous,
        PowersState memory next,
        UpdateProof calldata proof,
        uint256 signerBitmap,
        bytes calldata signatures
    ) external {
        (CeremonyRecord storage record, CeremonyHeader memory header) = _load(ceremonyId);
        _requireTurn(ceremonyId, record, header, index);
        Step memory step = Step({
            ceremonyId: ceremonyId,
            index: index,
            previousHash: _lastState(record, header),
            nextHash: PowersStates.hash(next)
        });
        _requireStep(step, header, previous, next, proof);
        epochManager().verifyContribution(
            header.epochNumber,
            ceremonyId,
            step.previousHash,
            step.nextHash,
            signerBitmap,
            signatures
        );
        emit ContributionRecorded(
            ceremonyId,
            header.count,
            index,
            step.previousHash,
            next,
            signerBitmap
        );
        record.stateHashes[header.count] = step.nextHash;
        header.append(index, block.timestamp);
        _save(record, header);
    }

    /// @inheritdoc ICrsManager
    function fixBeacon(bytes32 ceremonyId) external {
        (CeremonyRecord storage record, CeremonyHeader memory header) = _undrawn(ceremonyId);
        uint256 beaconBlock = header.beaconBlock;
        if (beaconBlock != 0 && block.number <= beaconBlock + BLOCKHASH_WINDOW) {
            revert CrsManagerBeaconBlock(beaconBlock, block.number);
        }
        beaconBlock = block.number + BEACON_DELAY_BLOCKS;
        header.beaconBlock = uint40(beaconBlock);
        _save(record, header);
        emit BeaconFixed(ceremonyId, uint64(beaconBlock));
    }

    /// @inheritdoc ICrsManager
    function drawBeacon(bytes32 ceremonyId) external {
        (CeremonyRecord storage record, CeremonyHeader memory header) = _undrawn(ceremonyId);
        uint256 beaconBlock = header.beaconBlock;
        // Zero for a block that is to come or too far back.
        bytes32 beacon = beaconBlock == 0 ? bytes32(0) : blockhash(beaconBlock);
        if (beacon == 0) revert CrsManagerBeaconBlock(beaconBlock, block.number);
        record.beacon = beacon;
        emit BeaconDrawn(ceremonyId, beacon);
    }

    /// @inheritdoc ICrsManager
    function finish(bytes32 ceremonyId, uint256 signerBitmap, bytes calldata signatures) external {
        (CeremonyRecord storage record, CeremonyHeader memory header) = _inPhase(
            ceremonyId,
            CeremonyPhase.Final
        );
        bytes32 stateHash = _lastState(record, header);
        _answer(ceremonyId, keccak256(abi.encode(stateHash)), signerBitmap, signatures);
        emit CrsRecorded(ceremonyId, stateHash, signerBitmap);
    }

    /// @inheritdoc ICrsManager
    function rollBack(bytes32 ceremonyId, uint256 position) external {
        (CeremonyRecord storage record, CeremonyHeader memory header) = _load(ceremonyId);
        CeremonyPhase phase = _phase(ceremonyId, header);
        if (
            phase == CeremonyPhase.None ||
            phase == CeremonyPhase.Revoked ||
            phase == CeremonyPhase.Expired
        ) {
            revert CrsManagerPhase(ceremonyId, phase);
        }
        if (position >= header.count) revert CrsManagerPosition(position, header.count);
        bytes32 stateHash = record.stateHashes[position];
        if (!SLASHING_MANAGER.isWrongState(stateHash)) revert CrsManagerStateNotWrong(stateHash);
        if (phase == CeremonyPhase.Recorded) {
            header.revoked = true;
            _save(record, header);
            emit CrsRevoked(ceremonyId, uint8(position), stateHash);
            return;
        }
        uint8 index = header.contributor(position);
        header.truncate(position, block.timestamp);
        _save(record, header);
        record.beacon = 0;
        emit ContributionRolledBack(ceremonyId, uint8(position), index, stateHash);
    }

    /// @inheritdoc ICrsManager
    function ceremony(bytes32 ceremonyId) external view returns (Ceremony memory view_) {
        (CeremonyRecord storage record, CeremonyHeader memory header) = _load(ceremonyId);
        view_.phase = _phase(ceremonyId, header);
        if (view_.phase == CeremonyPhase.None) return view_;
        view_.epochId = epochManager().epochIdOf(header.epochNumber);
        view_.power = header.power;
        view_.slotSeconds = header.slotSeconds;
        view_.beaconIterationsExp = header.beaconIterationsExp;
        view_.size = header.size;
        view_.deadline = _requestDeadline(ceremonyId);
        view_.completeAt = header.completeAt(block.timestamp);
        if (view_.completeAt != 0) view_.closesAt = view_.completeAt + header.slotSeconds;
        view_.contributed = header.contributed;
        view_.excluded = header.excluded;
        view_.cursor = header.cursor + 1;
        view_.cursorAt = header.cursorAt;
        view_.beaconBlock = header.beaconBlock;
        view_.beacon = record.beacon;
        view_.stateHash = _lastState(record, header);
    }

    /// @inheritdoc ICrsManager
    function contributions(bytes32 ceremonyId) external view returns (Contribution[] memory chain) {
        (CeremonyRecord storage record, CeremonyHeader memory header) = _load(ceremonyId);
        chain = new Contribution[](header.count);
        for (uint256 k = 0; k < chain.length; ++k) {
            chain[k] = Contribution(header.contributor(k), record.stateHashes[k]);
        }
    }

    /// @inheritdoc ICrsManager
    function slotOf(bytes32 ceremonyId) external view returns (uint8 index, uint64 until) {
        (, CeremonyHeader memory header) = _load(ceremonyId);
        if (_phase(ceremonyId, header) != CeremonyPhase.Contributing) return (0, 0);
        return header.turn(block.timestamp);
    }

    /// @inheritdoc ICrsManager
    function isUsable(bytes32 ceremonyId) external view returns (bool) {
        (, CeremonyHeader memory header) = _load(ceremonyId);
        return _phase(ceremonyId, header) == CeremonyPhase.Recorded;
    }

    /// @inheritdoc IRecordedResults
    /// @dev None: which contributions came first is a matter of the chain, so an honest operator that saw
    /// another one has signed another result. A state that is wrong convicts its signers by itself.
    function recordedResult(
        bytes32
    ) external pure override(IRecordedResults, Requests) returns (bytes32, bytes32) {
        return (0, 0);
    }

    /// @inheritdoc ICrsManager
    function slashingManager() external view returns (ISlashingManager) {
        return SLASHING_MANAGER;
    }

    /// @dev Reverts unless this member's slot runs, or for index 0 the beacon is waited for and drawn.
    function _requireTurn(
        bytes32 ceremonyId,
        CeremonyRecord storage record,
        CeremonyHeader memory header,
        uint8 index
    ) private view {
        CeremonyPhase phase = _phase(ceremonyId, header);
        if (index == 0) {
            if (phase != CeremonyPhase.Beacon) revert CrsManagerPhase(ceremonyId, phase);
            if (record.beacon == 0) revert CrsManagerBeaconDrawn(ceremonyId, 0);
            return;
        }
        if (phase != CeremonyPhase.Contributing) revert CrsManagerPhase(ceremonyId, phase);
        (uint8 expected, ) = header.turn(block.timestamp);
        if (index != expected) revert CrsManagerTurn(index, expected);
    }

    /// @dev Reverts unless the step leads from the last state to one that may be next.
    function _requireStep(
        Step memory step,
        CeremonyHeader memory header,
        PowersState memory previous,
        PowersState memory next,
        UpdateProof calldata proof
    ) private view {
        uint8 power = header.power;
        if (next.power != power) revert CrsManagerPower(next.power, power, power);
        bytes32 given = PowersStates.hash(previous);
        bytes32 expected =
            header.count == 0 ? PowersStates.hash(PowersStates.initial(power)) : step.previousHash;
        if (given != expected) revert CrsManagerPrevious(given, expected);
        if (SLASHING_MANAGER.isWrongState(step.nextHash)) {
            revert CrsManagerStateWrong(step.nextHash);
        }
        UpdateProofs.requireValid(step, previous, next, proof);
    }

    /// @dev Of a ceremony that waits for its beacon.
    function _undrawn(
        bytes32 ceremonyId
    ) private view returns (CeremonyRecord storage record, CeremonyHeader memory header) {
        (record, header) = _inPhase(ceremonyId, CeremonyPhase.Beacon);
        if (record.beacon != 0) revert CrsManagerBeaconDrawn(ceremonyId, record.beacon);
    }

    function _inPhase(
        bytes32 ceremonyId,
        CeremonyPhase wanted
    ) private view returns (CeremonyRecord storage record, CeremonyHeader memory header) {
        (record, header) = _load(ceremonyId);
        CeremonyPhase phase = _phase(ceremonyId, header);
        if (phase != wanted) revert CrsManagerPhase(ceremonyId, phase);
    }

    function _load(
        bytes32 ceremonyId
    ) private view returns (CeremonyRecord storage record, CeremonyHeader memory header) {
        record = _storage().ceremonies[ceremonyId];
        header = record.header;
    }

    function _save(CeremonyRecord storage record, CeremonyHeader memory header) private {
        record.header = header;
    }

    function _phase(
        bytes32 ceremonyId,
        CeremonyHeader memory header
    ) private view returns (CeremonyPhase) {
        RequestState state = _requestState(ceremonyId);
        if (state == RequestState.None) return CeremonyPhase.None;
        if (state == RequestState.Expired) return CeremonyPhase.Expired;
        if (state == RequestState.Answered) {
            return header.revoked ? CeremonyPhase.Revoked : CeremonyPhase.Recorded;
        }
        uint256 completeAt = header.completeAt(block.timestamp);
        if (completeAt == 0) return CeremonyPhase.Contributing;
        if (block.timestamp < completeAt + header.slotSeconds) return CeremonyPhase.Closing;
        bool wantsBeacon = header.beaconIterationsExp != 0 && !header.hasBeaconContribution();
        return wantsBeacon ? CeremonyPhase.Beacon : CeremonyPhase.Final;
    }

    /// @dev Zero if there is none.
    function _lastState(
        CeremonyRecord storage record,
        CeremonyHeader memory header
    ) private view returns (bytes32) {
        return header.count == 0 ? bytes32(0) : record.stateHashes[header.count - 1];
    }

    function _validate(
        uint8 power,
        uint16 slotSeconds,
        uint8 beaconIterationsExp,
        uint256 size
    ) private view {
        if (power < MIN_POWER || power > MAX_POWER) {
            revert CrsManagerPower(power, MIN_POWER, MAX_POWER);
        }
        if (slotSeconds < MIN_SLOT_SECONDS || slotSeconds > MAX_SLOT_SECONDS) {
            revert CrsManagerSlotSeconds(slotSeconds, MIN_SLOT_SECONDS, MAX_SLOT_SECONDS);
        }
        if (
            beaconIterationsExp != 0 &&
            (beaconIterationsExp < MIN_BEACON_ITERATIONS_EXP ||
                beaconIterationsExp > MAX_BEACON_ITERATIONS_EXP)
        ) {
            revert CrsManagerBeaconIterations(
                beaconIterationsExp,
                MIN_BEACON_ITERATIONS_EXP,
                MAX_BEACON_ITERATIONS_EXP
            );
        }
        uint256 requiredSeconds = (2 * size + 4) * slotSeconds;
        uint256 windowSeconds = responseWindowSeconds();
        if (requiredSeconds > windowSeconds)
            revert CrsManagerWindow(requiredSeconds, windowSeconds);
    }

    function _idOf(
        bytes32 epochId,
        uint8 power,
        uint16 slotSeconds,
        uint8 beaconIterationsExp,
        bytes32 salt
    ) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    block.chainid,
                    address(this),
                    epochId,
                    power,
                    slotSeconds,
                    beaconIterationsExp,
                    msg.sender,
                    salt
                )
            );
    }

    /// @dev Constants instead of storage: they are read for every result.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Keyloom CrsManager";
    }

    function _storage() private pure returns (CrsManagerStorage storage $) {
        uint256 slot = STORAGE_SLOT;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
