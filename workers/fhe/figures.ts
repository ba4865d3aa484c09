import type { ParameterSet } from '../ring/parameters.ts';
import { committeeOf } from '../sharing/committee.ts';
import { isKeyloomError } from '../errors.ts';
import { ciphertextLength, firstLimbs } from './ciphertext.ts';
import { FheErrorCode } from './errors.ts';
import { entryLength, galoisKeysLength, relinearizationKeysLength } from './evaluation-keys.ts';
import { galoisElements } from './galois-elements.ts';
import { decryptionPlan, multiplicationsPossible } from './noise.ts';
import { modulusOf } from './noise-growth.ts';

/** Committee sizes, ascending. */
export const committeeSizes = [4, 7, 10, 13] as const;

/** Bits of security against the best known attacks; 0 for a set that has none to speak of. */
export type SecurityLevel = 0 | 128 | 192 | 256;

/** Bytes of SEAL's objects, uncompressed, as they are downloaded. */
export interface ObjectSizes {
  /** A ciphertext at the first level. */
  readonly ciphertext: number;
  readonly publicKey: number;
  readonly relinearizationKeys: number;
  /** What one Galois element adds to a key file. */
  readonly galoisElement: number;
  /** SEAL's default set: all rotations by powers of two. */
  readonly defaultGaloisKeys: number;
  readonly switchingKey: number;
}

/** What a committee can do under a parameter set. */
export interface CommitteeFigures {
  readonly n: number;
  /** Primes of the decryption level. */
  readonly limbs: number;
  readonly floodBits: number;
  readonly maxNoiseBits: number;
  readonly multiplications: number;
  /** Bytes of an answer that only one user can decrypt. */
  readonly answer: number;
}

/** The committees that can decrypt under a parameter set, ascending. */
export function committeeFigures(set: ParameterSet): CommitteeFigures[] {
  return committeeSizes.flatMap((n) => {
    const committee = committeeOf(n);
    try {
      const { limbs, floodBits, maxNoiseBits } = decryptionPlan(set, committee);
      const multiplications = multiplicationsPossible(set, committee);
      const answer = ciphertextLength(set, limbs);
      return [{ n, limbs, floodBits, maxNoiseBits, multiplications, answer }];
    } catch (error) {
      if (isKeyloomError(error, FheErrorCode.NOISE_NEVER_FITS)) return [];
      throw error;
    }
  });
}

/** See `ObjectSizes`. */
export function objectSizes(set: ParameterSet): ObjectSizes {
  return {
    ciphertext: ciphertextLength(set, firstLimbs(set)),
    publicKey: ciphertextLength(set, set.primes.length),
    relinearizationKeys: relinearizationKeysLength(set),
    galoisElement: entryLength(set),
    defaultGaloisKeys: galoisKeysLength(set, galoisElements(set.degree, 'default').length),
    switchingKey: galoisKeysLength(set, 1),
  };
}

/** Bits of the product of all primes, on which security depends. */
export function modulusBits(set: ParameterSet): number {
  return modulusOf(set, set.primes.length).toString(2).length;
}

/**
 * Security by ring degree and size of the modulus, for ternary secrets.
 *
 * Source: M. Albrecht et al., Homomorphic Encryption Security Standard, HomomorphicEncryption.org
 * (2018), table 1.
 */
export function securityLevel(set: ParameterSet): SecurityLevel {
  const bits = modulusBits(set);
  const limits = mostModulusBits.get(set.degree) ?? [0, 0, 0];
  const levels = [256, 192, 128] as const;
  return levels.find((_, at) => bits <= limits[at]) ?? 0;
}

/** By degree: the most bits of a modulus for security of 256, 192 and 128 bits. */
export const mostModulusBits: ReadonlyMap<number, readonly [number, number, number]> = new Map([
  [1024, [14, 19, 27]],
  [2048, [29, 37, 54]],
  [4096, [58, 75, 109]],
  [8192, [118, 152, 218]],
  [16384, [237, 305, 438]],
  [32768, [476, 611, 881]],
]);
