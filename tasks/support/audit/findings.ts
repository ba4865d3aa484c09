import type { Address, Hex } from 'viem';

import type { Member } from '../operators.ts';

/** What an operator signed for an opening. */
export interface Commitment {
  readonly root: Hex;
  /** Of the `ShareCommitment` of epoch, opening and root. */
  readonly signature: Hex;
}

/** Why what an operator served was put aside. It convicts nobody: whoever serves may have made it. */
export type Refusal =
  /** Not the promised form. */
  | 'MALFORMED'
  /** Of another epoch. */
  | 'OTHER_EPOCH'
  /** Not as many residues as a share of this opening has. */
  | 'LENGTH'
  /** The signature is not the operator's for these residues. */
  | 'SIGNATURE';

/** What an audit found out about one operator. */
export interface OperatorFindings {
  readonly index: number;
  readonly operator: Address;
  readonly signer: Address;
  readonly endpoint: string;
  /** Why it was not asked any more; undefined if it answered. */
  silence: string | undefined;
  /** Openings of which a share with its signature was found. */
  shares: number;
  /** Openings of which none was found, at nobody. */
  readonly missing: Hex[];
  /** Openings of which it signed a share that is not on the polynomial of 2t+1 others. */
  readonly faulty: { readonly openingId: Hex; readonly commitment: Commitment }[];
  /** Openings of which it signed more than one share. */
  readonly equivocations: {
    readonly openingId: Hex;
    readonly commitments: readonly Commitment[];
  }[];
  /** What it served and could not be used. `index` is whose share it was to be. */
  readonly refused: {
    readonly openingId: Hex;
    readonly index: number | undefined;
    readonly reason: Refusal;
  }[];
}

/** A blank page for each member of a committee. */
export function findingsOf(members: readonly Member[]): Map<number, OperatorFindings> {
  return new Map(
    members.map(({ index, operator, signer, endpoint }) => [
      index,
      {
        ...{ index, operator, signer, endpoint, silence: undefined, shares: 0 },
        ...{ missing: [], faulty: [], equivocations: [], refused: [] },
      },
    ]),
  );
}

/** Operators whom their own signatures convict, ascending. */
export function convicted(findings: Iterable<OperatorFindings>): number[] {
  return [...findings]
    .filter(({ faulty, equivocations }) => faulty.length + equivocations.length > 0)
    .map(({ index }) => index);
}
