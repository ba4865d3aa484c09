// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {FeeVault} from "../../contracts/FeeVault.sol";
import {FeeTerms, IFeeVault, Price, Served} from "../../contracts/interfaces/IFeeVault.sol";
import {IEpochManager} from "../../contracts/interfaces/IEpochManager.sol";
import {Deployment} from "./Deployment.sol";

/// @notice The vault alone. The test contract is the source of two operations, one of them free;
/// `otherSource` is that of a third.
contract FeeVaultTest is Deployment {
    uint8 private constant OPERATION = 20;
    uint8 private constant FREE_OPERATION = 21;
    uint8 private constant OTHER_OPERATION = 22;
    uint256 private constant DEPOSIT = 1_000_000;
    address private constant payer = address(0x70);
    address private constant submitter = address(0x71);
    address private constant otherSource = address(0x72);
    uint16 private number;
    bytes32 private epochId;

    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        number = epochs.epoch(epochId).number;
        vault.addOperation(OPERATION, address(this));
        vault.addOperation(FREE_OPERATION, address(this));
        vault.addOperation(OTHER_OPERATION, otherSource);
        vault.setPrice(OPERATION, 10, 3);
        vault.setPrice(OTHER_OPERATION, 10, 3);
        deposit(payer, DEPOSIT);
    }

    // Deposits

    function test_theContractsAreFoundFromHere() public view {
        vm.assertEq(address(vault.token()), address(token), "token");
        vm.assertEq(address(vault.epochManager()), address(epochs), "epochs");
        vm.assertEq(vault.quantumWei(), FEE_QUANTUM, "quantum");
    }

    function test_anybodyDepositsForAnyAccount() public {
        token.mint(stranger, 70);
        vm.startPrank(stranger);
        token.approve(address(vault), 70);
        vm.expectEmit(address(vault));
        emit IFeeVault.Deposited(user, stranger, 70);
        vault.deposit(user, 70);
        vm.stopPrank();
        vm.assertEq(vault.balanceOf(user), 70, "balance");
        vm.assertEq(vault.balanceOf(stranger), 0, "not the depositor's");
        vm.assertEq(token.balanceOf(address(vault)), DEPOSIT + 70, "tokens");

        vm.expectRevert(IFeeVault.FeeVaultZeroAccount.selector);
        vault.deposit(address(0), 70);
        vm.expectRevert(IFeeVault.FeeVaultZeroAmount.selector);
        vault.deposit(user, 0);
        vm.expectPartialRevert(
            bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)"))
        );
        vault.deposit(user, 1);
    }

    function test_balancesAreWithdrawn() public {
        vm.startPrank(payer);
        vm.expectEmit(address(vault));
        emit IFeeVault.Withdrawn(payer, 400);
        vault.withdraw(400);
        vm.assertEq(vault.balanceOf(payer), DEPOSIT - 400, "balance");
        vm.assertEq(token.balanceOf(payer), 400, "tokens of the account");
        vm.assertEq(token.balanceOf(address(vault)), DEPOSIT - 400, "tokens of the vault");
        vm.expectRevert(shortOf(payer, DEPOSIT - 400, DEPOSIT - 399));
        vault.withdraw(DEPOSIT - 399);
        vm.expectRevert(IFeeVault.FeeVaultZeroAmount.selector);
        vault.withdraw(0);
        vault.withdraw(DEPOSIT - 400);
        vm.expectRevert(shortOf(payer, 0, 1));
        vault.withdraw(1);
        vm.stopPrank();
        vm.expectRevert(shortOf(stranger, 0, 1));
        vm.prank(stranger);
        vault.withdraw(1);
    }

    // Charges

    function test_aFeeIsABaseAndSoMuchPerKilo() public view {
        uint256[6] memory sizes = [uint256(0), 1, 1024, 1025, 2048, 10240];
        uint256[6] memory fees = [uint256(10), 13, 13, 16, 16, 40];
        for (uint256 i = 0; i < 6; ++i) {
            vm.assertEq(vault.quote(OPERATION, sizes[i]), fees[i] * FEE_QUANTUM, "fee");
        }
        vm.assertEq(vault.quote(FREE_OPERATION, 10240), 0, "no price, no fee");
    }

    function test_aChargeMovesTheFeeIntoTheSourcesEscrow() public {
        vm.assertEq(vault.charge(payer, OPERATION, 1025), 16, "quanta");
        assertMoney(DEPOSIT - 1600, 1600, 0);
        vm.prank(otherSource);
        vault.charge(payer, OTHER_OPERATION, 1);
        assertMoney(DEPOSIT - 2900, 1600, 1300);
        vm.assertEq(vault.charge(payer, FREE_OPERATION, 1025), 0, "free");
        assertMoney(DEPOSIT - 2900, 1600, 1300);
    }

    function test_aChargeNeedsItsDeposit() public {
        deposit(user, 1299);
        vm.expectRevert(shortOf(user, 1299, 1300));
        vault.charge(user, OPERATION, 1);
        deposit(user, 1);
        vault.charge(user, OPERATION, 1);
        vm.assertEq(vault.balanceOf(user), 0, "all of it");
    }

    function test_onlySourcesCall() public {
        Served[] memory served = one(0, 1);
        bytes memory notSource = notSourceOf(OPERATION, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(notSource);
        vault.charge(payer, OPERATION, 1);
        vm.expectRevert(notSource);
        vault.refund(stranger, OPERATION, 1);
        vm.expectRevert(notSource);
        vault.distribute(number, served);
        // Nor what would move nothing.
        vm.expectRevert(notSourceOf(FREE_OPERATION, stranger));
        vault.charge(payer, FREE_OPERATION, 1);
        vm.expectRevert(notSource);
        vault.refund(stranger, OPERATION, 0);
        vm.stopPrank();
    }

    /// @dev Being the source of one operation says nothing about another, nor about one that has none.
    function test_aSourceIsTheSourceOfItsOperations() public {
        uint8 unknown = OTHER_OPERATION + 1;
        uint24 fee = vault.charge(payer, OPERATION, 0);
        Served[] memory served = one(fee, 7);
        vm.startPrank(otherSource);
        vm.expectRevert(notSourceOf(OPERATION, otherSource));
        vault.charge(payer, OPERATION, 0);
        vm.expectRevert(notSourceOf(OPERATION, otherSource));
        vault.refund(otherSource, OPERATION, fee);
        vm.expectRevert(notSourceOf(OPERATION, otherSource));
        vault.distribute(number, served);
        vm.expectRevert(notSourceOf(unknown, otherSource));
        vault.charge(payer, unknown, 0);
        vm.stopPrank();
        assertMoney(DEPOSIT - 1000, 1000, 0);
    }

    // Refunds

    function test_aRefundRetainsAPart() public {
        uint24 fee = vault.charge(payer, OPERATION, 1);
        vm.expectEmit(address(vault));
        emit IFeeVault.FeeRefunded(payer, 1170, 130);
        vault.refund(payer, OPERATION, fee);
        assertMoney(DEPOSIT - 130, 0, 0);
        vm.assertEq(vault.balanceOf(treasury), 130, "retained");

        // What is retained is rounded down, and goes to whoever is the treasury now.
        vault.setTerms(FeeTerms({treasury: user, reimbursement: 0, retentionBps: 3333}));
        fee = vault.charge(payer, OPERATION, 1);
        vault.refund(payer, OPERATION, fee);
        vm.assertEq(vault.balanceOf(user), 433, "a third of 1300");
        assertMoney(DEPOSIT - 563, 0, 0);
        vault.setTerms(FeeTerms({treasury: user, reimbursement: 0, retentionBps: 0}));
        fee = vault.charge(payer, OPERATION, 1);
        vault.refund(payer, OPERATION, fee);
        assertMoney(DEPOSIT - 563, 0, 0);
    }

    /// @dev Nothing is lost if one account is payer and treasury.
    function test_aPayerMayBeTheTreasury() public {
        vault.setTerms(FeeTerms({treasury: payer, reimbursement: 0, retentionBps: 5000}));
        vault.refund(payer, OPERATION, vault.charge(payer, OPERATION, 1));
        assertMoney(DEPOSIT, 0, 0);
    }

    // Distribution

    function test_whoServedEarnsEqualPartsAndTheSubmitterItsOwn() public {
        uint24 fee = vault.charge(payer, OPERATION, 0);
        // 200 of 1000 wei are for the submitter; 800 are three times 266 and 2.
        vm.expectEmit(address(vault));
        emit IFeeVault.FeesDistributed(epochId, 1, 1000);
        vault.distribute(number, one(fee, 13));
        assertEarned([uint256(266), 0, 266, 266], 202);
        assertMoney(DEPOSIT - 1000, 0, 0);
    }

    /// @dev A member's signer is a key that is online: what it submits for is its operator's.
    function test_aMembersSubmissionsAreItsOperators() public {
        Served[] memory served = new Served[](3);
        for (uint256 i = 0; i < 2; ++i) {
            served[i] = one(vault.charge(payer, OPERATION, 0), 13)[0];
            served[i].submitter = signerOf(3);
        }
        // A member may submit what others have signed.
        served[2] = one(vault.charge(payer, OPERATION, 0), 13)[0];
        served[2].submitter = signerOf(2);
        vault.distribute(number, served);
        assertEarned([uint256(798), 202, 798 + 404, 798], 0);
        for (uint256 i = 1; i <= 4; ++i) vm.assertEq(vault.balanceOf(signerOf(i)), 0, "a signer");
        assertMoney(DEPOSIT - 3000, 0, 0);

        // Of another epoch it is anybody.
        activeEpoch(7, "other");
        served = one(vault.charge(payer, OPERATION, 0), 15);
        served[0].submitter = signerOf(7);
        vault.distribute(number, served);
        vm.assertEq(vault.balanceOf(signerOf(7)), 200, "a relayer");
    }

    function test_theSubmittersPartIsAtMostHalf() public {
        vault.setTerms(FeeTerms({treasury: treasury, reimbursement: 5, retentionBps: 0}));
        vault.distribute(number, one(vault.charge(payer, OPERATION, 0), 15));
        assertEarned([uint256(125), 125, 125, 125], 500);
        vault.setTerms(
            FeeTerms({treasury: treasury, reimbursement: type(uint24).max, retentionBps: 0})
        );
        vault.distribute(number, one(vault.charge(payer, OPERATION, 0), 15));
        assertEarned([uint256(250), 250, 250, 250], 1000);
        vault.setTerms(FeeTerms({treasury: treasury, reimbursement: 0, retentionBps: 0}));
        vault.distribute(number, one(vault.charge(payer, OPERATION, 0), 15));
        assertEarned([uint256(500), 500, 500, 500], 1000);
    }

    function test_manyRequestsArePaidTogether() public {
        Served[] memory served = new Served[](3);
        uint24 fee = vault.charge(payer, OPERATION, 0);
        served[0] = Served({submitter: submitter, operation: OPERATION, fee: fee, signers: 7});
        // Submitted by an operator, who is paid for both.
        fee = vault.charge(payer, OPERATION, 1);
        served[1] = Served({submitter: ownerOf(2), operation: OPERATION, fee: fee, signers: 14});
        // A free one pays nobody, and is counted.
        served[2] = Served({submitter: submitter, operation: OPERATION, fee: 0, signers: 11});
        vm.expectEmit(address(vault));
        emit IFeeVault.FeesDistributed(epochId, 3, 2300);
        vault.distribute(number, served);
        assertEarned([uint256(266), 266 + 366 + 202, 266 + 366, 366], 202);
        assertMoney(DEPOSIT - 2300, 0, 0);
        (uint256 requests, ) = epochs.participation(epochId);
        vm.assertEq(requests, 3, "counted");
    }

    function test_aFeeIsNotPaidToNobody() public {
        uint24 fee = vault.charge(payer, OPERATION, 0);
        Served[] memory served = one(fee, 0);
        vm.expectRevert(IFeeVault.FeeVaultNobodyServed.selector);
        vault.distribute(number, served);
        // Nor to members that the committee does not have, nor to no committee.
        served = one(fee, 0x10);
        vm.expectRevert(IFeeVault.FeeVaultNobodyServed.selector);
        vault.distribute(number, served);
        served = one(fee, 15);
        vm.expectRevert(IFeeVault.FeeVaultNobodyServed.selector);
        vault.distribute(number + 1, served);
        assertMoney(DEPOSIT - 1000, 1000, 0);
    }

    /// @dev Bits beyond the committee, which a source would have to invent, do not make money vanish.
    function test_noPartIsForBitsBeyondTheCommittee() public {
        vault.distribute(number, one(vault.charge(payer, OPERATION, 0), 0xfff3));
        assertEarned([uint256(400), 400, 0, 0], 200);
    }

    /// @dev Against the rule written down once more; nothing is left over and nothing invented.
    function testFuzz_everyWeiIsPaid(uint24 fee, uint16 signers, uint24 part, uint8 n) public {
        uint256 size = 4 + 3 * (n % 4);
        if (size != 4) number = epochs.epoch(activeEpoch(size, "fuzz")).number;
        signers = uint16(signers % (1 << size));
        vm.assume(signers != 0 && fee != 0);
        // A fee of any size: kilos at a price of one.
        vault.setPrice(OPERATION, 0, 1);
        deposit(payer, uint256(fee) * FEE_QUANTUM);
        vault.setTerms(FeeTerms({treasury: treasury, reimbursement: part, retentionBps: 0}));
        vm.assertEq(vault.charge(payer, OPERATION, uint256(fee) * 1024), fee, "fee");
        vault.distribute(number, one(fee, signers));

        uint256 amountWei = uint256(fee) * FEE_QUANTUM;
        uint256 count = 0;
        for (uint256 i = 0; i < size; ++i) count += (signers >> i) & 1;
        uint256 partWei = uint256(part) * FEE_QUANTUM;
        if (partWei * 2 > amountWei) partWei = amountWei / 2;
        uint256 eachWei = (amountWei - partWei) / count;
        uint256 paidWei = 0;
        for (uint256 i = 0; i < size; ++i) {
            uint256 earnedWei = vault.balanceOf(ownerOf(i + 1));
            vm.assertEq(earnedWei, ((signers >> i) & 1) * eachWei, "an equal part");
            paidWei += earnedWei;
        }
        uint256 submitterWei = vault.balanceOf(submitter);
        vm.assertEq(paidWei + submitterWei, amountWei, "all of it");
        vm.assertTrue(submitterWei - partWei < count, "dust only");
        assertMoney(DEPOSIT, 0, 0);
    }

    // Sources

    function test_aSourceReleasesWhatItEscrowedAndNoMore() public {
        uint24 fee = vault.charge(payer, OPERATION, 0);
        vm.prank(otherSource);
        vault.charge(payer, OTHER_OPERATION, 1);
        Served[] memory tooMuch = one(fee + 1, 7);
        bytes memory underflow = abi.encodeWithSignature("Panic(uint256)", 0x11);
        vm.expectRevert(underflow);
        vault.refund(payer, OPERATION, fee + 1);
        vm.expectRevert(underflow);
        vault.distribute(number, tooMuch);
        Served[] memory twice = new Served[](2);
        (twice[0], twice[1]) = (one(fee, 7)[0], one(fee, 7)[0]);
        vm.expectRevert(underflow);
        vault.distribute(number, twice);
        vault.refund(payer, OPERATION, fee);
        vm.expectRevert(underflow);
        vault.refund(payer, OPERATION, 1);
        assertMoney(DEPOSIT - 1300 - 100, 0, 1300);
    }

    function test_onlyTheAdminAddsOperationsAndSetsPricesAndTerms() public {
        FeeTerms memory terms = FeeTerms({treasury: user, reimbursement: 0, retentionBps: 0});
        address[3] memory callers = [governor, stranger, address(gateway)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.startPrank(callers[i]);
            vm.expectRevert(unauthorized(callers[i]));
            vault.addOperation(OTHER_OPERATION + 1, stranger);
            vm.expectRevert(unauthorized(callers[i]));
            vault.setPrice(OPERATION, 0, 0);
            vm.expectRevert(unauthorized(callers[i]));
            vault.setTerms(terms);
            vm.stopPrank();
        }
        uint8 added = OTHER_OPERATION + 1;
        vm.expectEmit(address(vault));
        emit IFeeVault.OperationAdded(added, stranger);
        vault.addOperation(added, stranger);
        (address source, uint256 escrowWei) = vault.escrowOf(added);
        vm.assertEq(source, stranger, "source");
        vm.assertEq(escrowWei, 0, "escrow");
        vm.expectRevert(IFeeVault.FeeVaultZeroAccount.selector);
        vault.addOperation(added + 1, address(0));
    }

    /// @dev Whoever came second would have the escrow of the first.
    function test_anOperationKeepsItsSource() public {
        bytes4 exists = IFeeVault.FeeVaultOperationExists.selector;
        vm.expectRevert(abi.encodeWithSelector(exists, OPERATION, address(this)));
        vault.addOperation(OPERATION, otherSource);
        vm.expectRevert(abi.encodeWithSelector(exists, OPERATION, address(this)));
        vault.addOperation(OPERATION, address(this));
    }

    /// @dev A new price neither touches what is in escrow nor who it belongs to.
    function test_aNewPriceLeavesTheEscrow() public {
        uint24 fee = vault.charge(payer, OPERATION, 0);
        vault.setPrice(OPERATION, type(uint24).max / 10, type(uint24).max / 10);
        assertMoney(DEPOSIT - 1000, 1000, 0);
        vault.refund(payer, OPERATION, fee);
        assertMoney(DEPOSIT - 100, 0, 0);
    }

    // Bounds

    function test_pricesHaveBounds() public {
        uint24 maximum = type(uint24).max / 10;
        bytes4 range = IFeeVault.FeeVaultPriceRange.selector;
        vm.expectRevert(abi.encodeWithSelector(range, maximum + 1, maximum));
        vault.setPrice(OPERATION, maximum + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(range, maximum + 2, maximum));
        vault.setPrice(OPERATION, maximum + 1, maximum + 2);
        vm.expectEmit(address(vault));
        emit IFeeVault.PriceSet(OPERATION, maximum, maximum);
        vault.setPrice(OPERATION, maximum, maximum);
        Price memory price = vault.price(OPERATION);
        vm.assertEq(price.base, maximum, "base");
        vm.assertEq(price.perKilo, maximum, "per kilo");

        // Ten times the maximum fits into 24 bits, eleven times does not.
        uint256 fee = uint256(maximum) * 10;
        vm.assertEq(vault.quote(OPERATION, 9 * 1024), fee * FEE_QUANTUM, "largest fee");
        bytes memory tooLarge = abi.encodeWithSelector(
            IFeeVault.FeeVaultFeeRange.selector,
            fee + maximum
        );
        vm.expectRevert(tooLarge);
        vault.quote(OPERATION, 9 * 1024 + 1);
        vm.expectRevert(tooLarge);
        vault.charge(payer, OPERATION, 9 * 1024 + 1);
    }

    function test_termsHaveBounds() public {
        vm.expectRevert(IFeeVault.FeeVaultZeroAccount.selector);
        vault.setTerms(FeeTerms({treasury: address(0), reimbursement: 0, retentionBps: 0}));
        vm.expectRevert(
            abi.encodeWithSelector(
                IFeeVault.FeeVaultRetentionRange.selector,
                uint16(5001),
                uint16(5000)
            )
        );
        vault.setTerms(FeeTerms({treasury: user, reimbursement: 0, retentionBps: 5001}));
        vm.expectEmit(address(vault));
        emit IFeeVault.FeeTermsSet(user, 7, 5000);
        vault.setTerms(FeeTerms({treasury: user, reimbursement: 7, retentionBps: 5000}));
        FeeTerms memory terms = vault.terms();
        vm.assertEq(terms.treasury, user, "treasury");
        vm.assertEq(terms.reimbursement, 7, "reimbursement");
        vm.assertEq(terms.retentionBps, 5000, "retention");
    }

    function test_theSetUpIsChecked() public {
        IERC20 fees = IERC20(address(token));
        bytes4 setup = IFeeVault.FeeVaultSetup.selector;
        FeeTerms memory terms = vault.terms();
        vm.expectRevert(setup);
        new FeeVault(stranger, fees, epochs, 1, terms);
        vm.expectRevert(setup);
        new FeeVault(address(authority), IERC20(stranger), epochs, 1, terms);
        vm.expectRevert(setup);
        new FeeVault(address(authority), fees, IEpochManager(stranger), 1, terms);
        vm.expectRevert(setup);
        new FeeVault(address(authority), fees, epochs, 0, terms);
        vm.expectRevert(setup);
        new FeeVault(address(authority), fees, epochs, 1e24 + 1, terms);
        terms.treasury = address(0);
        vm.expectRevert(IFeeVault.FeeVaultZeroAccount.selector);
        new FeeVault(address(authority), fees, epochs, 1, terms);
    }

    /// @dev The largest fee in the largest quantum neither overflows nor loses anything.
    function test_theLargestFeeOfTheLargestQuantum() public {
        vault = new FeeVault(address(authority), token, epochs, 1e24, vault.terms());
        authority.grantRole(FEE_VAULT, address(vault), 0);
        vault.addOperation(OPERATION, address(this));
        vault.setPrice(OPERATION, 0, 1);
        uint256 largestWei = uint256(type(uint24).max) * 1e24;
        deposit(payer, largestWei);
        uint24 fee = vault.charge(payer, OPERATION, uint256(type(uint24).max) * 1024);
        vm.assertEq(fee, type(uint24).max, "largest fee");
        vm.assertEq(vault.balanceOf(payer), 0, "all of it");
        vault.distribute(number, one(fee, 15));
        uint256 paidWei = vault.balanceOf(submitter);
        for (uint256 i = 1; i <= 4; ++i) paidWei += vault.balanceOf(ownerOf(i));
        vm.assertEq(paidWei, largestWei, "paid");
    }

    function deposit(address account, uint256 amountWei) private {
        token.mint(address(this), amountWei);
        token.approve(address(vault), amountWei);
        vault.deposit(account, amountWei);
    }

    function one(uint24 fee, uint16 signers) private pure returns (Served[] memory served) {
        served = new Served[](1);
        served[0] = Served({
            submitter: submitter,
            operation: OPERATION,
            fee: fee,
            signers: signers
        });
    }

    function notSourceOf(uint8 operation, address caller) private pure returns (bytes memory) {
        bytes4 selector = IFeeVault.FeeVaultNotSource.selector;
        return abi.encodeWithSelector(selector, operation, caller);
    }

    function shortOf(
        address account,
        uint256 balanceWei,
        uint256 neededWei
    ) private pure returns (bytes memory) {
        bytes4 selector = IFeeVault.FeeVaultBalance.selector;
        return abi.encodeWithSelector(selector, account, balanceWei, neededWei);
    }

    function assertEarned(uint256[4] memory operatorsWei, uint256 submitterWei) private view {
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(vault.balanceOf(ownerOf(i + 1)), operatorsWei[i], "operator");
        }
        vm.assertEq(vault.balanceOf(submitter), submitterWei, "submitter");
    }

    function assertMoney(uint256 payerWei, uint256 escrowWei, uint256 otherWei) private view {
        vm.assertEq(vault.balanceOf(payer), payerWei, "payer");
        (, uint256 amountWei) = vault.escrowOf(OPERATION);
        vm.assertEq(amountWei, escrowWei, "escrow");
        (, amountWei) = vault.escrowOf(OTHER_OPERATION);
        vm.assertEq(amountWei, otherWei, "escrow of the other source");
    }
}
