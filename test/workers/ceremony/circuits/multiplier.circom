pragma circom 2.0.0;

// Knows two factors of a public number, none of them 1.
template Multiplier() {
    signal input a;
    signal input b;
    signal output c;
    signal inverseA;
    signal inverseB;

    inverseA <-- 1 / (a - 1);
    inverseA * (a - 1) === 1;
    inverseB <-- 1 / (b - 1);
    inverseB * (b - 1) === 1;
    c <== a * b;
}

component main = Multiplier();
