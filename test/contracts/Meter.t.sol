// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    DecryptionMeter,
    IDecryptionGateway,
    UserDecryptionPermit
} from "../../contracts/interfaces/IDecryptionGateway.sol";
import {Meter} from "../../contracts/libraries/Meter.sol";
import {Deployment} from "./Deployment.sol";

/// @notice The meter as requests spend it.
contract MeterTest is Deployment {
    uint256 private constant SIGNING_KEY = 0xB0B;
    uint64 private constant QUOTA = 1 << 16;
    bytes32 private constant PUBLIC_KEY = keccak256("public key of the user");
    bytes32 private constant OTHER_PUBLIC_KEY = keccak256("another public key of the user");

    address private immutable signer = vm.addr(SIGNING_KEY);
    bytes32 private epochId;
    bytes32 private setId;
    bytes32 private keyId;
    uint256 private requests;

    /// @dev A key with 8 units.
    function setUp() public override {
        super.setUp();
        epochId = activeEpoch(4, 0);
        setId = addMeteredSet(43);
        keyId = activeKey(epochId, setId, 0);
    }

    function test_eachHandleCostsOneUnitOnce() public {
        bytes32[] memory handles = handlesFrom(keyId, 1, 3);
        vm.assertFalse(gateway.isUnitSpent(handles[0], 0), "before");
        request(user, handles);
        assertMeter(keyId, 0, 0, 3);
        vm.assertTrue(gateway.isUnitSpent(handles[0], 0), "after");
        (uint256 quota, uint256 spent) = gateway.quotaOf(keyId, user);
        vm.assertEq(quota, QUOTA, "quota");
        vm.assertEq(spent, 3, "spent");

        // The same again costs nothing, in whatever company; what is new costs one each.
        request(user, handles);
        request(user, handlesFrom(keyId, 2, 3));
        assertMeter(keyId, 0, 0, 4);
        // Nor does it cost anything once the first request has expired, or for another consumer.
        vm.warp(block.timestamp + RESPONSE_WINDOW + 1);
        vm.prank(user);
        ciphertexts.allow(handles[0], stranger);
        request(stranger, one(handles[0]));
        assertMeter(keyId, 0, 0, 4);
        (, spent) = gateway.quotaOf(keyId, stranger);
        vm.assertEq(spent, 0, "the stranger asked for nothing new");
    }

    function test_positionsAreNotCounted() public {
        bytes32[] memory handles = handlesFrom(keyId, 1, 1);
        uint32[] memory positions = new uint32[](1);
        vm.startPrank(user);
        gateway.requestPublicDecryption(handles, positions, 0);
        positions[0] = 1;
        gateway.requestPublicDecryption(handles, positions, 0);
        gateway.requestPublicDecryption(handles, new uint32[](0), 0);
        vm.stopPrank();
        assertMeter(keyId, 0, 0, 1);
    }

    function test_eachRecipientIsAnotherUnitOfTheUsers() public {
        bytes32[] memory handles = handlesFrom(keyId, 1, 2);
        request(user, handles);
        requestForUser(handles, PUBLIC_KEY);
        requestForUser(handles, PUBLIC_KEY);
        assertMeter(keyId, 0, 0, 4);
        requestForUser(one(handles[0]), OTHER_PUBLIC_KEY);
        assertMeter(keyId, 0, 0, 5);
        vm.assertTrue(gateway.isUnitSpent(handles[0], OTHER_PUBLIC_KEY), "this recipient");
        vm.assertFalse(gateway.isUnitSpent(handles[1], OTHER_PUBLIC_KEY), "that one not");
        (, uint256 spent) = gateway.quotaOf(keyId, signer);
        vm.assertEq(spent, 3, "the user pays, whoever submits");
        (, spent) = gateway.quotaOf(keyId, address(this));
        vm.assertEq(spent, 0, "the submitter does not");
    }

    function test_nothingNewOnceTheMeterIsSpent() public {
        request(user, handlesFrom(keyId, 1, 7));
        bytes32[] memory two = handlesFrom(keyId, 8, 2);
        expectSpent(keyId, user, two);
        vm.assertFalse(gateway.isUnitSpent(two[0], 0), "all or nothing");
        request(user, one(two[0]));
        assertMeter(keyId, 0, 0, 8);
        expectSpent(keyId, user, one(two[1]));
        // What was asked before is still answered.
        request(user, handlesFrom(keyId, 1, 8));
        // Another key has a meter of its own.
        bytes32 otherKey = activeKey(epochId, setId, "other");
        request(user, handlesFrom(otherKey, 1, 8));
    }

    // Grants

    function test_onlyTheOwnerOfTheKeyGrants() public {
        address[4] memory others = [user, stranger, governor, registrar];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IDecryptionGateway.DecryptionGatewayNotKeyOwner.selector,
                    keyId,
                    others[i]
                )
            );
            vm.prank(others[i]);
            gateway.grantUnits(keyId, user, 1);
        }
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.UnitsGranted(keyId, user, 3);
        grant(user, 3);
        grant(user, 2);
        assertMeter(keyId, 5, 0, 0);
        (uint256 quota, uint256 spent) = gateway.quotaOf(keyId, user);
        vm.assertEq(quota, QUOTA + 5, "both grants");
        vm.assertEq(spent, 0, "spent");
    }

    function test_grantsAreOfSomethingToSomebodyWithinTheLimit() public {
        vm.startPrank(requester);
        vm.expectRevert(IDecryptionGateway.DecryptionGatewayZeroConsumer.selector);
        gateway.grantUnits(keyId, address(0), 1);
        vm.expectRevert(IDecryptionGateway.DecryptionGatewayZeroUnits.selector);
        gateway.grantUnits(keyId, user, 0);
        bytes memory spent = meterSpent(keyId);
        vm.expectRevert(spent);
        gateway.grantUnits(keyId, user, 9);
        vm.expectRevert(spent);
        gateway.grantUnits(keyId, user, type(uint64).max);
        gateway.grantUnits(keyId, user, 5);
        vm.expectRevert(spent);
        gateway.grantUnits(keyId, stranger, 4);
        gateway.grantUnits(keyId, stranger, 3);
        vm.stopPrank();
        assertMeter(keyId, 8, 0, 0);
    }

    function test_whatIsReservedIsNobodyElses() public {
        grant(stranger, 6);
        request(user, handlesFrom(keyId, 1, 2));
        expectSpent(keyId, user, handlesFrom(keyId, 3, 1));
        bytes32[] memory handles = handlesFrom(keyId, 3, 6);
        allowAll(handles, stranger);
        request(stranger, handles);
        assertMeter(keyId, 6, 6, 2);
    }

    /// @dev A small grant, which cannot be taken back, leaves its consumer no worse off.
    function test_aGrantIsSpentFirstAndThenInCommon() public {
        grant(user, 2);
        request(user, handlesFrom(keyId, 1, 1));
        assertMeter(keyId, 2, 1, 0);
        request(user, handlesFrom(keyId, 2, 4));
        assertMeter(keyId, 2, 2, 3);
        (uint256 quota, uint256 spent) = gateway.quotaOf(keyId, user);
        vm.assertEq(quota, QUOTA + 2, "quota");
        vm.assertEq(spent, 5, "spent");
        expectSpent(keyId, user, handlesFrom(keyId, 6, 4));
        grant(user, 1);
        request(user, handlesFrom(keyId, 6, 1));
        assertMeter(keyId, 3, 3, 3);
    }

    /// @dev What it spent before stays spent in common.
    function test_aGrantAddsToWhatWasSpentInCommon() public {
        request(user, handlesFrom(keyId, 1, 4));
        grant(user, 4);
        request(user, handlesFrom(keyId, 5, 4));
        assertMeter(keyId, 4, 4, 4);
        expectSpent(keyId, user, handlesFrom(keyId, 9, 1));
        vm.expectRevert(meterSpent(keyId));
        vm.prank(requester);
        gateway.grantUnits(keyId, stranger, 1);
    }

    function test_aGrantOfAUserIsSpentByItsPermits() public {
        grant(signer, 1);
        bytes32[] memory handles = handlesFrom(keyId, 1, 2);
        requestForUser(one(handles[0]), PUBLIC_KEY);
        assertMeter(keyId, 1, 1, 0);
        requestForUser(one(handles[1]), PUBLIC_KEY);
        assertMeter(keyId, 1, 1, 1);
    }

    // Sources

    function test_everyUnitCountsForAllSourcesToo() public {
        bytes32 target = activeKey(epochId, setId, "target");
        bytes32 second = activeKey(epochId, setId, "second");
        request(user, handlesFrom(target, 1, 2));
        requestSwitching(keyId, target);
        requestSwitching(second, target);
        // What was asked before the sources were there cannot have come from them.
        request(user, handlesFrom(target, 1, 2));
        assertMeter(keyId, 0, 0, 0);
        request(user, handlesFrom(target, 3, 3));
        assertMeter(target, 0, 0, 5);
        assertMeter(keyId, 0, 0, 3);
        assertMeter(second, 0, 0, 3);
        // Not the other way round.
        request(user, handlesFrom(keyId, 1, 1));
        assertMeter(target, 0, 0, 5);
        assertMeter(second, 0, 0, 3);
        assertMeter(keyId, 0, 0, 4);
    }

    /// @dev Otherwise a new key would be a new meter.
    function test_aSpentSourceEndsWhatIsNewUnderItsTarget() public {
        request(user, handlesFrom(keyId, 1, 8));
        bytes32 target = activeKey(epochId, setId, "target");
        requestSwitching(keyId, target);
        bytes32[] memory handles = handlesFrom(target, 1, 1);
        expectSpent(keyId, user, handles);
        // A grant of the target does not help, nor does retiring the source.
        vm.prank(requester);
        gateway.grantUnits(target, user, 8);
        expectSpent(keyId, user, handles);
        vm.prank(governor);
        keys.retireKey(keyId);
        expectSpent(keyId, user, handles);
        assertMeter(target, 8, 0, 0);
    }

    function test_whatTheSourceReservesStaysReserved() public {
        grant(stranger, 7);
        bytes32 target = activeKey(epochId, setId, "target");
        requestSwitching(keyId, target);
        request(user, handlesFrom(target, 1, 1));
        expectSpent(keyId, user, handlesFrom(target, 2, 1));
        bytes32[] memory handles = handlesFrom(keyId, 1, 7);
        allowAll(handles, stranger);
        request(stranger, handles);
        assertMeter(keyId, 7, 7, 1);
    }

    function test_aSwitchedCiphertextCountsUnderBothKeys() public {
        bytes32 target = activeKey(epochId, setId, "target");
        recordEvaluationKeys(requestSwitching(keyId, target));
        bytes32 original = registerCiphertext(keyId, 1);
        vm.prank(registrar);
        bytes32 handle = ciphertexts.registerSwitched(original, target, "switched", 3, 15);
        request(user, one(original));
        request(user, one(handle));
        assertMeter(target, 0, 0, 1);
        assertMeter(keyId, 0, 0, 2);
    }

    function test_aKeyThatIsNoneHasNoUnits() public {
        DecryptionMeter memory none = gateway.meter("none");
        vm.assertEq(none.limit, 0, "limit");
        vm.expectPartialRevert(IDecryptionGateway.DecryptionGatewayNotKeyOwner.selector);
        gateway.grantUnits("none", user, 1);
    }

    /// @dev Handles number first to first + count - 1 under a key, registered where they are not yet.
    function handlesFrom(
        bytes32 key,
        uint256 first,
        uint256 count
    ) private returns (bytes32[] memory handles) {
        handles = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 digest = keccak256(abi.encode("ciphertext", first + i));
            bytes32 handle = vouchedHandle(key, digest, user);
            if (ciphertexts.ciphertext(handle).owner == address(0)) {
                registerCiphertext(key, first + i);
                vm.prank(user);
                ciphertexts.allow(handle, signer);
            }
            handles[i] = handle;
        }
    }

    function one(bytes32 handle) private pure returns (bytes32[] memory handles) {
        handles = new bytes32[](1);
        handles[0] = handle;
    }

    function allowAll(bytes32[] memory handles, address account) private {
        vm.startPrank(user);
        for (uint256 i = 0; i < handles.length; ++i) ciphertexts.allow(handles[i], account);
        vm.stopPrank();
    }

    function grant(address consumer, uint64 units) private {
        vm.prank(requester);
        gateway.grantUnits(keyId, consumer, units);
    }

    /// @dev Each request has a salt of its own.
    function request(address consumer, bytes32[] memory handles) private {
        vm.prank(consumer);
        gateway.requestPublicDecryption(handles, new uint32[](0), bytes32(++requests));
    }

    function requestForUser(bytes32[] memory handles, bytes32 publicKeyDigest) private {
        UserDecryptionPermit memory permit = permitFor(handles, publicKeyDigest);
        bytes32 salt = bytes32(++requests);
        gateway.requestUserDecryption(permit, sign(permit), handles, true, salt);
    }

    function permitFor(
        bytes32[] memory handles,
        bytes32 publicKeyDigest
    ) private view returns (UserDecryptionPermit memory) {
        return
            UserDecryptionPermit({
                user: signer,
                publicKeyDigest: publicKeyDigest,
                handles: handles,
                owner: address(0),
                validFrom: uint64(block.timestamp),
                validUntil: uint64(block.timestamp)
            });
    }

    function sign(UserDecryptionPermit memory permit) private view returns (bytes memory) {
        return signature(SIGNING_KEY, gateway.hashUserDecryptionPermit(permit));
    }

    function assertMeter(
        bytes32 key,
        uint256 reserved,
        uint256 reservedSpent,
        uint256 commonSpent
    ) private view {
        DecryptionMeter memory meter = gateway.meter(key);
        vm.assertEq(meter.limit, 8, "limit");
        vm.assertEq(meter.reserved, reserved, "reserved");
        vm.assertEq(meter.reservedSpent, reservedSpent, "spent of what is reserved");
        vm.assertEq(meter.commonSpent, commonSpent, "spent in common");
    }

    function expectSpent(bytes32 key, address consumer, bytes32[] memory handles) private {
        vm.expectRevert(meterSpent(key));
        request(consumer, handles);
    }

    function meterSpent(bytes32 key) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayMeterSpent.selector,
                key,
                uint64(8)
            );
    }
}

