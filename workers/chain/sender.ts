import {
  encodeFunctionData,
  isAddressEqual,
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  type LocalAccount,
  type PublicClient,
  type TransactionReceipt,
} from 'viem';
import { isKeyloomError } from '../errors.ts';
import { broadcast } from './broadcast.ts';
import { ChainError, ChainErrorCode, type WarningHandler } from './errors.ts';
import { currentFees, defaultCaps, replacementFees, type SpendingCaps } from './fees.ts';
import {
  freeNonce,
  gapsBelow,
  outOfReach,
  type PendingTransaction,
  type TransactionJournal,
} from './nonces.ts';
import { backoffMs, pause, rpcError } from './rpc.ts';
import {
  fillerPayload,
  findReceipt,
  isKnown,
  parseSigned,
  revertReason,
  signTransaction,
  simulate,
  type Payload,
} from './transactions.ts';

/** A call of a contract. */
export interface ContractCall<
  abi extends Abi | readonly unknown[] = Abi,
  name extends ContractFunctionName<abi> = ContractFunctionName<abi>,
> {
  readonly address: Payload['to'];
  readonly abi: abi;
  readonly functionName: name;
  readonly args: ContractFunctionArgs<abi, 'nonpayable' | 'payable', name>;
}

/** Tells whether what a transaction is for has happened, by whomever. */
export type DoneCheck = () => Promise<boolean>;

export type Outcome = TransactionReceipt | 'already-done';

export interface SenderOptions {
  readonly client: PublicClient;
  readonly chainId: bigint;
  /** Sends and pays; used by nothing else, or nonces collide (which is healed, but slowly). */
  readonly account: LocalAccount;
  readonly journal: TransactionJournal;
  readonly pollMs: number;
  /** After this time without being mined a transaction is replaced at a higher fee. */
  readonly bumpAfterMs?: number;
  /** Blocks, its own included, after which a transaction counts as mined. */
  readonly confirmations?: number;
  readonly caps?: SpendingCaps;
  readonly onWarning?: WarningHandler;
}

/** How many transactions a sender has brought how far since it was started. */
export interface SenderCounts {
  /** Signed for a purpose and broadcast the first time. */
  sent: number;
  /** Broadcast again at a higher fee, or with nothing in them once nobody waits. */
  replaced: number;
  /** Mined, and the call succeeded. */
  succeeded: number;
  /** Mined, and the contract refused the call. */
  reverted: number;
  /** Not sent, because the contract would refuse the call. */
  refused: number;
}

interface Job {
  readonly key: string;
  readonly payload: Payload;
  readonly isDone: DoneCheck;
  readonly outcome: PromiseWithResolvers<Outcome>;
}

const defaultBumpAfterMs = 30_000;
const idleMs = 3_600_000;
/** Looks in a row at which a consumed nonce has no receipt of ours before it counts as lost. */
const missesUntilLost = 3;
/** More missing nonces than this below a pending one are not filled. */
const mostGaps = 16;
const fillerKey = (nonce: number) => `filler/${nonce}`;

/**
 * Sends transactions so that each purpose is served once, whatever crashes or gets lost.
 *
 * Every signed transaction is journaled before it is broadcast. One loop assigns nonces, so there
 * is at most one nonce per key at a time; it broadcasts again what the mempool has lost, replaces
 * what is stuck at a higher fee, and fills nonces that would hold up later ones. What nobody waits
 * for any more is replaced by a transfer of nothing, which is cheaper.
 */
