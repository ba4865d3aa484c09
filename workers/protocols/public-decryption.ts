import { createHash } from 'node:crypto';
import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { decryptionPlan } from '../fhe/noise.ts';
import { serializePlaintext } from '../fhe/plaintext.ts';
import { add } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { scaleAndRound } from '../ring/rounding.ts';
import { Operation, Role, itemId, itemPrefix } from '../sharing/ids.ts';
import { shareLength } from '../sharing/opening.ts';
import type { SharedRandomness } from '../sharing/prss.ts';
import { floodedShare, prepare, requirePreparedFor } from './decryption-input.ts';
import type { DecryptionInput } from './decryption-input.ts';
import { describeOpening } from './describe.ts';
import { openOnce, requireKeyShare, requireValue } from './opening.ts';
import type { KeyShare, Opening, Part, Session, Step } from './opening.ts';
import { atPositions, plus, requirePositions } from './positions.ts';

export { prepare } from './decryption-input.ts';
export type { DecryptionInput } from './decryption-input.ts';
export { open } from './opening.ts';

/** The opening of W = c1·s + E of each ciphertext of a list, at the decryption level, in coefficient form. */
export interface PublicDecryption extends Opening {
  readonly keyId: Hex;
  readonly generation: number;
  readonly set: ParameterSet;
  /** Each is a polynomial of the opening, in this order. */
  readonly inputs: readonly DecryptionInput[];
  /** Item ids of their flooding noise. */
  readonly floodingIds: readonly Hex[];
  /** Coefficients that are opened of each; undefined for all. */
  readonly positions: Uint32Array | undefined;
}

/** What a public decryption ends with, for one ciphertext. */
export interface Decryption {
  /** Plaintext coefficients: at the positions, or all N. */
  readonly coefficients: BigUint64Array;
  /** This ciphertext's part of the signed result. See docs/formats.md, Results. */
  readonly result: Uint8Array;
  /** SEAL's Plaintext object, whose SHA-256 is the result; undefined for listed positions. */
  readonly plaintext: Uint8Array | undefined;
}

/**
 * Which ciphertexts of a request are opened together: all of them where coefficients are listed, since the
 * work around an opening is then more than the opening; else each by itself, since a share of one has
 * hundreds of kilobytes.
 */
export function openedTogether<T>(list: readonly T[], positions: readonly number[]): T[][] {
  return positions.length > 0 ? [[...list]] : list.map((one) => [one]);
}

/** Decrypts a list of ciphertexts, wholly or at some coefficients. Parameters and errors as `describe`. */
export function publicDecryption(
  session: Session,
  decryption: Parameters<typeof describe>[1],
): Part<Decryption[]> {
  const opening = describe(session, decryption);
  const step: Step = {
    opening,
    share: (secrets) => share(opening, secrets.keyShare(opening.keyId), secrets.randomness),
  };
  return openOnce(step, (value) => finish(opening, value));
}

const contentLayout = parseAbiParameters('bytes32, bytes32[]');

/**
 * What is opened to decrypt a list of ciphertexts, wholly or at some coefficients.
 *
 * The noise belongs to (key, ciphertext), not to the list or the request: {0}, then {0,1}, then all, in
 * any company, reveal nothing but the one flooded value.
 *
 * @param decryption.generation of the operators' key shares
 * @param decryption.ciphertexts at least one; canonical bytes, or what `prepare` made of them
 * @param decryption.positions strictly ascending, at least one; undefined for all
 * @throws ProtocolError POSITIONS_INVALID, CIPHERTEXT_LEVEL_TOO_LOW, COMMITTEE_MISMATCH; FheError
 * the format codes, NOISE_NEVER_FITS; SharingError SHAPE_INVALID for an empty list
 */
export function describe(
  session: Session,
  decryption: {
    readonly keyId: Hex;
    readonly generation: number;
    readonly set: ParameterSet;
    readonly ciphertexts: readonly (Uint8Array | DecryptionInput)[];
    readonly positions?: readonly number[] | undefined;
  },
): PublicDecryption {
  const { committee } = session;
  const { keyId, generation, set, ciphertexts } = decryption;
  const positions =
    decryption.positions === undefined
      ? undefined
      : requirePositions(decryption.positions, set.degree);
  const inputs = ciphertexts.map((ciphertext) =>
    ciphertext instanceof Uint8Array ? prepare(committee, set, ciphertext) : ciphertext,
  );
  for (const input of inputs) requirePreparedFor(committee, set, input);
  const prefixOf = (list: readonly DecryptionInput[]): Hex => {
    const digests = list.map(({ digest }) => digest);
    const content = keccak256(encodeAbiParameters(contentLayout, [keyId, digests]));
    return itemPrefix({ ...session, operation: Operation.publicDecryption, content });
  };
  const opening = describeOpening(session, {
    ...{ set, positions, itemPrefix: prefixOf(inputs), polynomials: inputs.length },
    limbs: decryptionPlan(set, committee).limbs,
    keys: [{ keyId, generation }],
  });
  const floodingIds = inputs.map((input) => itemId(prefixOf([input]), { role: Role.flooding }));
  return { ...opening, keyId, generation, set, inputs, floodingIds, positions };
}

/**
 * One operator's step: its share of c1·s + E, of one ciphertext after the other.
 *
 * Meant for peers, once 2t+1 operators have seen the request: t+1 shares give the plaintexts.
 *
 * @param keyShare secret
 * @throws ProtocolError KEY_SHARE_MISMATCH
 */
export function share(
  decryption: PublicDecryption,
  keyShare: KeyShare,
  randomness: SharedRandomness,
): RnsVector {
  const { set, inputs, floodingIds, positions, shape } = decryption;
  requireKeyShare(keyShare, decryption, set);
  const out: RnsVector = new BigUint64Array(shareLength(shape));
  inputs.forEach((input, at) => {
    const one = floodedShare(input, keyShare, randomness, floodingIds[at], positions);
    out.set(one, at * one.length);
  });
  return out;
}

/**
 * The plaintexts behind an opened W: round(t·(c0 + W)/q') mod t of each ciphertext.
 *
 * @throws ProtocolError VALUE_MISMATCH
 */
export function finish(decryption: PublicDecryption, value: RnsVector): Decryption[] {
  requireValue(decryption, value);
  const { set, inputs, positions } = decryption;
  const length = value.length / inputs.length;
  return inputs.map((input, at) => {
    const opened = value.subarray(at * length, (at + 1) * length);
    return positions === undefined
      ? finishWhole(set, input, opened)
      : finishSome(set, input, opened, positions);
  });
}

function finishWhole(
  set: ParameterSet,
  { limbs, c0 }: DecryptionInput,
  value: RnsVector,
): Decryption {
  const basis = basisOf(set, limbs);
  const coefficients = scaleAndRound(basis, set.plainModulus, add(basis, c0, value));
  const plaintext = serializePlaintext(set, coefficients);
  const result = Uint8Array.from(createHash('sha256').update(plaintext).digest());
  return { coefficients, result, plaintext };
}

function finishSome(
  set: ParameterSet,
  { limbs, c0 }: DecryptionInput,
  value: RnsVector,
  positions: Uint32Array,
): Decryption {
  const basis = basisOf(set, limbs);
  const scaled = plus(basis.primes, atPositions(c0, set.degree, positions), value);
  const coefficients = scaleAndRound(basis, set.plainModulus, scaled, positions.length);
  const result = new Uint8Array(8 * coefficients.length);
  const view = new DataView(result.buffer);
  coefficients.forEach((coefficient, at) => view.setBigUint64(8 * at, coefficient));
  return { coefficients, result, plaintext: undefined };
}