/// @notice The library, so that a test can see what it refuses.
contract MeterHarness {
    using Meter for Meter.State;

    Meter.State private state;

    function spend(bytes32 keyId, uint64 limit, address consumer, uint64 units) external {
        state.spend(keyId, limit, consumer, units);
    }

    function spendCommon(bytes32 keyId, uint64 limit, uint64 units) external {
        state.spendCommon(keyId, limit, units);
    }

    function grant(bytes32 keyId, uint64 limit, address consumer, uint64 units) external {
        state.grant(keyId, limit, consumer, units);
    }

    function read(bytes32 keyId, uint64 limit) external view returns (DecryptionMeter memory) {
        return state.read(keyId, limit);
    }

    function quotaOf(bytes32 keyId, address consumer) external view returns (uint256, uint256) {
        return state.quotaOf(keyId, consumer);
    }
}

/// @notice Whatever comes in whatever order: no sum exceeds what it is a part of, and the library does
/// what a model in plain numbers does.
contract MeterSumsTest is Deployment {
    uint256 private constant STEPS = 48;
    uint256 private constant COMMON_QUOTA = 1 << 16;
    bytes32 private constant KEY = "key";

    MeterHarness private harness;
    uint64 private limit;
    uint256 private reserved;
    uint256 private reservedSpent;
    uint256 private commonSpent;
    uint256[3] private granted;
    uint256[3] private ofGrant;
    uint256[3] private inCommon;

    function setUp() public override {
        harness = new MeterHarness();
    }

    /// @dev Limits of all sizes, and units around what is left of them.
    function testFuzz_sumsStayWithinTheLimit(uint256 seed) public {
        uint256 bits = seed % 65;
        limit = bits == 64 ? type(uint64).max : uint64(1) << uint64(bits);
        for (uint256 i = 0; i < STEPS; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            step(random);
            assertSums();
        }
    }

    /// @dev Two keys and their consumers do not touch each other.
    function testFuzz_keysAreApart(uint64 units) public {
        uint64 some = units % (1 << 16);
        harness.grant("other", type(uint64).max, consumerAt(0), type(uint64).max);
        harness.spend(KEY, 1 << 20, consumerAt(0), some);
        vm.assertEq(harness.read(KEY, 1 << 20).commonSpent, some, "this key");
        vm.assertEq(harness.read("other", type(uint64).max).commonSpent, 0, "that key");
    }

    /// @dev The largest grant there is, and all that is common beside it.
    function test_aConsumerHasItsGrantAndTheCommonQuota() public {
        address consumer = consumerAt(0);
        uint64 most = type(uint64).max - (1 << 16) - 1;
        harness.grant(KEY, type(uint64).max, consumer, most);
        harness.spend(KEY, type(uint64).max, consumer, most);
        harness.spend(KEY, type(uint64).max, consumer, 1 << 16);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.DecryptionGatewayQuotaSpent.selector,
                KEY,
                consumer,
                type(uint64).max - 1
            )
        );
        harness.spend(KEY, type(uint64).max, consumer, 1);
        harness.grant(KEY, type(uint64).max, consumer, 1);
        harness.spend(KEY, type(uint64).max, consumer, 1);
        (uint256 quota, uint256 spent) = harness.quotaOf(KEY, consumer);
        vm.assertEq(quota, type(uint64).max, "quota");
        vm.assertEq(spent, quota, "spent");
        harness.grant("other", type(uint64).max, consumer, type(uint64).max);
        (quota, ) = harness.quotaOf("other", consumer);
        vm.assertEq(quota, COMMON_QUOTA + type(uint64).max, "more than a uint64");
    }

    function step(uint256 random) private {
        uint256 who = (random >> 8) % 3;
        uint256 kind = random % 3;
        uint64 units = unitsFor(random >> 16, who);
        bool accepted;
        if (kind == 0) {
            accepted = units <= limit - reserved - commonSpent;
            try harness.grant(KEY, limit, consumerAt(who), units) {
                vm.assertTrue(accepted, "a grant beyond the limit");
                reserved += units;
                granted[who] += units;
            } catch {
                vm.assertFalse(accepted, "a grant within the limit");
            }
        } else if (kind == 1) {
            uint256 left = granted[who] - ofGrant[who];
            uint256 ofIt = units < left ? units : left;
            uint256 beside = units - ofIt;
            accepted =
                inCommon[who] + beside <= COMMON_QUOTA &&
                beside <= limit - reserved - commonSpent;
            try harness.spend(KEY, limit, consumerAt(who), units) {
                vm.assertTrue(accepted, "spent beyond a quota");
                ofGrant[who] += ofIt;
                reservedSpent += ofIt;
                inCommon[who] += beside;
                commonSpent += beside;
            } catch {
                vm.assertFalse(accepted, "refused within a quota");
            }
        } else {
            accepted = units <= limit - reserved - commonSpent;
            try harness.spendCommon(KEY, limit, units) {
                vm.assertTrue(accepted, "spent beyond the limit");
                commonSpent += units;
            } catch {
                vm.assertFalse(accepted, "refused within the limit");
            }
        }
    }

    /// @dev Anything, little, or one more or less than what is left.
    function unitsFor(uint256 random, uint256 who) private view returns (uint64) {
        uint256 choice = random % 9;
        random >>= 8;
        if (choice == 0) return uint64(random);
        if (choice == 1) return uint64(limit - reserved - commonSpent);
        if (choice == 2) {
            uint256 above = limit - reserved - commonSpent + 1;
            return above > type(uint64).max ? type(uint64).max : uint64(above);
        }
        if (choice == 3) return uint64(granted[who] - ofGrant[who]);
        if (choice == 4) {
            // A little more or less than all that this consumer has.
            uint256 most = granted[who] - ofGrant[who] + COMMON_QUOTA - inCommon[who];
            return uint64(most < type(uint64).max ? most + (random % 2) : type(uint64).max);
        }
        if (choice == 5) return uint64(random % (COMMON_QUOTA + 2));
        if (choice == 6) return uint64(random % (uint256(limit) / 8 + 1));
        return uint64(random % 17);
    }

    function assertSums() private view {
        DecryptionMeter memory meter = harness.read(KEY, limit);
        vm.assertEq(meter.limit, limit, "limit");
        vm.assertEq(meter.reserved, reserved, "reserved");
        vm.assertEq(meter.reservedSpent, reservedSpent, "spent of what is reserved");
        vm.assertEq(meter.commonSpent, commonSpent, "spent in common");
        vm.assertTrue(reserved + commonSpent <= limit, "reserved and common are within the limit");
        vm.assertTrue(reservedSpent <= reserved, "no more than reserved is spent of it");
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 quota, uint256 spent) = harness.quotaOf(KEY, consumerAt(i));
            vm.assertTrue(spent <= quota, "no more than its quota");
            vm.assertEq(quota, granted[i] + COMMON_QUOTA, "quota");
            vm.assertEq(spent, ofGrant[i] + inCommon[i], "spent");
        }
    }

    function consumerAt(uint256 index) private pure returns (address) {
        return address(uint160(0x900 + index));
    }
}