export class TransactionSender {
  readonly counts: SenderCounts = { sent: 0, replaced: 0, succeeded: 0, reverted: 0, refused: 0 };
  readonly #options: Required<Omit<SenderOptions, 'onWarning'>>;
  readonly #onWarning: WarningHandler;
  readonly #jobs = new Map<string, Job>();
  /** By nonce: when it was last signed for, and how often its receipt was missed. */
  readonly #signedAt = new Map<number, number>();
  readonly #misses = new Map<number, number>();
  #alarm = new AbortController();
  #stopped: Error | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: SenderOptions) {
    this.#options = {
      bumpAfterMs: defaultBumpAfterMs,
      confirmations: 1,
      caps: defaultCaps,
      ...options,
    };
    this.#onWarning = options.onWarning ?? (() => undefined);
  }

  /** Takes up what the journal has; `submit` does it too. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends the loop. Jobs fail with STOPPED; the journal keeps what was signed. */
  async stop(): Promise<void> {
    this.#stopped ??= new ChainError(ChainErrorCode.STOPPED, 'The sender was stopped.');
    this.#alarm.abort();
    await this.#loop;
    this.#failAll(this.#stopped);
  }

  /**
   * Gets a call onto the chain, once, however often it takes.
   *
   * @param key names the purpose; while one submission of it is under way, others join it. After a
   *   restart the same key takes up the transaction that the journal has for it.
   * @param isDone asked before anything is sent and while it is pending
   * @returns the receipt of the successful transaction, or 'already-done' if the purpose was
   *   served by somebody else
   * @throws ChainError REVERTED with `errorName` and `errorArgs` if the contract refuses the call
   *   (then usually nothing has been sent), GAS_CAP_EXCEEDED, STOPPED
   */
  submit<const abi extends Abi | readonly unknown[], name extends ContractFunctionName<abi>>(
    key: string,
    call: ContractCall<abi, name>,
    isDone: DoneCheck,
  ): Promise<Outcome> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    const known = this.#jobs.get(key);
    if (known !== undefined) return known.outcome.promise;
    const data = encodeFunctionData(call as unknown as EncodeFunctionDataParameters);
    const outcome = Promise.withResolvers<Outcome>();
    this.#jobs.set(key, { key, payload: { to: call.address, data }, isDone, outcome });
    this.start();
    this.#alarm.abort();
    return outcome.promise;
  }

  async #run(): Promise<void> {
    const { journal, pollMs } = this.#options;
    let failures = 0;
    while (this.#stopped === undefined) {
      try {
        if (this.#jobs.size === 0 && journal.pending().length === 0) {
          await this.#sleep(idleMs);
          continue;
        }
        const placed = await this.#look();
        failures = 0;
        // Where blocks are made at once it is mined already.
        if (!placed) await this.#sleep(pollMs);
      } catch (error) {
        // Without its journal the sender sends nothing. Who waits is told, and may try again.
        if (isKeyloomError(error) && !(error instanceof ChainError)) this.#failAll(error);
        else this.#onWarning(rpcError(error));
        failures += 1;
        await this.#sleep(backoffMs(pollMs, failures));
      }
    }
  }

  /** Sleeps until the time is over, a job comes or the sender is stopped. */
  async #sleep(ms: number): Promise<void> {
    await pause(ms, this.#alarm.signal);
    this.#alarm = new AbortController();
  }

  /** Looks at the chain once and does what there is to do. @returns true if a job was sent */
  async #look(): Promise<boolean> {
    const { client, account, journal } = this.#options;
    const count = await client.getTransactionCount({ address: account.address });
    for (const transaction of journal.pending()) {
      if (transaction.nonce < count) await this.#guarded(() => this.#settle(transaction));
    }
    for (const { nonce } of outOfReach(count, journal.pending(), mostGaps)) this.#forget(nonce);
    let placed = false;
    for (const job of [...this.#jobs.values()]) {
      placed = (await this.#guarded(() => this.#advance(job, count))) || placed;
    }
    for (const nonce of gapsBelow(count, journal.pending())) {
      await this.#guarded(() => this.#sign(nonce, fillerKey(nonce), undefined));
    }
    for (const transaction of journal.pending()) {
      if (transaction.nonce >= count) await this.#guarded(() => this.#tend(transaction));
    }
    return placed;
  }

  /** Runs a step for one transaction: if it fails, the others still get theirs. */
  async #guarded(step: () => Promise<boolean>): Promise<boolean> {
    try {
      return await step();
    } catch (error) {
      if (isKeyloomError(error) && !(error instanceof ChainError)) throw error;
      this.#onWarning(rpcError(error));
      return false;
    }
  }

  /** Concludes a nonce that the chain has consumed. @returns false if that has to wait */
  async #settle(transaction: PendingTransaction): Promise<boolean> {
    const { client, confirmations } = this.#options;
    const { nonce, key, attempts } = transaction;
    const receipt = await findReceipt(client, attempts.map(({ hash }) => hash).reverse());
    if (receipt === undefined) {
      const misses = (this.#misses.get(nonce) ?? 0) + 1;
      this.#misses.set(nonce, misses);
      if (misses >= missesUntilLost) this.#forget(nonce);
      return false;
    }
    if (confirmations > 1) {
      const latest = await client.getBlockNumber({ cacheTime: 0 });
      if (latest - receipt.blockNumber + 1n < BigInt(confirmations)) return false;
    }
    const job = this.#jobs.get(key);
    const mined = attempts.find(({ hash }) => hash === receipt.transactionHash);
    if (job !== undefined && mined !== undefined && !this.#isFiller(mined.raw)) {
      this.counts[receipt.status === 'success' ? 'succeeded' : 'reverted'] += 1;
      if (receipt.status === 'success') this.#finish(job, receipt);
      else await this.#finishReverted(job, parseSigned(mined.raw), receipt);
    }
    this.#forget(nonce);
    return true;
  }

  async #finishReverted(job: Job, payload: Payload, receipt: TransactionReceipt): Promise<void> {
    const { client, account } = this.#options;
    if (await job.isDone()) this.#finish(job, 'already-done');
    else this.#fail(job, await revertReason(client, account.address, payload, receipt));
  }

  /** Brings a job further: finds it done, or signs its transaction. @returns true if it was sent */
  async #advance(job: Job, count: number): Promise<boolean> {
    const { client, journal } = this.#options;
    const pending = journal.pending();
    const own = pending.find(({ key }) => key === job.key);
    if (await job.isDone()) {
      // Its own transaction may just have done it: then the receipt is the outcome.
      const receipt =
        own &&
        (await findReceipt(
          client,
          own.attempts.map(({ hash }) => hash),
        ));
      if (receipt === undefined) this.#finish(job, 'already-done');
      return false;
    }
    if (own !== undefined) return false;
    return this.#sign(freeNonce(count, pending), job.key, job);
  }

  /** Keeps a pending transaction in the mempool, at a fee at which it will be mined. */
  async #tend({ nonce, key, attempts }: PendingTransaction): Promise<boolean> {
    const { client, bumpAfterMs } = this.#options;
    const latest = attempts.at(-1);
    if (latest === undefined) return false;
    const now = performance.now();
    const signedAt = this.#signedAt.get(nonce);
    if (signedAt === undefined) this.#signedAt.set(nonce, now);
    else if (now - signedAt >= bumpAfterMs) {
      // Once per period, also if it fails.
      this.#signedAt.set(nonce, now);
      return this.#sign(nonce, key, this.#jobs.get(key), latest.raw);
    }
    if (!(await isKnown(client, latest.hash))) await broadcast(client, latest.raw);
    return false;
  }

  /**
   * Signs for a nonce, journals and broadcasts it.
   *
   * @param job what the transaction is for; without one it does nothing but consume the nonce
   * @param replaced the signed transaction that it replaces
   * @returns false if the job turned out to be done or refused, and nothing was sent
   */
  async #sign(
    nonce: number,
    key: string,
    job: Job | undefined,
    replaced?: PendingTransaction['attempts'][number]['raw'],
  ): Promise<boolean> {
    const { client, account, chainId, journal, caps } = this.#options;
    const payload = job?.payload ?? fillerPayload(account.address);
    let gas: bigint;
    try {
      gas = await simulate(client, account.address, payload, caps);
    } catch (error) {
      if (job === undefined || !(error instanceof ChainError)) throw error;
      if (await job.isDone()) this.#finish(job, 'already-done');
      else {
        this.counts.refused += 1;
        this.#fail(job, error);
      }
      return false;
    }
    const current = await currentFees(client, caps);
    const fees =
      replaced === undefined ? current : replacementFees(parseSigned(replaced), current, caps);
    const signed = await signTransaction(account, chainId, payload, { ...fees, nonce, gas });
    journal.record(nonce, key, signed);
    this.#signedAt.set(nonce, performance.now());
    this.counts[replaced === undefined ? 'sent' : 'replaced'] += 1;
    await broadcast(client, signed.raw);
    return true;
  }

  #isFiller(raw: PendingTransaction['attempts'][number]['raw']): boolean {
    const { to, data } = parseSigned(raw);
    return data === '0x' && isAddressEqual(to, this.#options.account.address);
  }

  #forget(nonce: number): void {
    this.#options.journal.settle(nonce);
    this.#signedAt.delete(nonce);
    this.#misses.delete(nonce);
  }

  #finish(job: Job, outcome: Outcome): void {
    this.#jobs.delete(job.key);
    job.outcome.resolve(outcome);
  }

  #fail(job: Job, error: unknown): void {
    this.#jobs.delete(job.key);
    job.outcome.reject(error);
  }

  #failAll(error: unknown): void {
    for (const job of [...this.#jobs.values()]) this.#fail(job, error);
  }
}
