// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IEpochManager} from "./interfaces/IEpochManager.sol";
import {FeeTerms, IFeeVault, Price, Served} from "./interfaces/IFeeVault.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";

/// @title FeeVault
contract FeeVault is AccessManaged, ReentrancyGuardTransient, IFeeVault {
    using SafeERC20 for IERC20;

    uint16 public constant MAX_RETENTION_BPS = 5000;

    /// @dev A tenth of the largest fee. A request whose fee would be larger still is refused.
    uint24 public constant MAX_PRICE = type(uint24).max / 10;

    /// @dev Far from any overflow: 2^24 quanta times every request that will ever be.
    uint256 public constant MAX_QUANTUM_WEI = 1e24;

    uint256 private constant KILO = 1024;
    uint256 private constant BPS = 10_000;

    /// @dev One slot, so that a charge reads and writes one beside the payer's balance. The escrow is in
    /// quanta: 2^24 requests of the largest fee would have to wait at once to fill it.
    struct Operation {
        address source;
        uint24 base;
        uint24 perKilo;
        uint48 escrow;
    }

    IERC20 private immutable TOKEN;
    IEpochManager private immutable EPOCHS;
    uint256 private immutable QUANTUM_WEI;

    mapping(address account => uint256) private _balances;
    mapping(uint8 operation => Operation) private _operations;
    FeeTerms private _terms;

    /// @param authority AccessManager of the deployment.
    /// @param feeToken ERC-20 for fees; one that takes a fee on transfers is refused when it does.
    /// @param manager Committees.
    /// @param quantum The smallest fee, in the token's smallest unit.
    /// @param initialTerms What happens to fees.
    constructor(
        address authority,
        IERC20 feeToken,
        IEpochManager manager,
        uint256 quantum,
        FeeTerms memory initialTerms
    ) AccessManaged(authority) {
        if (
            authority.code.length == 0 ||
            address(feeToken).code.length == 0 ||
            address(manager).code.length == 0 ||
            quantum == 0 ||
            quantum > MAX_QUANTUM_WEI
        ) revert FeeVaultSetup();
        TOKEN = feeToken;
        EPOCHS = manager;
        QUANTUM_WEI = quantum;
        _setTerms(initialTerms);
    }

    /// @inheritdoc IFeeVault
    function deposit(address account, uint256 amountWei) external nonReentrant {
        if (account == address(0)) revert FeeVaultZeroAccount();
        if (amountWei == 0) revert FeeVaultZeroAmount();
        _balances[account] += amountWei;
        ExactTransfer.pull(TOKEN, msg.sender, amountWei);
        emit Deposited(account, msg.sender, amountWei);
    }

    /// @inheritdoc IFeeVault
    function withdraw(uint256 amountWei) external nonReentrant {
        if (amountWei == 0) revert FeeVaultZeroAmount();
        _debit(msg.sender, amountWei);
        TOKEN.safeTransfer(msg.sender, amountWei);
        emit Withdrawn(msg.sender, amountWei);
    }

    /// @inheritdoc IFeeVault
    function charge(
        address payer,
        uint8 operation,
        uint256 coefficients
    ) external returns (uint24 fee) {
        Operation storage record = _ofCaller(operation);
        fee = _fee(record, coefficients);
        if (fee == 0) return 0;
        record.escrow += fee;
        _debit(payer, fee * QUANTUM_WEI);
    }

    /// @inheritdoc IFeeVault
    function refund(address payer, uint8 operation, uint24 fee) external {
        uint256 amountWei = _release(operation, fee);
        if (amountWei == 0) return;
        uint256 retainedWei = (amountWei * _terms.retentionBps) / BPS;
        _balances[payer] += amountWei - retainedWei;
        _balances[_terms.treasury] += retainedWei;
        emit FeeRefunded(payer, amountWei - retainedWei, retainedWei);
    }

    /// @inheritdoc IFeeVault
    function distribute(uint16 epochNumber, Served[] calldata served) external {
        (address[] memory operators, address[] memory accounts) = EPOCHS.operatorsOf(epochNumber);
        uint256[] memory earned = new uint256[](operators.length);
        uint16[] memory signers = new uint16[](served.length);
        uint256 total = 0;
        for (uint256 i = 0; i < served.length; ++i) {
            signers[i] = served[i].signers;
            uint256 amountWei = _release(served[i].operation, served[i].fee);
            total += amountWei;
            if (amountWei != 0) _divide(served[i], amountWei, accounts, earned);
        }
        for (uint256 i = 0; i < operators.length; ++i) {
            if (earned[i] != 0) _balances[operators[i]] += earned[i];
        }
        emit FeesDistributed(EPOCHS.epochIdOf(epochNumber), served.length, total);
        EPOCHS.recordService(epochNumber, signers);
    }

    /// @inheritdoc IFeeVault
    function addOperation(uint8 operation, address source) external restricted {
        if (source == address(0)) revert FeeVaultZeroAccount();
        Operation storage record = _operations[operation];
        if (record.source != address(0)) revert FeeVaultOperationExists(operation, record.source);
        record.source = source;
        emit OperationAdded(operation, source);
    }

    /// @inheritdoc IFeeVault
    function setPrice(uint8 operation, uint24 base, uint24 perKilo) external restricted {
        uint24 larger = base > perKilo ? base : perKilo;
        if (larger > MAX_PRICE) revert FeeVaultPriceRange(larger, MAX_PRICE);
        Operation storage record = _operations[operation];
        (record.base, record.perKilo) = (base, perKilo);
        emit PriceSet(operation, base, perKilo);
    }

    /// @inheritdoc IFeeVault
    function setTerms(FeeTerms calldata newTerms) external restricted {
        _setTerms(newTerms);
    }

    /// @inheritdoc IFeeVault
    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    /// @inheritdoc IFeeVault
    function escrowOf(uint8 operation) external view returns (address source, uint256 amountWei) {
        Operation storage record = _operations[operation];
        return (record.source, record.escrow * QUANTUM_WEI);
    }

    /// @inheritdoc IFeeVault
    function quote(uint8 operation, uint256 coefficients) external view returns (uint256) {
        return _fee(_operations[operation], coefficients) * QUANTUM_WEI;
    }

    /// @inheritdoc IFeeVault
    function price(uint8 operation) external view returns (Price memory) {
        Operation storage record = _operations[operation];
        return Price({base: record.base, perKilo: record.perKilo});
    }

    /// @inheritdoc IFeeVault
    function terms() external view returns (FeeTerms memory) {
        return _terms;
    }

    /// @inheritdoc IFeeVault
    function quantumWei() external view returns (uint256) {
        return QUANTUM_WEI;
    }

    /// @inheritdoc IFeeVault
    function token() external view returns (IERC20) {
        return TOKEN;
    }

    /// @inheritdoc IFeeVault
    function epochManager() external view returns (IEpochManager) {
        return EPOCHS;
    }

    /// @dev Divides the fee of a request: what each signer earns is added to `earned`, and so is the
    /// reimbursement, with what does not divide, if a member submitted; anybody else gets it at once.
    /// @param accounts The members' signers, which submit.
    function _divide(
        Served calldata request,
        uint256 amountWei,
        address[] memory accounts,
        uint256[] memory earned
    ) private {
        // Bits beyond the committee would be parts that nobody gets.
        uint256 signers = request.signers & ((1 << earned.length) - 1);
        uint256 count = CommitteeSize.count(signers);
        if (count == 0) revert FeeVaultNobodyServed();
        uint256 reimbursedWei = _terms.reimbursement * QUANTUM_WEI;
        if (reimbursedWei > amountWei / 2) reimbursedWei = amountWei / 2;
        uint256 eachWei = (amountWei - reimbursedWei) / count;
        for (uint256 i = 0; i < earned.length; ++i) {
            if ((signers >> i) & 1 != 0) earned[i] += eachWei;
        }
        uint256 restWei = amountWei - eachWei * count;
        address submitter = request.submitter;
        uint256 member = 0;
        while (member < accounts.length && accounts[member] != submitter) ++member;
        if (member < accounts.length) earned[member] += restWei;
        else _balances[submitter] += restWei;
    }

    function _debit(address account, uint256 amountWei) private {
        uint256 balanceWei = _balances[account];
        if (balanceWei < amountWei) revert FeeVaultBalance(account, balanceWei, amountWei);
        _balances[account] = balanceWei - amountWei;
    }

    /// @dev Takes a fee out of an operation's escrow. Underflow means that its source has a fault: it
    /// reverts instead of paying out of another's escrow.
    function _release(uint8 operation, uint24 fee) private returns (uint256 amountWei) {
        _ofCaller(operation).escrow -= fee;
        amountWei = fee * QUANTUM_WEI;
    }

    function _setTerms(FeeTerms memory newTerms) private {
        if (newTerms.treasury == address(0)) revert FeeVaultZeroAccount();
        if (newTerms.retentionBps > MAX_RETENTION_BPS) {
            revert FeeVaultRetentionRange(newTerms.retentionBps, MAX_RETENTION_BPS);
        }
        _terms = newTerms;
        emit FeeTermsSet(newTerms.treasury, newTerms.reimbursement, newTerms.retentionBps);
    }

    function _ofCaller(uint8 operation) private view returns (Operation storage record) {
        record = _operations[operation];
        if (record.source != msg.sender) revert FeeVaultNotSource(operation, msg.sender);
    }

    function _fee(Operation storage record, uint256 coefficients) private view returns (uint24) {
        uint256 kilos = (coefficients + KILO - 1) / KILO;
        uint256 fee = record.base + record.perKilo * kilos;
        if (fee > type(uint24).max) revert FeeVaultFeeRange(fee);
        return uint24(fee);
    }
}
