// Arithmetic on ring elements, one topic per file.

export { negacyclicCoefficients } from './coefficients.ts';
export { linearCombination } from './combination.ts';
export { add, intt, multiply, negacyclicMultiplyAdd, negate, ntt, subtract } from './elements.ts';
