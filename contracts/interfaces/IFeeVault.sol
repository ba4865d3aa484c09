// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IEpochManager} from "./IEpochManager.sol";

/// @notice Price of an operation, in quanta.
/// @param base For each request.
/// @param perKilo For each 1024 coefficients of the result, rounded up.
struct Price {
    uint24 base;
    uint24 perKilo;
}

/// @notice What happens to fees beside the price.
/// @param treasury Who gets what is retained of expired requests.
/// @param reimbursement Quanta of an answered request's fee that go to its submitter, for its gas; at most
/// half of the fee.
/// @param retentionBps Part of an expired request's fee that is not refunded, in 1/10000: a request that
/// cannot be answered must cost something.
struct FeeTerms {
    address treasury;
    uint24 reimbursement;
    uint16 retentionBps;
}

/// @notice An answered request, as far as its fee goes.
/// @param submitter Who submitted the answer.
/// @param operation What was asked for.
/// @param fee In quanta.
/// @param signers Bitmap of who signed or attested.
struct Served {
    address submitter;
    uint8 operation;
    uint24 fee;
    uint16 signers;
}

/// @title Fees: deposits, escrow, and what operators have earned
/// @notice Consumers deposit; a request moves its fee into escrow; the escrow goes to those who served
/// the request, or back. All amounts are multiples of a quantum, so that a fee fits into a request's
/// slot; balances are in the token's smallest unit. Payments are pulled.
/// @dev Token balance = sum of balances + sum of escrows. Each operation has one source and an escrow of
/// its own; a source can release no more than it escrowed.
/// The vault is not behind a proxy: no upgrade of it can take deposits. Sources can be upgraded, and are
/// trusted with deposits too: they say who pays.
interface IFeeVault {
    event Deposited(address indexed account, address indexed from, uint256 amountWei);
    event Withdrawn(address indexed account, uint256 amountWei);
    event FeesDistributed(bytes32 indexed epochId, uint256 requests, uint256 amountWei);
    event FeeRefunded(address indexed payer, uint256 refundedWei, uint256 retainedWei);
    event PriceSet(uint8 indexed operation, uint24 base, uint24 perKilo);
    event FeeTermsSet(address treasury, uint24 reimbursement, uint16 retentionBps);
    event OperationAdded(uint8 indexed operation, address indexed source);

    /// @notice The token is not a contract, or the quantum is zero or too large.
    error FeeVaultSetup();
    /// @notice The caller is not the contract that takes requests for this operation.
    error FeeVaultNotSource(uint8 operation, address caller);
    /// @notice The operation has a source, which keeps it.
    error FeeVaultOperationExists(uint8 operation, address source);
    /// @notice The account's deposit does not cover the fee: deposit the difference.
    error FeeVaultBalance(address account, uint256 balanceWei, uint256 neededWei);
    /// @notice The fee of such a request would be too large to be kept.
    error FeeVaultFeeRange(uint256 fee);
    /// @notice An amount of nothing.
    error FeeVaultZeroAmount();
    /// @notice The zero address.
    error FeeVaultZeroAccount();
    /// @notice No request was served by nobody.
    error FeeVaultNobodyServed();
    /// @notice The part retained is above `maximum`, in 1/10000.
    error FeeVaultRetentionRange(uint16 retentionBps, uint16 maximum);
    /// @notice The price is above `maximum` quanta.
    error FeeVaultPriceRange(uint24 price, uint24 maximum);

    /// @notice Deposits for an account, which may be the caller's own or another's.
    /// @dev The caller must have approved the amount. A token that keeps a fee is refused.
    function deposit(address account, uint256 amountWei) external;

    /// @notice Pays out of the caller's balance, deposited or earned.
    function withdraw(uint256 amountWei) external;

    /// @notice Moves the fee of a request from the payer's balance into escrow. Its source only.
    /// @param coefficients Size of the request: coefficients of its result.
    /// @return fee In quanta.
    function charge(
        address payer,
        uint8 operation,
        uint256 coefficients
    ) external returns (uint24 fee);

    /// @notice Gives the fee of an expired request back, but for what is retained. Its source only.
    function refund(address payer, uint8 operation, uint24 fee) external;

    /// @notice Pays the fees of answered requests of one epoch out and counts who served. Their source only.
    /// @dev The submitter's part first; the rest in equal parts to those who served. What does not divide
    /// goes to the submitter. All that a member has earned is its operator's: a signer is a key on a machine
    /// that is online.
    function distribute(uint16 epochNumber, Served[] calldata served) external;

    /// @notice Lets a contract take the fees of an operation, for good. Governance, at deployment.
    function addOperation(uint8 operation, address source) external;

    /// @notice Sets the price of an operation for requests from now on. Governance.
    function setPrice(uint8 operation, uint24 base, uint24 perKilo) external;

    /// @notice Sets what happens to fees. Governance.
    function setTerms(FeeTerms calldata terms) external;

    /// @notice What an account can spend on requests or withdraw.
    function balanceOf(address account) external view returns (uint256);

    /// @notice Who takes the fees of an operation, zero if nobody does, and what of them is in escrow.
    function escrowOf(uint8 operation) external view returns (address source, uint256 amountWei);

    /// @notice Fee of a request in the token's smallest unit.
    function quote(uint8 operation, uint256 coefficients) external view returns (uint256);

    /// @notice Price of an operation.
    function price(uint8 operation) external view returns (Price memory);

    /// @notice What happens to fees.
    function terms() external view returns (FeeTerms memory);

    /// @notice The smallest fee, in the token's smallest unit.
    function quantumWei() external view returns (uint256);

    /// @notice ERC-20 in which fees are paid.
    function token() external view returns (IERC20);

    /// @notice Committees.
    function epochManager() external view returns (IEpochManager);
}
