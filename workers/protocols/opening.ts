import type { Address, Hex } from 'viem';
import { isCanonical } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import type { OpeningPreimage } from '../sharing/ids.ts';
import type { SharedRandomness } from '../sharing/prss.ts';
import { openRobustly, shareLength } from '../sharing/opening.ts';
import type { OpenedValue, OpeningShape } from '../sharing/opening.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';

// Every operation is a Part: rounds of openings, then a result. An opening is made of three local
// steps:
//
//   describe  public inputs → what is opened: an Opening, the same for all operators
//   share     an operator's secrets → its share of the opening
//   open      received shares → the value and who was wrong
//
// No step does I/O, reads a clock or draws randomness: asked twice, it gives the same bytes.

/** The epoch an operation runs in. All of it is public. */
export interface Session {
  readonly chainId: bigint;
  /** Address of the DecryptionGateway. */
  readonly gateway: Address;
  readonly epochId: Hex;
  readonly setupDigest: Hex;
  readonly committee: Committee;
}

/** What the operators open together. Each operation extends it by what its own steps need. */
export interface Opening {
  /** Names the share's bytes exactly; what an operator signs its commitment for. */
  readonly id: Hex;
  /** What the id is the hash of, for evidence. */
  readonly preimage: OpeningPreimage;
  readonly shape: OpeningShape;
  readonly committee: Committee;
}

/** An operator's share of a secret key. Secret. */
export interface KeyShare {
  /** 0 as generated; each resharing adds one. */
  readonly generation: number;
  /** Over all primes of the set, in NTT form. */
  readonly ntt: RnsVector;
  /** The same in coefficient form. */
  readonly coefficients: RnsVector;
}

/** Which key share an opening uses. Public. */
export interface KeyReference {
  readonly keyId: Hex;
  /** Of the operators' shares. */
  readonly generation: number;
}

/** What an operator brings to a step. Secret. */
export interface Secrets {
  readonly randomness: SharedRandomness;
  /** The operator's share of a key of its epoch. */
  readonly keyShare: (keyId: Hex) => KeyShare;
}

/** One opening, and how an operator computes its share of it. */
export interface Step {
  readonly opening: Opening;
  /** @throws ProtocolError KEY_SHARE_MISMATCH */
  readonly share: (secrets: Secrets) => RnsVector;
}

/**
 * An operation, or a part of one that can be opened by itself.
 *
 * It yields rounds of steps that may be opened at the same time, is told the opened values in the
 * same order, and returns its result. An operator, a simulation and an auditor drive the same part;
 * they differ in how they open.
 */
export type Part<Result> = Generator<readonly Step[], Result, readonly RnsVector[]>;

/**
 * Opens from the shares at hand although up to t of them may be anything.
 *
 * @param shares by operator index, as received
 * @throws SharingError TOO_FEW_AGREEING: wait for more shares and try again
 */
export function open(opening: Opening, shares: ReadonlyMap<number, RnsVector>): OpenedValue {
  return openRobustly(opening.committee, opening.shape, shares);
}

/**
 * The part that opens one value and makes its result of it.
 *
 * @param finish pure
 */
export function* openOnce<Result>(step: Step, finish: (value: RnsVector) => Result): Part<Result> {
  const values = yield [step];
  requireValues([step], values);
  return finish(values[0]);
}

/**
 * Checks opened values before anything is computed from them: one per step, in canonical form. An
 * opener may have published them, and a residue above its prime passes every linear check.
 *
 * @throws ProtocolError VALUE_MISMATCH
 */
export function requireValues(steps: readonly Step[], values: readonly RnsVector[]): void {
  if (values.length !== steps.length) {
    throw new ProtocolError(ProtocolErrorCode.VALUE_MISMATCH, 'not one value per opening', {
      metadata: { values: values.length, openings: steps.length },
    });
  }
  steps.forEach(({ opening }, at) => requireValue(opening, values[at]));
}

/** @throws ProtocolError VALUE_MISMATCH */
export function requireValue({ shape }: Opening, value: RnsVector): void {
  const expected = shareLength(shape);
  const primes = Array.from({ length: shape.polynomials }, () => shape.primes).flat();
  if (value.length !== expected || !isCanonical(primes, shape.width, value)) {
    throw new ProtocolError(ProtocolErrorCode.VALUE_MISMATCH, 'not a value of this opening', {
      metadata: { length: value.length, expected },
    });
  }
}

/**
 * An operator's share of a key that an opening uses. Secret.
 *
 * @throws as `requireKeyShare`
 */
export function keyShareFor(secrets: Secrets, key: KeyReference, set: ParameterSet): KeyShare {
  const keyShare = secrets.keyShare(key.keyId);
  requireKeyShare(keyShare, key, set);
  return keyShare;
}

/** @throws ProtocolError KEY_SHARE_MISMATCH if it is of another generation or of another ring */
export function requireKeyShare(
  keyShare: KeyShare,
  { generation }: KeyReference,
  set: ParameterSet,
): void {
  const length = set.primes.length * set.degree;
  const matches =
    keyShare.generation === generation &&
    keyShare.ntt.length === length &&
    keyShare.coefficients.length === length;
  if (!matches) {
    throw new ProtocolError(
      ProtocolErrorCode.KEY_SHARE_MISMATCH,
      'the key share is not the one this opening uses',
      { metadata: { generation: keyShare.generation, expected: generation } },
    );
  }
}

/**
 * What an operator hands to a peer in place of its honest share: how it may deviate.
 *
 * @param share the honest one; not to be mutated
 * @returns undefined to stay silent
 */
export type Conduct = (
  share: RnsVector,
  context: {
    readonly opening: Opening;
    /** Committee index of the peer. */
    readonly to: number;
    /** The operator's share of an earlier opening, if there was one. */
    readonly previous?: RnsVector;
  },
) => RnsVector | undefined;

/** The conduct of the protocol. */
export const honest: Conduct = (share) => share;
