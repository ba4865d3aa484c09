import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import type { Address, Hex } from 'viem';
import type { Flaw } from '../ceremony/flaw.ts';
import { encodeState, stateHash, type PowersState } from '../ceremony/state.ts';
import { proveWrongShare } from '../sharing/evidence.ts';
import type { ShareProof, SignedShare } from '../sharing/evidence.ts';
import type { OpeningPreimage } from '../sharing/ids.ts';
import type { Opening } from './opening.ts';

// Evidence is what a contract verifies by itself: nobody's word is part of it. All of it is public.

/** What operators are slashed for, by the numbers that the contracts give it. */
export const offenceNumbers = {
  'wrong-share': 0,
  equivocation: 1,
  'wrong-result': 2,
  'wrong-contribution': 3,
} as const;

export type EvidenceKind = keyof typeof offenceNumbers;

/** Whom evidence accuses, and in what. */
interface Accusation {
  readonly epochId: Hex;
  /** The opening's id, the request id of a wrong result, or the state's hash of a wrong contribution. */
  readonly subject: Hex;
  /** Committee index of the accused. */
  readonly index: number;
}

/** A share that does not lie on the polynomial of 2t+1 others. */
export interface WrongShare extends Accusation {
  readonly kind: 'wrong-share';
  readonly opening: OpeningPreimage;
  readonly position: number;
  readonly accusers: readonly ShareProof[];
  readonly accused: ShareProof;
}

/** A root that an operator signed for an opening. */
export interface SignedRoot {
  readonly root: Hex;
  readonly signature: Hex;
}

/** Two roots that one operator signed for one opening. */
export interface Equivocation extends Accusation {
  readonly kind: 'equivocation';
  readonly first: SignedRoot;
  readonly second: SignedRoot;
}

/** A signed result that is evidence as soon as another one is recorded. */
export interface WrongResult extends Accusation {
  readonly kind: 'wrong-result';
  /** Contract that took the request. */
  readonly source: Address;
  /** Keccak-256 of the result that was signed. */
  readonly resultHash: Hex;
  readonly signature: Hex;
}

/** A signed state of a ceremony that is wrong by itself. */
export interface WrongContribution extends Accusation {
  readonly kind: 'wrong-contribution';
  readonly ceremonyId: Hex;
  /** Hash of the state before, as it was signed. */
  readonly previous: Hex;
  /** The state as the contract encodes it: evidence is kept as JSON, which has no large numbers. */
  readonly next: Hex;
  readonly flaw: Flaw;
  readonly signature: Hex;
}

export type Evidence = WrongShare | Equivocation | WrongResult | WrongContribution;

/**
 * Evidence that an operator's share of an opening is wrong.
 *
 * @param agreeing operators that agree in the opening, at least 2t+1
 * @param shares of these and of the accused, with checked signatures
 * @returns undefined if the share is right, or nothing that a contract can look at
 */
export function wrongShare(
  epochId: Hex,
  { id, preimage, shape, committee }: Opening,
  shares: ReadonlyMap<number, SignedShare>,
  agreeing: readonly number[],
  index: number,
): WrongShare | undefined {
  const proof = proveWrongShare(committee, shape, shares, agreeing, index);
  if (proof === undefined) return undefined;
  return { kind: 'wrong-share', epochId, subject: id, index, opening: preimage, ...proof };
}

/**
 * Evidence that an operator signed two roots for one opening, in an order that does not depend on who
 * has seen which first.
 *
 * @param roots with checked signatures
 * @returns undefined if the roots are one
 */
export function equivocation(
  epochId: Hex,
  openingId: Hex,
  index: number,
  ...roots: readonly [SignedRoot, SignedRoot]
): Equivocation | undefined {
  const [first, second] = [...roots].sort((a, b) => (a.root < b.root ? -1 : 1));
  if (first.root === second.root) return undefined;
  return { kind: 'equivocation', epochId, subject: openingId, index, first, second };
}

/**
 * Evidence of a result that an operator signed, for the case that another one is recorded.
 *
 * @param signature checked
 */
export function signedResult(
  { epochId, requestId, source }: { epochId: Hex; requestId: Hex; source: Address },
  index: number,
  result: Hex,
  signature: Hex,
): WrongResult {
  const resultHash = keccak256(result);
  return {
    ...{ kind: 'wrong-result', epochId, subject: requestId, index },
    ...{ source, resultHash, signature },
  };
}

/**
 * Evidence that an operator signed a state that has this flaw.
 *
 * @param statement what it signed
 * @param signature checked
 */
export function wrongContribution(
  {
    epochId,
    ceremonyId,
    previous,
  }: {
    readonly epochId: Hex;
    readonly ceremonyId: Hex;
    readonly previous: Hex;
  },
  state: PowersState,
  flaw: Flaw,
  index: number,
  signature: Hex,
): WrongContribution {
  return {
    ...{ kind: 'wrong-contribution', epochId, subject: stateHash(state), index },
    ...{ ceremonyId, previous, next: encodeState(state), flaw, signature },
  };
}

const offenceLayout = parseAbiParameters('uint8, bytes32, bytes32, uint8');

/** What is punished once: H(offence, epochId, subject, index). Other evidence of the same has it too. */
export function offenceId(
  of: Accusation & {
    readonly kind: EvidenceKind;
  },
): Hex {
  const { kind, epochId, subject, index } = of;
  return keccak256(
    encodeAbiParameters(offenceLayout, [offenceNumbers[kind], epochId, subject, index]),
  );
}
