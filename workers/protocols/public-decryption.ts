import { createHash } from 'node:crypto';
import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { serializePlaintext } from '../fhe/plaintext.ts';
import { add } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { scaleAndRound } from '../ring/rounding.ts';
import { Operation, Role, itemId, itemPrefix } from '../sharing/ids.ts';
import type { SharedRandomness } from '../sharing/prss.ts';
import { floodedShare, prepare, requirePreparedFor } from './decryption-input.ts';
import type { DecryptionInput } from './decryption-input.ts';
import { describeOpening } from './describe.ts';
import { openOnce, requireKeyShare, requireValue } from './opening.ts';
import type { KeyShare, Opening, Part, Session, Step } from './opening.ts';
import { atPositions, plus, requirePositions, scaleAndRoundSome } from './positions.ts';

export { prepare } from './decryption-input.ts';
export type { DecryptionInput } from './decryption-input.ts';
export { open } from './opening.ts';

/** The opening of W = c1·s + E at the decryption level, in coefficient form. */
export interface PublicDecryption extends Opening {
  readonly keyId: Hex;
  readonly generation: number;
  readonly input: DecryptionInput;
  /** Item id of the flooding noise E. */
  readonly floodingId: Hex;
  /** Coefficients that are opened; undefined for all. */
  readonly positions: Uint32Array | undefined;
}

/** What a public decryption ends with. */
export interface Decryption {
  /** Plaintext coefficients: at the positions, or all N. */
  readonly coefficients: BigUint64Array;
  /** This ciphertext's part of the signed result. See docs/formats.md, Results. */
  readonly result: Uint8Array;
  /** SEAL's Plaintext object, whose SHA-256 is the result; undefined for listed positions. */
  readonly plaintext: Uint8Array | undefined;
}

/** Decrypts a ciphertext, wholly or at some coefficients. Parameters and errors as `describe`. */
export function publicDecryption(
  session: Session,
  decryption: Parameters<typeof describe>[1],
): Part<Decryption> {
  const opening = describe(session, decryption);
  const step: Step = {
    opening,
    share: (secrets) => share(opening, secrets.keyShare(opening.keyId), secrets.randomness),
  };
  return openOnce(step, (value) => finish(opening, value));
}

const contentLayout = parseAbiParameters('bytes32, bytes32');

/**
 * What is opened to decrypt a ciphertext, wholly or at some coefficients.
 *
 * The noise belongs to (key, ciphertext), not to the request: {0}, then {0,1}, then all reveal
 * nothing but the one flooded value.
 *
 * @param decryption.generation of the operators' key shares
 * @param decryption.ciphertext canonical bytes, or what `prepare` made of them
 * @param decryption.positions strictly ascending, at least one; undefined for all
 * @throws ProtocolError POSITIONS_INVALID, CIPHERTEXT_LEVEL_TOO_LOW, COMMITTEE_MISMATCH; FheError
 * the format codes, NOISE_NEVER_FITS
 */
export function describe(
  session: Session,
  decryption: {
    readonly keyId: Hex;
    readonly generation: number;
    readonly set: ParameterSet;
    readonly ciphertext: Uint8Array | DecryptionInput;
    readonly positions?: readonly number[] | undefined;
  },
): PublicDecryption {
  const { committee } = session;
  const { keyId, generation, set, ciphertext } = decryption;
  const positions =
    decryption.positions === undefined
      ? undefined
      : requirePositions(decryption.positions, set.degree);
  const input = ciphertext instanceof Uint8Array ? prepare(committee, set, ciphertext) : ciphertext;
  requirePreparedFor(committee, set, input);
  const prefix = itemPrefix({
    ...session,
    operation: Operation.publicDecryption,
    content: keccak256(encodeAbiParameters(contentLayout, [keyId, input.digest])),
  });
  const keys = [{ keyId, generation }];
  const { limbs } = input;
  return {
    ...describeOpening(session, { set, itemPrefix: prefix, keys, limbs, positions }),
    keyId,
    generation,
    input,
    floodingId: itemId(prefix, { role: Role.flooding }),
    positions,
  };
}

/**
 * One operator's step: its share of c1·s + E.
 *
 * Meant for peers, once 2t+1 operators have seen the request: t+1 shares give the plaintext.
 *
 * @param keyShare secret
 * @throws ProtocolError KEY_SHARE_MISMATCH
 */
export function share(
  decryption: PublicDecryption,
  keyShare: KeyShare,
  randomness: SharedRandomness,
): RnsVector {
  const { input, floodingId, positions } = decryption;
  requireKeyShare(keyShare, decryption, input.set);
  return floodedShare(input, keyShare, randomness, floodingId, positions);
}

/**
 * The plaintext behind an opened W: round(t·(c0 + W)/q') mod t.
 *
 * @throws ProtocolError VALUE_MISMATCH
 */
export function finish(decryption: PublicDecryption, value: RnsVector): Decryption {
  requireValue(decryption, value);
  const { input, positions } = decryption;
  const { set, limbs, c0 } = input;
  const basis = basisOf(set, limbs);
  if (positions === undefined) {
    const coefficients = scaleAndRound(basis, set.plainModulus, add(basis, c0, value));
    const plaintext = serializePlaintext(set, coefficients);
    const result = Uint8Array.from(createHash('sha256').update(plaintext).digest());
    return { coefficients, result, plaintext };
  }
  const scaled = plus(basis.primes, atPositions(c0, set.degree, positions), value);
  const coefficients = scaleAndRoundSome(basis, set.plainModulus, scaled);
  const result = new Uint8Array(8 * coefficients.length);
  const view = new DataView(result.buffer);
  coefficients.forEach((coefficient, at) => view.setBigUint64(8 * at, coefficient));
  return { coefficients, result, plaintext: undefined };
}
