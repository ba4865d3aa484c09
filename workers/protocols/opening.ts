import type { Address, Hex } from 'viem';
import type { RnsVector } from '../ring/basis.ts';
import type { Committee } from '../sharing/committee.ts';
import type { SharedRandomness } from '../sharing/prss.ts';
import { openRobustly, shareLength } from '../sharing/opening.ts';
import type { OpenedValue, OpeningShape } from '../sharing/opening.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';

// Every operation is four local steps, under the same names in each file of this folder:
//
//   describe  public inputs → what is opened: an Opening, the same for all operators
//   share     an operator's secrets → its share of the opening
//   open      received shares → the value and who was wrong
//   finish    the value → the operation's result
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

/** What an operator brings to a step. Secret. */
export interface Secrets {
  readonly randomness: SharedRandomness;
  /** The operator's share of a key of its epoch. */
  keyShare(keyId: Hex): KeyShare;
}

/** One opening, and how an operator computes its share of it. */
export interface Step {
  readonly opening: Opening;
  /** @throws ProtocolError KEY_SHARE_MISMATCH */
  share(secrets: Secrets): RnsVector;
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

/** @throws ProtocolError VALUE_MISMATCH */
export function requireValue(opening: Opening, value: RnsVector): void {
  const expected = shareLength(opening.shape);
  if (value.length !== expected) {
    throw new ProtocolError(ProtocolErrorCode.VALUE_MISMATCH, 'not a value of this opening', {
      metadata: { length: value.length, expected },
    });
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
