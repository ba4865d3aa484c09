// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PowersState} from "../ceremony/PowersStates.sol";
import {IEpochManager} from "./IEpochManager.sol";
import {IKeyManager} from "./IKeyManager.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IRecordedResults} from "./IRecordedResults.sol";

/// @notice What an operator can be slashed for.
enum Offence {
    WrongShare,
    Equivocation,
    WrongResult,
    WrongContribution
}

/// @notice What an opening id is the hash of, but for the set-up, which the epoch has
/// (docs/formats.md, Ids). It says what the share's residues are, and modulo which prime each is.
/// @param itemPrefix Operation and content.
/// @param generations Hash of the key shares used.
/// @param parameterSetId A set of the KeyManager; limb l is modulo its prime number l.
/// @param step Number of the opening within the operation.
/// @param digit 0 where the operation has none.
/// @param galoisElement 0 where the operation has none.
/// @param limbs Primes of the shape: the first ones of the set.
/// @param width Residues per limb.
/// @param polynomials Polynomials of the shape.
/// @param positionsDigest SHA-256 of the positions, or zero.
struct OpeningPreimage {
    bytes32 itemPrefix;
    bytes32 generations;
    bytes32 parameterSetId;
    uint8 step;
    uint16 digit;
    uint32 galoisElement;
    uint16 limbs;
    uint32 width;
    uint16 polynomials;
    bytes32 positionsDigest;
}

/// @notice One operator's signed share, as far as evidence needs it.
/// @param index Committee index, from 1.
/// @param signature Of ShareCommitment over the root that chunk and path lead to; 65 bytes.
/// @param chunk The 64 residues around the position, 8 bytes each, little-endian.
/// @param path Siblings from the chunk's leaf up to below the root.
struct ShareProof {
    uint8 index;
    bytes signature;
    bytes chunk;
    bytes32[] path;
}

/// @notice A root that an operator signed for an opening.
struct SignedRoot {
    bytes32 root;
    bytes signature;
}

/// @notice What can be wrong with a state of the powers of tau. Its points: one is malformed, or those of G1
/// and G2 do not belong together. A leaf of its file: malformed; not what the section must start with; not
/// what its neighbour times tau is.
enum FlawKind {
    WrongPoints,
    MalformedLeaf,
    WrongStart,
    WrongNeighbours
}

/// @notice A point of a file, with its path in the tree of its group.
/// @param point As the precompiles take it: 64 bytes of G1, 128 of G2.
/// @param path Siblings from the leaf up to below the root.
struct Leaf {
    bytes point;
    bytes32[] path;
}

/// @notice Where a state is wrong.
/// @param section 2 to 5, as in the file; means nothing for WrongPoints.
/// @param place In the section, from 0; the lower one of two neighbours.
/// @param leaves None for WrongPoints, two for WrongNeighbours, else one.
struct Flaw {
    FlawKind kind;
    uint8 section;
    uint32 place;
    Leaf[] leaves;
}

/// @notice Who signed a contribution, and that it did.
struct Accused {
    uint8 index;
    bytes signature;
}

/// @notice How hard an offence is punished.
/// @param slashWad Part of the bond that is taken, in 1e-18.
/// @param rewardWad Part of what is taken that the reporter gets, in 1e-18; the rest is the treasury's.
struct Penalty {
    uint64 slashWad;
    uint64 rewardWad;
}

/// @title Evidence against operators, verified here and by nobody else
/// @notice Anybody may submit it. Nothing rests on a vote, on a message having been late, or on what a
/// third party says: an operator is slashed for what it signed.
interface ISlashingManager {
    /// @param offenceId What was proven; nothing is punished twice.
    /// @param subject Opening id, request id of a wrong result, or hash of the state of a wrong contribution.
    event OffenceProven(
        bytes32 indexed offenceId,
        address indexed operator,
        bytes32 indexed epochId,
        Offence offence,
        bytes32 subject,
        address beneficiary
    );
    /// @notice A state of the powers of tau was proven wrong.
    event StateProvenWrong(bytes32 indexed stateHash);
    event PenaltySet(Offence indexed offence, uint64 slashWad, uint64 rewardWad);
    event TreasurySet(address treasury);

    /// @notice There is no epoch of this id with a frozen set-up.
    error SlashingManagerEpoch(bytes32 epochId);
    /// @notice The committee has no such index.
    error SlashingManagerIndex(uint256 index, uint256 size);
    /// @notice The accusers are not exactly a quorum, in ascending order, without the accused.
    /// @dev `number` is that of the first accuser that is out of place, from 0, or how many there are.
    error SlashingManagerAccusers(uint256 number);
    /// @notice The parameter set is unknown, or the shape is not one of its shapes.
    error SlashingManagerShape();
    /// @notice The share has no such residue.
    error SlashingManagerPosition(uint256 position, uint256 residues);
    /// @notice The chunk is not 512 bytes.
    error SlashingManagerChunk(uint256 length);
    /// @notice The path is not as long as the share's tree is high.
    error SlashingManagerPath(uint256 length, uint256 height);
    /// @notice The signature is not that of the member with this index.
    error SlashingManagerSignature(uint256 index, address expected, address recovered);
    /// @notice An accuser's value is not below the prime: it proves nothing.
    error SlashingManagerAccuserValue(uint256 index, uint256 value, uint256 prime);
    /// @notice The accusers' values do not lie on one polynomial: they prove nothing.
    error SlashingManagerAccusersDisagree(uint256 index);
    /// @notice The accused value lies on the accusers' polynomial: it is right.
    error SlashingManagerShareRight(uint256 index);
    /// @notice The two roots are one.
    error SlashingManagerSameRoot(bytes32 root);
    /// @notice The request has no recorded result to compare with.
    error SlashingManagerNoResult(bytes32 requestId);
    /// @notice The signed result is the recorded one.
    error SlashingManagerResultRight(bytes32 requestId);
    /// @notice The power of the state is outside [`minimum`, `maximum`].
    error SlashingManagerPower(uint8 power, uint8 minimum, uint8 maximum);
    /// @notice The flaw is not shown by so many leaves.
    error SlashingManagerLeaves(uint256 leaves, uint256 required);
    /// @notice There is no such place in the section, or nothing that the flaw could be there.
    error SlashingManagerPlace(uint8 section, uint32 place);
    /// @notice A point of this section has `required` bytes.
    error SlashingManagerPoint(uint256 length, uint256 required);
    /// @notice Leaf and path lead to another root than the state's.
    error SlashingManagerRoot(bytes32 root, bytes32 expected);
    /// @notice A point that is compared with another is malformed: that is the flaw to show.
    error SlashingManagerMalformed();
    /// @notice The state is not wrong there.
    error SlashingManagerNoFlaw();
    /// @notice Nobody is accused, and the state is known to be wrong.
    error SlashingManagerStateKnown(bytes32 stateHash);
    /// @notice This offence has been punished.
    error SlashingManagerPunished(bytes32 offenceId);
    /// @notice A penalty outside its bounds.
    error SlashingManagerPenaltyRange(uint64 slashWad, uint64 rewardWad);
    /// @notice The zero address cannot be paid.
    error SlashingManagerZeroAccount();

