import { decryptionGatewayAbi } from '../../chain/abi.ts';
import { ChainErrorCode } from '../../chain/errors.ts';
import type { RecordedAnswer } from '../../chain/state.ts';
import { isKeyloomError } from '../../errors.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { OperatorContext } from '../context.ts';
import { unlessAborted } from '../waiting.ts';
import { batchesOf, MAX_BATCH } from './batches.ts';
import { lacks, ownRequests, standingOf, type OwnRequest, type Standing } from './requests.ts';
import { rankAt } from './turns.ts';

/** Attestations are sent no later than this before they have to be there, if there were no rounds. */
const ATTEST_AHEAD_SECONDS = 30n;
/** With less time left, an attestation may be included too late: it would cost gas for nothing. */
const ATTEST_MARGIN_SECONDS = 5n;
/** Requests that are read from the endpoint at once. */
const READS_AT_ONCE = 16;

/** What is sent about requests, by the contracts' names. */
type Work = 'attest' | 'settle' | 'expire';
/** Whether a request belongs into what is sent. */
type IsOpen = (standing: Standing, request: OwnRequest) => boolean;

/**
 * Looks after the fees of this operator's epochs: attests to results that it has signed and whose
 * answer lacks its signature, has answered requests paid out, and expired ones refunded.
 *
 * Everything follows from the confirmed chain and from what this operator has signed, so nothing is
 * lost with the process. What is sent is in batches, checked against the chain's latest state before,
 * and simulated by the sender: what the contract would reject is not sent.
 */
export class FeeKeeper {
  readonly #context: OperatorContext;
  readonly #chain: ChainState;
  readonly #everySeconds: bigint;
  /** Until when others may attest. No event says it. */
  readonly #deadlines = new WeakMap<RecordedAnswer, bigint>();

  /** @param everyMs how long the next operator in turn waits before it settles or expires in one's place */
  constructor(context: OperatorContext, chain: ChainState, everyMs: number) {
    this.#context = context;
    this.#chain = chain;
    this.#everySeconds = BigInt(Math.ceil(everyMs / 1_000));
  }

