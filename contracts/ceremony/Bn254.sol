// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A point of G1, affine.
struct G1Point {
    uint256 x;
    uint256 y;
}

/// @notice A point of G2, affine; the imaginary part of a coordinate comes first (EIP-197).
struct G2Point {
    uint256[2] x;
    uint256[2] y;
}

/// @title The curve alt_bn128 by its precompiles (EIP-196, EIP-197, EIP-1108)
library Bn254 {
    /// @notice Order of the base field.
    uint256 internal constant P =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @notice Order of the groups.
    uint256 internal constant R =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @dev 3 / (9 + i), the constant of the twist y² = x³ + B.
    uint256 private constant TWIST_B_IMAGINARY =
        266929791119991161246907387137283842545076965332900288569378510910307636690;
    uint256 private constant TWIST_B_REAL =
        19485874751759354771024239261021720505790618469301721065564631296452457478373;

    uint256 private constant ADD = 6;
    uint256 private constant MUL = 7;
    uint256 private constant PAIRING = 8;

    /// @dev What a pairing may take: the price of EIP-197, twice that of today (EIP-1108). Not all the gas
    /// there is, because a precompile that refuses its input takes all that it was given.
    uint256 private constant PAIRING_GAS = 100_000;
    uint256 private constant PAIRING_GAS_PER_PAIR = 80_000;

    /// @notice A precompile did not answer: there is none, or it had too little gas.
    error Bn254PrecompileFailed(uint256 precompile);
    /// @notice There is too little gas for a judgement that rests on a refusal.
    error Bn254GasTooLow(uint256 gas, uint256 required);

    /// @notice Generator of G1.
    function generator1() internal pure returns (G1Point memory) {
        return G1Point(1, 2);
    }

    /// @notice Generator of G2.
    function generator2() internal pure returns (G2Point memory) {
        return
            G2Point(
                [
                    11559732032986387107991004021392285783925812861821192530917403151452391805634,
                    10857046999023057135944570762232829481370756359578518086990519993285655852781
                ],
                [
                    4082367875863433681332203403145435568316851327593401208105741076214120093531,
                    8495653923123431417604973247489272438418190587263600148770280649306958101930
                ]
            );
    }

    /// @notice Whether the coordinates are below P and a point of the curve other than infinity: an element
    /// of G1, whose cofactor is 1.
    function isInG1(G1Point memory point) internal pure returns (bool) {
        uint256 x = point.x;
        uint256 y = point.y;
        if (x >= P || y >= P) return false;
        // Infinity, (0, 0), is not on the curve.
        return mulmod(y, y, P) == addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
    }

    /// @notice Whether the coordinates are below P and a point of the twist other than infinity. It need not
    /// be in G2.
    function isOnTwist(G2Point memory point) internal pure returns (bool) {
        (uint256 xi, uint256 xr) = (point.x[0], point.x[1]);
        (uint256 yi, uint256 yr) = (point.y[0], point.y[1]);
        if (xi >= P || xr >= P || yi >= P || yr >= P) return false;
        (uint256 ci, uint256 cr) = _mul2(xi, xr, xi, xr);
        (ci, cr) = _mul2(ci, cr, xi, xr);
        (uint256 si, uint256 sr) = _mul2(yi, yr, yi, yr);
        return si == addmod(ci, TWIST_B_IMAGINARY, P) && sr == addmod(cr, TWIST_B_REAL, P);
    }

    /// @notice Whether a point of the twist is in G2.
    /// @dev The pairing refuses any other. Nothing else may look like that refusal: so there is three times
    /// the gas that it may take, and after it the pairing must take a point that is known to be in G2.
    function isInG2(G2Point memory point) internal view returns (bool) {
        uint256 required = 3 * (PAIRING_GAS + PAIRING_GAS_PER_PAIR);
        if (gasleft() < required) revert Bn254GasTooLow(gasleft(), required);
        (bool valid, ) = pairing(abi.encode(generator1(), point));
        if (valid) return true;
        (valid, ) = pairing(abi.encode(generator1(), generator2()));
        if (!valid) revert Bn254PrecompileFailed(PAIRING);
        return false;
    }

    /// @notice -A of a point of G1.
    function negate(G1Point memory a) internal pure returns (G1Point memory) {
        return G1Point(a.x, P - a.y);
    }

    /// @notice Whether two points are the same.
    function equals(G1Point memory a, G1Point memory b) internal pure returns (bool) {
        return a.x == b.x && a.y == b.y;
    }

    /// @notice A + B.
    function add(G1Point memory a, G1Point memory b) internal view returns (G1Point memory sum) {
        _callG1(ADD, abi.encode(a, b), sum);
    }

    /// @notice scalar · A; (0, 0) is infinity.
    function mul(G1Point memory a, uint256 scalar) internal view returns (G1Point memory product) {
        _callG1(MUL, abi.encode(a, scalar), product);
    }

    /// @notice Whether a product of pairings is one.
    /// @param input The pairs: six words each, the point of G1 first.
    /// @return valid Whether the precompile took the input. It refuses points that are not in their groups,
    /// and whatever it has not enough gas for.
    /// @return one Whether it took the input, and the product is one.
    function pairing(bytes memory input) internal view returns (bool valid, bool one) {
        uint256 most = PAIRING_GAS + PAIRING_GAS_PER_PAIR * (input.length / 192);
        uint256 length;
        assembly ("memory-safe") {
            mstore(0, 0)
            valid := staticcall(most, PAIRING, add(input, 32), mload(input), 0, 32)
            length := returndatasize()
            one := and(valid, eq(mload(0), 1))
        }
        // An account without code answers with nothing.
        if (valid && length != 32) revert Bn254PrecompileFailed(PAIRING);
    }

    function _callG1(uint256 precompile, bytes memory input, G1Point memory output) private view {
        bool success;
        assembly ("memory-safe") {
            success := staticcall(gas(), precompile, add(input, 32), mload(input), output, 64)
            success := and(success, eq(returndatasize(), 64))
        }
        if (!success) revert Bn254PrecompileFailed(precompile);
    }

    /// @dev (ai·i + ar)·(bi·i + br), with i² = -1.
    function _mul2(
        uint256 ai,
        uint256 ar,
        uint256 bi,
        uint256 br
    ) private pure returns (uint256 i, uint256 r) {
        i = addmod(mulmod(ai, br, P), mulmod(ar, bi, P), P);
        r = addmod(mulmod(ar, br, P), P - mulmod(ai, bi, P), P);
    }
}