    /// @notice Slashes an operator whose share is wrong at one position.
    /// @dev The contract computes the opening id from the shape, so the prime is the one that was signed
    /// for. A quorum of values on one polynomial contains t+1 of honest operators, which fix it.
    /// @param epochId Epoch of the committee.
    /// @param opening What was opened.
    /// @param position Index into the residues: (polynomial · limbs + limb) · width + place.
    /// @param accusers A quorum, 2t+1, in ascending order of index.
    /// @param accused The share that does not fit.
    /// @param beneficiary Who gets the reward.
    function proveWrongShare(
        bytes32 epochId,
        OpeningPreimage calldata opening,
        uint256 position,
        ShareProof[] calldata accusers,
        ShareProof calldata accused,
        address beneficiary
    ) external;

    /// @notice Slashes an operator that signed two roots for one opening.
    function proveEquivocation(
        bytes32 epochId,
        bytes32 openingId,
        uint8 index,
        SignedRoot calldata first,
        SignedRoot calldata second,
        address beneficiary
    ) external;

    /// @notice Slashes an operator that signed another result than the recorded one.
    /// @dev The signed digest is computed here, in the domain of the contract `source`, of which only name
    /// and version are asked (ERC-5267). Operators sign for the deployment's own contracts only, so one
    /// made for the purpose, whatever it answers, convicts nobody but who signed for it.
    /// @param source The contract that took the request.
    /// @param resultHash Keccak-256 of the result that was signed.
    function proveWrongResult(
        IRecordedResults source,
        bytes32 requestId,
        uint8 index,
        bytes32 resultHash,
        bytes calldata signature,
        address beneficiary
    ) external;

    /// @notice Slashes operators that signed a contribution to a ceremony whose state is wrong, and puts the
    /// state on record, so that the CrsManager takes it away.
    /// @dev Honest operators check a state whole before they sign it. Whether a state is wrong is a matter of
    /// the state alone: nobody's word is needed, and none can make a right one wrong.
    /// @param previous Hash of the state before, as it was signed.
    /// @param next The state.
    /// @param flaw Where it is wrong.
    /// @param accused Who signed it. May be empty for a state that is not on record yet.
    /// @param beneficiary Who gets the rewards.
    function proveWrongContribution(
        bytes32 epochId,
        bytes32 ceremonyId,
        bytes32 previous,
        PowersState calldata next,
        Flaw calldata flaw,
        Accused[] calldata accused,
        address beneficiary
    ) external;

    /// @notice Sets the penalty of an offence. Governance.
    /// @param slashWad MIN_SLASH_WAD to 1e18.
    /// @param rewardWad At most MAX_REWARD_WAD: reporting oneself must not be a way out.
    function setPenalty(Offence offence, uint64 slashWad, uint64 rewardWad) external;

    /// @notice Sets who gets what is slashed beyond rewards, and has not been paid out. Governance.
    function setTreasury(address treasury) external;

    /// @notice Has the registry pay the treasury what was slashed beyond rewards. Anybody.
    function payTreasury() external;

    /// @notice The penalty of an offence.
    function penalty(Offence offence) external view returns (Penalty memory);

    /// @notice Who gets what is slashed beyond rewards.
    function treasury() external view returns (address);

    /// @notice Whether this offence is on record, so that it cannot be punished again.
    /// @dev It is if a part of the bond was left. After all of it was taken nothing can be taken twice, as
    /// the bond of a removed operator never grows: that is not recorded, but in the log (OffenceProven).
    function isPunished(bytes32 offenceId) external view returns (bool);

    /// @notice Whether a state of the powers of tau was proven wrong.
    function isWrongState(bytes32 stateHash) external view returns (bool);

    /// @notice H(offence, epochId, subject, index): what is punished once. The subject is the opening id
    /// of a wrong share or an equivocation, the request id of a wrong result, and the hash of the state of a
    /// wrong contribution.
    function offenceId(
        Offence offence,
        bytes32 epochId,
        bytes32 subject,
        uint8 index
    ) external pure returns (bytes32);

    /// @notice Operators and bonds.
    function operatorRegistry() external view returns (IOperatorRegistry);

    /// @notice Committees.
    function epochManager() external view returns (IEpochManager);

    /// @notice Parameter sets.
    function keyManager() external view returns (IKeyManager);
}