  /**
   * Attests, if it is time to. Requests wait for each other until the first of them is urgent.
   *
   * @throws errors of the endpoint, and the signal's reason: look again
   */
  async attest(signal: AbortSignal): Promise<void> {
    const lacking = [...ownRequests(this.#context, this.#chain)].filter(
      (request) => this.#hasSigned(request) && lacks(request.answer?.signers, request),
    );
    if (lacking.length === 0) return;
    const now = await this.#now();
    const ends = await this.#attestableUntil(lacking);
    const isInTime = (end: bigint | undefined): boolean =>
      end !== undefined && end > now + ATTEST_MARGIN_SECONDS;
    const open = lacking.filter((_, at) => isInTime(ends[at]));
    const twoRounds = 2n * this.#everySeconds;
    const ahead = twoRounds > ATTEST_AHEAD_SECONDS ? twoRounds : ATTEST_AHEAD_SECONDS;
    const isUrgent = ends.some((end) => isInTime(end) && end! <= now + ahead);
    if (!isUrgent && open.length < MAX_BATCH) return;
    await this.#send('attest', open, signal, (standing, request) => {
      const { isAnswered, isSpent, deadline, resultHash, signers } = standing;
      if (!isAnswered || isSpent || !isInTime(deadline)) return false;
      return resultHash === request.answer?.resultHash && lacks(signers, request);
    });
  }

  /**
   * Settles what nobody can attest to any more, and expires what was not answered in time, as far as it
   * is this operator's turn.
   *
   * @throws errors of the endpoint, and the signal's reason: look again
   */
  async settleAndExpire(signal: AbortSignal): Promise<void> {
    const own = [...ownRequests(this.#context, this.#chain)];
    if (own.length === 0) return;
    const now = await this.#now();
    const answered = own.filter(({ answer }) => answer !== undefined);
    const ends = await this.#attestableUntil(answered);
    const settleable = answered.filter((request, at) => this.#isTurn(request, ends[at], now));
    await this.#send('settle', settleable, signal, ({ isAnswered, isSpent, deadline }) => {
      return isAnswered && !isSpent && deadline < now;
    });
    const unanswered = own.filter(({ answer }) => answer === undefined);
    const expirable = unanswered.filter((request) => this.#isTurn(request, request.deadline, now));
    await this.#send('expire', expirable, signal, ({ isExpired, isSpent }) => {
      return isExpired && !isSpent;
    });
  }

  /** True of an answer that is what this operator has computed and signed. */
  #hasSigned({ requestId, answer }: OwnRequest): boolean {
    return (
      answer !== undefined && this.#context.store.results.hash(requestId) === answer.resultHash
    );
  }

  /** True once a request has ended, and those who come before this operator have had their time. */
  #isTurn({ epochId, n, index }: OwnRequest, end: bigint | undefined, now: bigint): boolean {
    if (end === undefined) return false;
    const every = this.#everySeconds;
    return end + BigInt(rankAt(epochId, n, index, end, every)) * every < now;
  }

  /** The chain's time, by which the contracts judge. */
  async #now(): Promise<bigint> {
    return (await this.#context.gateway.client.getBlock()).timestamp;
  }

  /** Until when others may attest to answered requests; undefined where the endpoint lags behind. */
  async #attestableUntil(requests: readonly OwnRequest[]): Promise<(bigint | undefined)[]> {
    const known = ({ answer }: OwnRequest): bigint | undefined =>
      answer && this.#deadlines.get(answer);
    const unknown = requests.filter((request) => known(request) === undefined);
    await this.#read(unknown, ({ answer }, { isAnswered, deadline }) => {
      if (answer !== undefined && isAnswered) this.#deadlines.set(answer, deadline);
    });
    return requests.map(known);
  }

  async #read(
    requests: readonly OwnRequest[],
    take: (request: OwnRequest, standing: Standing) => void,
  ): Promise<void> {
    for (let at = 0; at < requests.length; at += READS_AT_ONCE) {
      const some = requests.slice(at, at + READS_AT_ONCE);
      const standings = await Promise.all(some.map((one) => standingOf(this.#context, one)));
      some.forEach((request, position) => take(request, standings[position]));
    }
  }

  /** Sends what is still open of these requests, batch by batch. */
  async #send(
    work: Work,
    requests: readonly OwnRequest[],
    signal: AbortSignal,
    isOpen: IsOpen,
  ): Promise<void> {
    for (const batch of batchesOf(requests)) {
      signal.throwIfAborted();
      const open: OwnRequest[] = [];
      await this.#read(batch, (request, standing) => {
        if (isOpen(standing, request)) open.push(request);
      });
      if (open.length > 0) await this.#sendBatch(work, open, signal, isOpen);
    }
  }

  async #sendBatch(
    work: Work,
    batch: readonly OwnRequest[],
    signal: AbortSignal,
    isOpen: IsOpen,
  ): Promise<void> {
    const { gateway, sender, log } = this.#context;
    const [first] = batch;
    const about = { work, contract: first.contract, epochId: first.epochId, count: batch.length };
    try {
      await unlessAborted(
        sender.submit(
          `${work}/${first.requestId}`,
          {
            address: gateway.addresses[first.contract],
            // All contracts that take requests have these functions.
            abi: decryptionGatewayAbi,
            functionName: work,
            args: [batch.map(({ requestId }) => requestId)],
          },
          async () => !isOpen(await standingOf(this.#context, first), first),
        ),
        signal,
      );
      this.#context.observer.onFees(work, batch.length);
      log.info(about, 'looked after fees');
    } catch (error) {
      // What one costs depends on whose balances are new, which payers and submitters choose.
      if (isKeyloomError(error, ChainErrorCode.GAS_CAP_EXCEEDED) && batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        await this.#sendBatch(work, batch.slice(0, half), signal, isOpen);
        await this.#sendBatch(work, batch.slice(half), signal, isOpen);
        return;
      }
      // Others were faster, or the endpoint is behind: the next look finds out what is left.
      if (!isKeyloomError(error, ChainErrorCode.REVERTED)) throw error;
      log.warn({ ...about, err: error }, 'the contract refuses to look after these fees');
    }
  }
}
