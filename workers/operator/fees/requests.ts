import { zeroAddress, type Hex } from 'viem';

import type { EscrowEntry } from '../../chain/state.ts';
import type { OperatorContext } from '../context.ts';
import { indexIn } from '../committee/membership.ts';
import type { ChainState } from '../chain-view/chain-state.ts';

/** `RequestState` of the contracts. */
const ANSWERED = 2;
const EXPIRED = 3;

/** A request whose fee is in escrow, of an epoch in which this operator has or had a seat. */
export interface OwnRequest extends EscrowEntry {
  /** Own committee index, from 1. */
  readonly index: number;
  /** Size of the committee. */
  readonly n: number;
}

/** What the contract says of a request now, which may be ahead of the confirmed chain. */
export interface Standing {
  readonly isAnswered: boolean;
  readonly isExpired: boolean;
  /** Whether its fee has been settled or refunded. */
  readonly isSpent: boolean;
  /** Timestamp in seconds: of the answer and, once there is one, of attestations. */
  readonly deadline: bigint;
  readonly resultHash: Hex;
  /** Bitmap of who signed the result or attested to it. */
  readonly signers: bigint;
}

/** The requests of this operator's epochs whose fees are in escrow on the confirmed chain. */
export function* ownRequests(context: OperatorContext, chain: ChainState): Generator<OwnRequest> {
  const { epochs, escrowed } = chain.now;
  const self = context.account.address;
  const seats = new Map(
    [...epochs.values()].flatMap((epoch) => {
      const index = indexIn(epoch, self);
      return index === undefined ? [] : [[epoch.epochId, { index, n: epoch.signers.length }]];
    }),
  );
  for (const entry of escrowed.values()) {
    const seat = seats.get(entry.epochId);
    if (seat !== undefined) yield { ...entry, ...seat };
  }
}

/** Reads what the contract says of a request. */
export async function standingOf(
  { gateway }: OperatorContext,
  { contract, requestId }: EscrowEntry,
): Promise<Standing> {
  const { state, account, deadline, resultHash, signers } = await gateway.contracts[
    contract
  ].read.request([requestId]);
  return {
    isAnswered: state === ANSWERED,
    isExpired: state === EXPIRED,
    isSpent: account === zeroAddress,
    ...{ deadline, resultHash, signers: BigInt(signers) },
  };
}

/** True if the bit of this operator is not among the signers. */
export const lacks = (signers: bigint | undefined, { index }: OwnRequest): boolean =>
  signers !== undefined && ((signers >> BigInt(index - 1)) & 1n) === 0n;
