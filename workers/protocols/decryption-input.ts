import type { Hex } from 'viem';
import { ciphertextDigest } from '../fhe/ciphertext-digest.ts';
import { firstLimbs, parseCiphertext } from '../fhe/ciphertext.ts';
import { decryptionPlan } from '../fhe/noise.ts';
import { negacyclicCoefficients, negacyclicMultiplyAdd } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { switchModulus } from '../ring/switching.ts';
import type { Committee } from '../sharing/committee.ts';
import type { SharedRandomness } from '../sharing/prss.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';
import type { KeyShare } from './opening.ts';
import { plus } from './positions.ts';

/** A ciphertext at the decryption level of a committee. Public. */
export interface DecryptionInput {
  readonly set: ParameterSet;
  readonly committee: Committee;
  /** The decryption level. */
  readonly limbs: number;
  /** B of the flooding noise there. */
  readonly floodBits: number;
  /** Coefficient form over `limbs` primes. */
  readonly c0: RnsVector;
  readonly c1: RnsVector;
  /** SHA-256 of the canonical bytes at this level. */
  readonly digest: Hex;
}

/**
 * Parses a ciphertext and switches it to the decryption level.
 *
 * All work that depends on the ciphertext alone, so that several requests for it share it. Level
 * switching is deterministic: all operators get the same bytes, hence the same ids and noise.
 *
 * @param bytes from outside; canonical or rejected
 * @throws FheError the format codes of `parseCiphertext`, NOISE_NEVER_FITS; ProtocolError
 * CIPHERTEXT_LEVEL_TOO_LOW
 */
export function prepare(
  committee: Committee,
  set: ParameterSet,
  bytes: Uint8Array,
): DecryptionInput {
  const { limbs, floodBits } = decryptionPlan(set, committee);
  const ciphertext = parseCiphertext(set, bytes, scratchFor(set));
  if (ciphertext.limbs < limbs) {
    throw new ProtocolError(
      ProtocolErrorCode.CIPHERTEXT_LEVEL_TOO_LOW,
      'a ciphertext below the decryption level leaves no room for flooding noise',
      { metadata: { limbs: ciphertext.limbs, decryptionLimbs: limbs } },
    );
  }
  const from = basisOf(set, ciphertext.limbs);
  const to = basisOf(set, limbs);
  const c0 = switchModulus(from, to, ciphertext.c0);
  const c1 = switchModulus(from, to, ciphertext.c1);
  const digest = ciphertextDigest(set, { limbs, c0, c1 });
  return { set, committee, limbs, floodBits, c0, c1, digest };
}

/**
 * Memory for a ciphertext while it is switched, one for all: a request has up to 16, of half a megabyte and
 * more each, and collecting so much garbage takes longer than all that is computed.
 */
let scratch: RnsVector = new BigUint64Array();

function scratchFor(set: ParameterSet): RnsVector {
  const length = 2 * firstLimbs(set) * set.degree;
  if (scratch.length < length) scratch = new BigUint64Array(length);
  return scratch;
}

/** @throws ProtocolError COMMITTEE_MISMATCH if it was prepared for others than these */
export function requirePreparedFor(
  committee: Committee,
  set: ParameterSet,
  input: DecryptionInput,
): void {
  if (input.set !== set || input.committee.n !== committee.n) {
    throw new ProtocolError(
      ProtocolErrorCode.COMMITTEE_MISMATCH,
      'the ciphertext was prepared for another committee or parameter set',
      { metadata: { n: committee.n, preparedFor: input.committee.n } },
    );
  }
}

/**
 * An operator's share of c1·s + E, in coefficient form at the decryption level.
 *
 * @param keyShare as `requireKeyShare` leaves it; secret
 * @param floodingId item id of E: of the content alone
 * @param positions coefficients wanted; absent for all
 * @returns secret until the request may be served
 */
export function floodedShare(
  { set, limbs, floodBits, c1 }: DecryptionInput,
  keyShare: KeyShare,
  randomness: SharedRandomness,
  floodingId: Hex,
  positions?: Uint32Array,
): RnsVector {
  const basis = basisOf(set, limbs);
  const noise = randomness.share({
    primes: basis.primes,
    degree: set.degree,
    itemId: floodingId,
    distribution: { kind: 'uniform', bits: floodBits },
    ...(positions && { positions }),
  });
  if (positions === undefined) {
    return negacyclicMultiplyAdd(basis, c1, keyShare.ntt.subarray(0, c1.length), noise);
  }
  const secret = keyShare.coefficients.subarray(0, c1.length);
  return plus(basis.primes, negacyclicCoefficients(basis, c1, secret, positions), noise);
}
