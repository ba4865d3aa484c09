// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FeeTerms, Served} from "../../contracts/interfaces/IFeeVault.sol";
import {Request, RequestState} from "../../contracts/interfaces/IRequests.sol";
import {Operations} from "../../contracts/libraries/Operations.sol";
import {FeeDeployment} from "./FeeDeployment.sol";

/// @notice Random calls of the vault and of all contracts that take requests, by consumers, operators and
/// strangers, with times, prices and terms that change. After each call every wei is accounted for; at the
/// end everybody gets what is due and nothing remains.
contract FeeInvariantsTest is FeeDeployment {
    uint256 private constant STEPS = 50;
    uint32 private constant SALTS = 6;
    address private constant secondTreasury = address(0x66);

    struct Asked {
        uint256 kind;
        bytes32 id;
        uint256 epochIndex;
    }

    bytes32[2] private epochIds;
    bytes32[2] private keyIds;
    Asked[] private asked;
    mapping(bytes32 id => bool) private isKnown;
    address[] private accounts;
    uint256 private depositedWei;
    uint256 private withdrawnWei;
    /// @dev Calls that succeeded: asked, asked again, answered, attested, settled, expired, and the last two
    /// of them with one request twice.
    uint256[7] private successes;

    function setUp() public override {
        super.setUp();
        (epochIds[0], keyIds[0]) = (epochId, keyId);
        // The same operators, in other places.
        epochIds[1] = activeEpoch(7, "other");
        vault.setPrice(Operations.KEY_GENERATION, 0, 0);
        keyIds[1] = activeKey(epochIds[1], setId, "set-up");
        setPrices();
        passDeadline(0, keyIds[1]);
        keys.settle(list(keyIds[0]));
        keys.settle(list(keyIds[1]));
        depositedWei = 2 * DEPOSIT;
        accounts = [requester, user, stranger, treasury, secondTreasury];
        for (uint256 i = 1; i <= 7; ++i) {
            accounts.push(ownerOf(i));
            accounts.push(signerOf(i));
        }
    }

    function testFuzz_everyWeiIsAccountedFor(uint256 seed) public {
        run(seed, STEPS);
    }

    /// @dev Otherwise the invariants would hold of nothing.
    function test_theRandomCallsGetSomewhere() public {
        run(1, 400);
        vm.assertTrue(successes[0] > 1, "asked");
        vm.assertTrue(successes[1] > 1, "asked again");
        vm.assertTrue(successes[2] > 1, "answered");
        vm.assertTrue(successes[3] > 1, "attested");
        vm.assertTrue(successes[4] > 1, "settled");
        vm.assertTrue(successes[5] > 1, "expired");
        vm.assertTrue(successes[6] > 1, "one of them twice");
    }

    function run(uint256 seed, uint256 steps) private {
        // Deposits are short, so that requests are refused for want of money too.
        withdrawDown(requester, 20_000);
        withdrawDown(user, 5000);
        for (uint256 i = 0; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            this.step(seed);
        }
        endAll();
    }

    /// @dev A call, so that its memory is free again afterwards.
    function step(uint256 seed) external {
        act(seed);
        checkMoney();
    }

    function act(uint256 seed) private {
        uint256 action = seed % 32;
        seed >>= 8;
        if (action < 9) askSome(seed);
        else if (action < 14) answerSome(seed);
        else if (action < 17) attestSome(seed);
        else if (action < 20) settleSome(seed);
        else if (action < 23) expireSome(seed);
        else if (action < 27) vm.warp(block.timestamp + (seed % 6 minutes));
        else if (action == 27) depositSome(seed);
        else if (action == 28) withdrawSome(seed);
        else if (action == 29) setSome(seed);
        else intrude(seed);
    }

    function askSome(uint256 seed) private {
        uint256 kind = seed % KINDS;
        useEpoch((seed >> 8) & 1);
        try this.askExternally(kind, uint32((seed >> 16) % SALTS)) returns (bytes32 id) {
            ++successes[isKnown[id] ? 1 : 0];
            if (isKnown[id]) return;
            isKnown[id] = true;
            asked.push(Asked({kind: kind, id: id, epochIndex: (seed >> 8) & 1}));
        } catch {}
    }

    /// @dev By anybody, an operator or not, with any quorum.
    function answerSome(uint256 seed) private {
        if (asked.length == 0) return;
        Asked memory one = asked[seed % asked.length];
        useEpoch(one.epochIndex);
        uint256 size = one.epochIndex == 0 ? 4 : 7;
        uint256 bitmap =
            firstMembers(quorumOf(size)) << ((seed >> 8) % (size - quorumOf(size) + 1));
        try
            this.answerExternally(
                one.kind,
                one.id,
                bitmap,
                accounts[(seed >> 16) % accounts.length]
            )
        {
            ++successes[2];
        } catch {}
    }

    function attestSome(uint256 seed) private {
        (uint256 kind, bytes32[] memory ids) = draw(seed, RequestState.Answered);
        vm.prank((seed >> 140) % 8 == 0 ? stranger : signerOf(1 + ((seed >> 128) % 7)));
        try contractOf(kind).attest(ids) {
            ++successes[3];
        } catch {}
    }

    function settleSome(uint256 seed) private {
        (uint256 kind, bytes32[] memory ids) = draw(seed, RequestState.Answered);
        vm.prank(accounts[(seed >> 128) % accounts.length]);
        try contractOf(kind).settle(ids) {
            ++successes[4];
            if (isTwice(ids)) ++successes[6];
        } catch {}
    }

    function expireSome(uint256 seed) private {
        (uint256 kind, bytes32[] memory ids) = draw(seed, RequestState.Expired);
        vm.prank(accounts[(seed >> 128) % accounts.length]);
        try contractOf(kind).expire(ids) {
            ++successes[5];
            if (isTwice(ids)) ++successes[6];
        } catch {}
    }

    function depositSome(uint256 seed) private {
        uint256 amountWei = 1 + (seed % 5000);
        // Mostly for those who pay.
        uint256 count = (seed >> 32) % 4 == 0 ? accounts.length : 2;
        deposit(accounts[(seed >> 16) % count], amountWei);
        depositedWei += amountWei;
    }

    /// @dev Some of a balance, or more than it.
    function withdrawSome(uint256 seed) private {
        address account = accounts[(seed >> 16) % accounts.length];
        uint256 balanceWei = vault.balanceOf(account);
        uint256 amountWei = 1 + (seed % (balanceWei + 2));
        vm.prank(account);
        try vault.withdraw(amountWei) {
            vm.assertTrue(amountWei <= balanceWei, "nobody withdraws more than its balance");
            withdrawnWei += amountWei;
        } catch {
            vm.assertTrue(amountWei > balanceWei, "nobody is refused its balance");
        }
    }

    function setSome(uint256 seed) private {
        vault.setTerms(
            FeeTerms({
                treasury: seed & 1 == 0 ? treasury : secondTreasury,
                reimbursement: uint24((seed >> 8) % 12),
                retentionBps: uint16((seed >> 16) % 5001)
            })
        );
        uint8 operation = uint8(1 + ((seed >> 32) % 7));
        vault.setPrice(operation, uint24((seed >> 40) % 20), uint24((seed >> 48) % 4));
    }

    /// @dev What nobody but a source may do.
    function intrude(uint256 seed) private {
        address account = accounts[seed % accounts.length];
        Served[] memory served = new Served[](1);
        served[0] = Served({
            submitter: account,
            operation: Operations.PUBLIC_DECRYPTION,
            fee: 1,
            signers: 1
        });
        vm.startPrank(account);
        try vault.charge(user, Operations.PUBLIC_DECRYPTION, 1) {
            vm.assertTrue(false, "charged");
        } catch {}
        try vault.refund(account, Operations.PUBLIC_DECRYPTION, 1) {
            vm.assertTrue(false, "refunded");
        } catch {}
        try vault.distribute(1, served) {
            vm.assertTrue(false, "distributed");
        } catch {}
        vm.stopPrank();
    }

    /// @dev One request, or up to three of one contract, possibly the same ones. Mostly the first one is
    /// in the state that the call needs.
    function draw(
        uint256 seed,
        RequestState wanted
    ) private view returns (uint256 kind, bytes32[] memory ids) {
        if (asked.length == 0) return (kind, ids);
        ids = new bytes32[](seed % 3 != 0 ? 1 + ((seed >> 16) % 3) : 1);
        uint256 start = (seed >> 8) % asked.length;
        for (uint256 i = 0; i < asked.length && (seed >> 32) % 4 != 0; ++i) {
            if (isUnpaid(asked[start], wanted)) break;
            start = (start + 1) % asked.length;
        }
        kind = asked[start].kind;
        uint256 count = 0;
        for (uint256 i = 0; i < asked.length && count < ids.length; ++i) {
            Asked storage one = asked[(start + i) % asked.length];
            if (sameContract(one.kind, kind) && (seed >> 26) % 2 != 0) ids[count++] = one.id;
            else if (count == 0) ids[count++] = one.id;
        }
        // A shorter list, or the first one again.
        while (count < ids.length && (seed >> 24) % 2 == 0) ids[count++] = ids[0];
        assembly ("memory-safe") {
            mstore(ids, count)
        }
    }

    /// @dev Tokens are balances and escrows; an escrow is the fees of the requests that hold one.
    function checkMoney() private view {
        uint256 sumWei = 0;
        for (uint256 i = 0; i < accounts.length; ++i) sumWei += vault.balanceOf(accounts[i]);
        for (uint256 kind = 0; kind < KINDS; ++kind) {
            // The gateway takes two kinds.
            if (kind == 3) continue;
            uint256 heldWei = 0;
            for (uint256 i = 0; i < asked.length; ++i) {
                if (!sameContract(asked[i].kind, kind)) continue;
                Request memory request = contractOf(kind).request(asked[i].id);
                if (request.account != address(0)) heldWei += request.feeWei;
            }
            vm.assertEq(escrowOf(kind), heldWei, "escrow");
            sumWei += heldWei;
        }
        uint256 tokensWei = token.balanceOf(address(vault));
        vm.assertEq(tokensWei, sumWei, "tokens are balances and escrows");
        vm.assertEq(tokensWei + withdrawnWei, depositedWei, "no more is paid than was deposited");
    }

    /// @dev Past all deadlines each request is settled or expires, and all is withdrawn.
    function endAll() private {
        vm.warp(block.timestamp + 1 days);
        for (uint256 i = 0; i < asked.length; ++i) {
            Asked memory one = asked[i];
            Request memory request = contractOf(one.kind).request(one.id);
            if (request.account == address(0)) continue;
            if (request.state == RequestState.Answered) {
                contractOf(one.kind).settle(list(one.id));
            } else {
                contractOf(one.kind).expire(list(one.id));
            }
        }
        checkMoney();
        for (uint256 kind = 0; kind < KINDS; ++kind)
            vm.assertEq(escrowOf(kind), 0, "nothing is stuck");
        for (uint256 i = 0; i < accounts.length; ++i) {
            withdrawnWei += vault.balanceOf(accounts[i]);
            withdrawAll(accounts[i]);
        }
        vm.assertEq(token.balanceOf(address(vault)), 0, "nothing remains");
        vm.assertEq(withdrawnWei, depositedWei, "all of it is paid");
    }

    function isUnpaid(Asked storage one, RequestState state) private view returns (bool) {
        Request memory request = contractOf(one.kind).request(one.id);
        return request.state == state && request.account != address(0);
    }

    /// @dev The gateway takes two kinds.
    function sameContract(uint256 kind, uint256 other) private view returns (bool) {
        return address(contractOf(kind)) == address(contractOf(other));
    }

    function isTwice(bytes32[] memory ids) private pure returns (bool) {
        return ids.length > 1 && ids[ids.length - 1] == ids[0];
    }

    function useEpoch(uint256 index) private {
        if (epochId == epochIds[index]) return;
        epochId = epochIds[index];
        useKey(keyIds[index]);
    }

    function withdrawDown(address account, uint256 leftWei) private {
        uint256 amountWei = vault.balanceOf(account) - leftWei;
        vm.prank(account);
        vault.withdraw(amountWei);
        withdrawnWei += amountWei;
    }

    function askExternally(uint256 kind, uint32 salt) external returns (bytes32) {
        return ask(kind, salt);
    }

    function answerExternally(
        uint256 kind,
        bytes32 requestId,
        uint256 bitmap,
        address submitter
    ) external {
        answer(kind, requestId, bitmap, submitter);
    }
}
