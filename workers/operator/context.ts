import type { Hex, LocalAccount } from 'viem';

import type { GatewayClient } from '../chain/client.ts';
import type { SpendingCaps } from '../chain/fees.ts';
import { isSignedBy as isSignedByAddress } from '../chain/signed-by.ts';
import { signStatement, type Statement } from '../chain/typed-data.ts';
import type { TransactionSender } from '../chain/sender.ts';
import type { Host } from '../net/host/index.ts';
import type { Residues } from '../net/packed.ts';
import type { SignedResult } from '../net/results/index.ts';
import type { SignedShare } from '../net/shares/index.ts';
import type { SignedView } from '../net/views/index.ts';
import type { Opening } from '../protocols/opening.ts';
import type { RnsVector } from '../ring/basis.ts';
import { combinationShape } from '../sharing/combinations.ts';
import type { Store } from '../store/store.ts';
import type { CeremonyComputer, ContributionTask, MadeContribution } from './ceremony/computer.ts';
import type { Board } from './openings/board.ts';
import type { OpenedValues } from './openings/opened-values.ts';
import type { OwnCombinations } from './openings/own-combinations.ts';
import type { Damages } from './damages.ts';
import type { Log } from './log.ts';
import type { Observer } from './observing.ts';
import type { ProgressBook } from './progress.ts';
import type { Verification } from './registration/verification.ts';
import { signerOf, type Place } from './committee/seat.ts';
import type { Slots } from './duties/slots.ts';
import type { Wakeup } from './waiting.ts';
import type { Comparisons } from './watchdog/comparisons.ts';
import type { EvidenceTerms } from './watchdog/terms.ts';

/** An own share that peers may ask for. Its residues are in the transcripts, not in memory. */
export interface PublishedShare {
  readonly seat: Place;
  /** Key or request that it was computed for; the opening's id where that is not known any more. */
  readonly subject: Hex;
  readonly opening: Opening;
  /** Of the commitment to the share. */
  readonly signature: Hex;
}

/** An own result that peers may ask for. */
export interface PublishedResult extends SignedResult {
  /** What is signed, for given result bytes. */
  readonly statement: (result: Hex) => Statement;
}

/**
 * What a peer gets that asks about an opening or a result: how an operator may deviate. The honest one
 * hands everybody what it has computed; malicious twins (test/twins) have other things.
 *
 * @param to committee index of the peer
 * @param signal aborts when the peer does not wait any more
 */
export interface Answering {
  readonly share: AnswerBy<SignedShare>;
  /** Asked as an opener. */
  readonly value: AnswerBy<Residues>;
  /** Asked to check a value that somebody published. */
  readonly combinations: AnswerBy<Residues>;
  readonly result: (
    context: OperatorContext,
    honest: PublishedResult,
    to: number,
    signal: AbortSignal,
  ) => Promise<SignedResult>;
  /** What it contributes to a ceremony in its slot; undefined for nothing. */
  readonly contribution: (
    context: OperatorContext,
    task: ContributionTask,
    honest: (task: ContributionTask) => Promise<MadeContribution>,
  ) => Promise<MadeContribution | undefined>;
}

/** What becomes of the honest residues. */
type AnswerBy<Answer> = (
  context: OperatorContext,
  published: PublishedShare,
  honest: RnsVector,
  to: number,
  signal: AbortSignal,
) => Promise<Answer>;

export const answerHonestly: Answering = {
  share: async (_, { opening, signature }, share) => ({
    signature,
    shape: opening.shape,
    residues: share,
  }),
  value: async (_, { opening }, value) => ({ shape: opening.shape, residues: value }),
  combinations: async (_, { opening }, combinations) => ({
    shape: combinationShape(opening.shape),
    residues: combinations,
  }),
  result: async (_, honest) => honest,
  contribution: (_, task, honest) => honest(task),
};

/** What every job of an operator works with. */
export interface OperatorContext {
  readonly gateway: GatewayClient;
  readonly account: LocalAccount;
  readonly store: Store;
  readonly host: Host;
  readonly sender: TransactionSender;
  readonly log: Log;
  /** What is damaged in the data directory. */
  readonly damages: Damages;
  readonly progress: ProgressBook;
  /** Told of the work, for metrics and traces. */
  readonly observer: Required<Observer>;
  /** Places for requests that are served at once. */
  readonly requestSlots: Slots;
  /** Places for what others have answered already, few: what is still asked for comes first. */
  readonly lateSlots: Slots;
  /** One place, for making evidence of shares: it takes all shares of an opening into memory. */
  readonly witnessSlots: Slots;
  /** The same for evaluation keys, which take minutes. */
  readonly evaluationSlots: Slots;
  /** And for ceremonies, which mostly wait. */
  readonly ceremonySlots: Slots;
  readonly submitDelayMs: number;
  /** Operations with more bytes of shares than this go through openers. */
  readonly largeOperationBytes: number;
  /** How long an opener may be silent. */
  readonly valuePatienceMs: number;
  /** Aborts when the process shuts down. */
  readonly stopping: AbortSignal;
  readonly answering: Answering;
  /** Computes contributions to ceremonies, and checks them. */
  readonly ceremonies: CeremonyComputer;
  /** Hashes of the states of ceremonies that this operator has checked whole. */
  readonly checkedStates: Set<Hex>;
  /** SHA-256 of files that peers may have before the chain names them: they are to sign them. */
  readonly offeredFiles: Set<Hex>;
  /** What it knows about ciphertexts because it has verified them. */
  readonly verification: Verification;
  readonly values: OpenedValues;
  readonly combinations: OwnCombinations;
  /** Openings whose signed roots are compared with the peers'. */
  readonly comparisons: Comparisons;
  /** Most that transactions may offer. */
  readonly spendingCaps: SpendingCaps;
  /** What evidence may cost, and has to bring. */
  readonly evidenceTerms: EvidenceTerms;
  /** Wakes whoever submits evidence when there is new. */
  readonly evidenceKept: Wakeup;
  readonly boards: {
    readonly views: Board<SignedView>;
    readonly shares: Board<PublishedShare>;
    readonly results: Board<PublishedResult>;
  };
}

/** Signs with the operator's key; the signature is the same each time. */
export function sign(context: OperatorContext, statement: Statement): Promise<Hex> {
  return signStatement(context.account, context.gateway, statement);
}

/** True if `index` of the seat's committee made the signature over the statement. */
export function isSignedBy(
  context: OperatorContext,
  seat: Place,
  index: number,
  statement: Statement,
  signature: Hex,
): Promise<boolean> {
  return isSignedByAddress(context.gateway, statement, signature, signerOf(seat, index));
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
  context.observer.onFault(subject, { index, operator, reason });
  context.log.warn({ subject, openingId, index, operator, reason }, 'peer deviated');
}
