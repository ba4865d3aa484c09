import type { Address, Hex, LocalAccount } from 'viem';

import type { GatewayClient } from '../chain/client.ts';
import { recoverSigner, signStatement, type Statement } from '../chain/typed-data.ts';
import type { TransactionSender } from '../chain/sender.ts';
import type { Host } from '../net/host/index.ts';
import type { SignedResult } from '../net/results/index.ts';
import type { SignedShare } from '../net/shares/index.ts';
import type { SignedView } from '../net/views/index.ts';
import type { Opening } from '../protocols/opening.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { Store } from '../store/store.ts';
import type { Board } from './openings/board.ts';
import type { Log } from './log.ts';
import type { ProgressBook } from './progress.ts';
import { signerOf, type Place } from './committee/seat.ts';
import type { Slots } from './duties/slots.ts';

/** A share as it waits for the peers' questions. */
export interface PublishedShare {
  readonly seat: Place;
  readonly opening: Opening;
  readonly share: RnsVector;
  /** Of the commitment to `share`. */
  readonly signature: Hex;
}

/**
 * What a peer gets that asks for a share: how an operator may deviate. The honest one hands everybody
 * the one share that was committed to; malicious twins (test/twins) have others.
 */
export type HandOver = (
  context: OperatorContext,
  published: PublishedShare,
  to: number,
  signal: AbortSignal,
) => Promise<SignedShare>;

export const handOverHonestly: HandOver = async (_, { share, signature }) => ({
  signature,
  residues: share,
});

/** What every job of an operator works with. */
export interface OperatorContext {
  readonly gateway: GatewayClient;
  readonly account: LocalAccount;
  readonly store: Store;
  readonly host: Host;
  readonly sender: TransactionSender;
  readonly log: Log;
  readonly progress: ProgressBook;
  /** Places for requests that are served at once. */
  readonly requestSlots: Slots;
  readonly submitDelayMs: number;
  /** Aborts when the process shuts down. */
  readonly stopping: AbortSignal;
  readonly handOver: HandOver;
  readonly boards: {
    readonly views: Board<SignedView>;
    readonly shares: Board<PublishedShare>;
    readonly results: Board<SignedResult>;
  };
}

/** Signs with the operator's key; the signature is the same each time. */
export function sign(context: OperatorContext, statement: Statement): Promise<Hex> {
  return signStatement(context.account, context.gateway, statement);
}

/** True if `index` of the seat's committee made the signature over the statement. */
export async function isSignedBy(
  context: OperatorContext,
  seat: Place,
  index: number,
  statement: Statement,
  signature: Hex,
): Promise<boolean> {
  const signer: Address | undefined = await recoverSigner(
    context.gateway,
    statement,
    signature,
  ).catch(() => undefined);
  return signer !== undefined && signer === signerOf(seat, index);
}

/** Records and logs that a peer deviated. */
export function blame(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  openingId: Hex,
  index: number,
  reason: string,
): void {
  const operator = signerOf(seat, index);
  context.store.faults.record({ subject, openingId, operator: index, reason });
  context.progress.blame(subject, { index, operator, reason });
  context.log.warn({ subject, openingId, index, operator, reason }, 'peer deviated');
}
