// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochManager} from "./IEpochManager.sol";
import {IFeeVault} from "./IFeeVault.sol";
import {IRecordedResults} from "./IRecordedResults.sol";

/// @notice Life of a request; Expired is Pending after the deadline, and may be requested again.
enum RequestState {
    None,
    Pending,
    Answered,
    Expired
}

/// @notice A request, whatever it is for.
/// @param state Where the request is in its life.
/// @param operation Number of the operation (libraries/Operations.sol).
/// @param deadline Timestamp in seconds: of the answer, and once there is one, of attestations.
/// @param epochId Committee that answers it.
/// @param resultHash Keccak-256 of the result; zero until it is answered.
/// @param feeWei Fee, in the fee token's smallest unit.
/// @param account Who paid the fee; once it is answered who submitted the answer; zero once the fee has
/// been settled or refunded.
/// @param signers Bitmap of the members that signed the result or attested to it; bit i-1 for index i.
struct Request {
    RequestState state;
    uint8 operation;
    uint64 deadline;
    bytes32 epochId;
    bytes32 resultHash;
    uint256 feeWei;
    address account;
    uint16 signers;
}

/// @title What all contracts that take requests have in common
/// @notice A request is paid for when it is made, answered once with the signatures of a quorum, and
/// settled afterwards: its fee goes to whoever signed the result or attested to it in time. One that is
/// not answered by its deadline expires, and its fee is refunded.
interface IRequests is IRecordedResults {
    event WindowsSet(uint64 responseWindowSeconds, uint64 attestationWindowSeconds);
    event RequestsPauseSet(bool paused);
    event RequestsAttested(bytes32[] requestIds, address indexed signer);
    /// @notice These were paid out: each request once.
    event RequestsSettled(bytes32[] requestIds);
    event RequestExpired(bytes32 indexed requestId, address payer);

    /// @notice A window is outside its bounds in seconds.
    error RequestsWindowRange(uint64 windowSeconds, uint64 minimum, uint64 maximum);
    /// @notice New requests are not taken.
    error RequestsPaused();
    /// @notice Requests are paused already, or are not.
    error RequestsPauseState(bool paused);
    /// @notice The request exists and is not one that has expired.
    error RequestsExists(bytes32 requestId, RequestState state, uint64 deadline);
    /// @notice The request is not in the state that the call needs.
    error RequestsState(bytes32 requestId, RequestState state);
    /// @notice Attestations are taken until `deadline` (seconds).
    error RequestsAttestationClosed(bytes32 requestId, uint64 deadline);
    /// @notice Attestations are still taken, until `deadline` (seconds).
    error RequestsAttestationOpen(bytes32 requestId, uint64 deadline);
    /// @notice The fee of the request has been settled or refunded.
    error RequestsFeeSpent(bytes32 requestId);
    /// @notice The requests are of different epochs.
    error RequestsMixedEpochs(bytes32 requestId);
    /// @notice The number of requests is 0 or above `maximum`.
    error RequestsCount(uint256 count, uint256 maximum);

    /// @notice Stops new requests. Results of earlier ones are still taken. Governance.
    function pauseRequests() external;

    /// @notice Takes requests again. Governance.
    function unpauseRequests() external;

    /// @notice Sets the windows of requests and answers from now on. Governance.
    /// @param responseWindowSeconds MIN_ to MAX_RESPONSE_WINDOW_SECONDS.
    /// @param attestationWindowSeconds MIN_ to MAX_ATTESTATION_WINDOW_SECONDS.
    function setWindows(uint64 responseWindowSeconds, uint64 attestationWindowSeconds) external;

    /// @notice Says that the caller has the result of these requests although its signature is not among
    /// those of the answer. It is paid and counted like a signer. Repeating is harmless.
    /// @dev So a submitter gains nothing by leaving signatures out. That the caller worked for the result
    /// instead of reading it here is not proven; see docs/accountability.md.
    /// @param requestIds 1 to MAX_BATCH answered requests of one epoch of which the caller's signer is a
    /// member, before their attestation deadlines.
    function attest(bytes32[] calldata requestIds) external;

    /// @notice Pays the fees of answered requests out, once their attestation deadlines have passed, and
    /// counts who served. Anybody.
    /// @dev What is settled already is left out, so that nobody can make a batch fail by settling one of it.
    /// Reverts if nothing is left.
    /// @param requestIds 1 to MAX_BATCH requests of one epoch.
    function settle(bytes32[] calldata requestIds) external;

    /// @notice Refunds the fees of expired requests, but for the part that the vault retains. Anybody.
    /// @dev What was refunded or made again meanwhile is left out, as in {settle}; so is what is pending or
    /// answered, which cannot be told from it. Reverts if nothing is left.
    /// @param requestIds 1 to MAX_BATCH requests.
    function expire(bytes32[] calldata requestIds) external;

    /// @notice The request of this id; state None if there is none.
    function request(bytes32 requestId) external view returns (Request memory);

    /// @notice Whether these bytes are the recorded result of the request.
    function isResult(bytes32 requestId, bytes calldata result) external view returns (bool);

    /// @notice EIP-712 digest of Result(bytes32 epochId,bytes32 requestId,bytes result), in this contract's
    /// domain, for a result with this Keccak-256 hash.
    function hashResult(
        bytes32 epochId,
        bytes32 requestId,
        bytes32 resultHash
    ) external view returns (bytes32);

    /// @notice EIP-712 domain separator of this contract.
    function domainSeparator() external view returns (bytes32);

    /// @notice Whether new requests are refused.
    function requestsPaused() external view returns (bool);

    /// @notice Seconds from a request to its deadline.
    function responseWindowSeconds() external view returns (uint64);

    /// @notice Seconds from an answer until its fee can be settled.
    function attestationWindowSeconds() external view returns (uint64);

    /// @notice Where fees are paid from and to.
    function feeVault() external view returns (IFeeVault);

    /// @notice Committees.
    function epochManager() external view returns (IEpochManager);
}
