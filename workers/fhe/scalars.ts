import type { ParameterSet } from '../ring/parameters.ts';

/**
 * A constant as ciphertexts are multiplied with it: the representative modulo t of least absolute
 * value, which is what the noise is multiplied with. Half of an even t is taken as it is.
 */
export function centredScalar({ plainModulus }: ParameterSet, scalar: bigint): bigint {
  const residue = scalarResidue(plainModulus, scalar);
  return 2n * residue > plainModulus ? residue - plainModulus : residue;
}

/** From 0 to below t. */
export function scalarResidue(plainModulus: bigint, scalar: bigint): bigint {
  return ((scalar % plainModulus) + plainModulus) % plainModulus;
}
